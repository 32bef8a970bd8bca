"""The check that anyone may run on any network: do the equations hold, as computed and as shown.

Random cells of random photos, every known layer in turn. For each, the equation's own terms are
added up anew (`math.fsum`) and compared with the framework's tensor; the steps that follow too:

    relative difference  |Σ products + bias − framework| / (Σ |product| + |bias|)

In float32 it stays below 1e-5. And the displayed digits are read as a reader would, as decimal
text, without any of the code that rounded them: products must make the shown channel sums, these
and the bias the shown sum, every number must be within its last digit of the true one, and the
steps must go on from the digits where the last one ended, each addition and maximum being exact.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

import numpy as np
from jaxtyping import UInt8
from torch import nn

from seethrough.errors import LayerError
from seethrough.explain.equation import Equation
from seethrough.explain.trace import Trace, trace

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_SUM = re.compile(rf"({_NUMBER}) ([+-]) ({_NUMBER})")
_BOUND = re.compile(rf"(max|min)\(({_NUMBER}), (.+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was checked and how far off the worst of it was."""

    cells: int
    layers: Mapping[str, float]  # worst relative difference of each layer
    kinds: Mapping[str, float]  # and of each kind of layer
    forward_worst: float
    worst: str  # where that was
    adds_up: float  # share of the equations whose displayed digits add up exactly, 0..1
    wrong: tuple[str, ...]  # where they do not
    unknown: tuple[str, ...]  # layers that have no equation

    def to_dict(self) -> dict[str, int | float | str | list[str] | dict[str, float]]:
        """The same, ready for JSON."""
        return {
            "cells": self.cells,
            "layers": dict(self.layers),
            "kinds": dict(self.kinds),
            "forward_worst": self.forward_worst,
            "worst": self.worst,
            "adds_up": self.adds_up,
            "wrong": list(self.wrong),
            "unknown": list(self.unknown),
        }

    def __str__(self) -> str:
        width = max(len(kind) for kind in self.kinds)
        lines = [f"{kind:<{width}}  {worst:.1e}" for kind, worst in sorted(self.kinds.items())]
        unknown = f"; not known: {', '.join(self.unknown)}" if self.unknown else ""
        return "\n".join(
            [
                f"{self.cells} cells of {len(self.layers)} layers, worst relative difference:",
                *(f"  {line}" for line in lines),
                f"worst of all: {self.forward_worst:.1e} at {self.worst}",
                f"digits that add up as displayed: {100 * self.adds_up:.6g} %{unknown}",
            ]
        )


def verify(
    module: nn.Module,
    images: Sequence[UInt8[np.ndarray, "h w 3"]] | UInt8[np.ndarray, "n h w 3"],
    *,
    cells: int = 200,
    seed: int = 0,
) -> Verification:
    """Check random cells, at least one of every layer; more than `cells` where there are more."""
    random = np.random.default_rng(seed)
    worst: dict[str, float] = {}
    kinds: dict[str, float] = {}
    wrong: list[str] = []
    unknown: set[str] = set()
    checked, forward_worst, where = 0, -1.0, ""
    for index, image in enumerate(images):
        seen = trace(module, image)
        unknown.update(layer.name for layer in seen.layers if not layer.known)
        for equation in _equations(seen, random, _share(cells, index, len(images)), start=checked):
            checked += 1
            place = _place(equation, index)
            difference = forward_difference(equation)
            worst[equation.layer] = max(worst.get(equation.layer, 0.0), difference)
            kinds[equation.kind] = max(kinds.get(equation.kind, 0.0), difference)
            if difference > forward_worst:
                forward_worst, where = difference, place
            if not reads_true(equation):
                wrong.append(place)
    if not checked:
        raise LayerError(
            "There is nothing to check.",
            why="no photo was given, or no layer of the network has an equation.",
            fix="give at least one photo and a network with convolutions or dense layers.",
        )
    return Verification(
        cells=checked,
        layers=worst,
        kinds=kinds,
        forward_worst=forward_worst,
        worst=where,
        adds_up=1 - len(wrong) / checked,
        wrong=tuple(wrong),
        unknown=tuple(sorted(unknown)),
    )


def forward_difference(equation: Equation) -> float:
    """The worst relative difference of one equation, its terms added up anew."""
    parts = [term.product for term in equation.terms]
    parts += [] if equation.bias is None else [equation.bias]
    try:
        difference = abs(math.fsum(parts) - equation.framework)
        size = math.fsum(map(abs, parts))
    except (OverflowError, ValueError):
        return math.inf
    relative = 0.0 if difference == 0 else difference / size if size else math.inf
    worst = max(relative, *equation.step_differences, 0.0)
    return math.inf if any(map(math.isnan, (relative, worst))) else worst


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
    if bound:
        first, second = Decimal(bound[2]), _evaluate(bound[3])
        return max(first, second) if bound[1] == "max" else min(first, second)
    if added:
        sign = 1 if added[2] == "+" else -1
        return Decimal(added[1]) + sign * Decimal(added[3])
    return Decimal(text)


def _share(cells: int, index: int, count: int) -> int:
    return cells * (index + 1) // count - cells * index // count


def _equations(
    seen: Trace, random: np.random.Generator, cells: int, *, start: int
) -> Iterator[Equation]:
    """Layer after layer; the first photo visits each of them at least once."""
    known = [layer for layer in seen.layers if layer.known]
    count = max(cells, len(known)) if start == 0 else cells
    for index in range(count if known else 0):
        layer = known[(start + index) % len(known)]
        unit, row, column = (int(random.integers(size)) for size in layer.map_shape)
        is_vector = layer.output.ndim == 1
        yield seen.equation(
            layer.name, unit, None if is_vector else row, None if is_vector else column
        )


def _place(equation: Equation, photo: int) -> str:
    cell = "" if equation.row is None else f", row {equation.row}, column {equation.column}"
    return f"{equation.layer}, unit {equation.unit}{cell}, photo {photo}"
