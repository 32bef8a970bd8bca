"""Reading an equation as a reader would: its digits as decimal text, without the code that rounded.

Products must make the shown channel sums, these and the bias the shown sum, every number must be
within its last digit of the true one, and the steps must go on from the digits where the last one
ended, each addition, maximum and gate of 0 or 1 being exact.
"""

import math
import re
from decimal import Context, Decimal, localcontext

from seethrough.explain.equation import Equation

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_SUM = re.compile(rf"({_NUMBER}) ([+-]) ({_NUMBER})")
_BOUND = re.compile(rf"(max|min)\(({_NUMBER}), (.+)\)")
_GATE = re.compile(rf"({_NUMBER}) × ([01])")


def reads_true(equation: Equation) -> bool:
    """Whether everything that is displayed holds as displayed."""
    if not all(map(math.isfinite, (equation.sum, equation.activation))):
        return False
    with localcontext(Context(prec=2000)):
        return _sums_hold(equation) and _digits_are_close(equation) and _steps_hold(equation)


def _sums_hold(equation: Equation) -> bool:
    by_channel: dict[int, Decimal] = {}
    for term in equation.terms:
        so_far = by_channel.get(term.channel, Decimal(0))
        by_channel[term.channel] = so_far + Decimal(term.shown_product)
    shown = {channel.channel: Decimal(channel.shown) for channel in equation.channels}
    bias = Decimal(equation.shown_bias or "0")
    return by_channel == shown and sum(shown.values(), bias) == Decimal(equation.shown_sum)


def _digits_are_close(equation: Equation) -> bool:
    unit = Decimal(1).scaleb(-equation.decimals)
    pairs = [(term.shown_product, term.product) for term in equation.terms]
    pairs += [(equation.shown_sum, equation.sum), (equation.shown_activation, equation.activation)]
    if equation.shown_bias is not None and equation.bias is not None:
        pairs.append((equation.shown_bias, equation.bias))
    return all(abs(Decimal(shown) - Decimal(true)) < unit for shown, true in pairs)


def _steps_hold(equation: Equation) -> bool:
    entering = equation.shown_sum
    for step in equation.steps:
        numbers = re.findall(_NUMBER, step.shown)
        if entering not in numbers:
            return False
        for part in step.shown.split("; "):
            left, equals, right = re.split(" ([=≈]) ", part)
            if equals == "=" and _evaluate(left) != Decimal(right):
                return False
        entering = numbers[-1]
    return entering == equation.shown_activation


def _evaluate(text: str) -> Decimal:
    bound, added = _BOUND.fullmatch(text), _SUM.fullmatch(text)
    multiplied = _GATE.fullmatch(text)
    if bound:
        first, second = Decimal(bound[2]), _evaluate(bound[3])
        return max(first, second) if bound[1] == "max" else min(first, second)
    if added:
        sign = 1 if added[2] == "+" else -1
        return Decimal(added[1]) + sign * Decimal(added[3])
    if multiplied:
        return Decimal(multiplied[1]) * Decimal(multiplied[2])
    return Decimal(text)
