"""The arithmetic that all equations share, forwards and backwards: add, compare, round, chain.

Knows no layer and no direction: products come in, an `Equation` goes out. What the numbers mean is
told in `equation`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seethrough.explain.equation import Equation
from seethrough.explain.operations.arithmetic import Arithmetic, Cell, Products, Step, Value
from seethrough.explain.precision import Precision, coarsest
from seethrough.explain.rounding import (
    Shown,
    adds_up,
    decimals_for,
    decimals_for_factors,
    show,
    show_adding_up,
)
from seethrough.explain.term import ChannelSum, EquationStep, Reader, Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which number an equation is about."""

    kind: str
    layer: str
    cell: Cell
    is_vector: bool
    formula: str
    framework: float
    sees: tuple[int, int, int, int]
    options: Mapping[str, Value]
    direction: str = "forward"
    readers: tuple[Reader, ...] = ()
    parameter: str | None = None
    index: tuple[int, ...] = ()


def assemble(
    subject: Subject, arithmetic: Arithmetic, added: "Added", chain: "Chain", sentence: str
) -> Equation:
    """All of it in one record."""
    digits = added.digits
    difference = added.total - subject.framework
    cell, options = subject.cell, subject.options
    return Equation(
        kind=subject.kind,
        layer=subject.layer,
        unit=cell.unit,
        row=None if subject.is_vector else cell.row,
        column=None if subject.is_vector else cell.column,
        formula=subject.formula,
        sentence=sentence,
        terms=terms_of(arithmetic.products, added),
        channels=_channels(arithmetic.products, added),
        bias=arithmetic.bias,
        shown_bias=digits.bias,
        sum=added.total,
        shown_sum=digits.sum,
        steps=tuple(chain.steps),
        activation=chain.value,
        shown_activation=chain.shown,
        framework=subject.framework,
        difference=difference,
        relative_difference=relative(difference, added.magnitude, chain.precision.tiny),
        adds_up=_adds_up(digits),
        decimals=added.decimals,
        sees=subject.sees,
        kernel=_pair(options, "kernel", 1),
        stride=_pair(options, "stride", 1),
        padding=_pair(options, "padding", 0),
        direction=subject.direction,
        readers=subject.readers,
        parameter=subject.parameter,
        index=subject.index,
        precision=chain.precision.name,
        tolerance=chain.precision.tolerance,
        magnitude=added.magnitude,
        tiny=chain.precision.tiny,
        step_differences=tuple(chain.differences),
    )


@dataclass(frozen=True, slots=True)
class Added:
    """The sum of one cell: its terms by channel, how large it is, and its digits."""

    groups: list[list[int]]  # numbers of the terms of each channel
    products: list[float]
    total: float
    magnitude: float
    decimals: int
    digits: Shown


def add(arithmetic: Arithmetic, magnitude: float | None = None) -> Added:
    """Sum, size and digits; a magnitude is given where products hide the size of their parts."""
    products, bias = arithmetic.products.product.tolist(), arithmetic.bias
    known = products if bias is None else [*products, bias]
    total = _sum(known)
    decimals = decimals_for([*known, total])
    groups = _by_channel(arithmetic.products)
    by_channel = [[products[index] for index in group] for group in groups]
    return Added(
        groups=groups,
        products=products,
        total=total,
        magnitude=_sum(map(abs, known)) if magnitude is None else magnitude,
        decimals=decimals,
        digits=show_adding_up(by_channel, bias, decimals),
    )


class Chain:
    """A number on its way through the steps that follow its sum."""

    def __init__(self, cell: Cell, added: Added, precision: Precision) -> None:
        self.cell, self.value, self.shown = cell, added.total, added.digits.sum
        self.magnitude, self.decimals = added.magnitude, added.decimals
        self.precision = precision  # the coarsest on the way
        self.steps: list[EquationStep] = []
        self.differences: list[float] = []

    def go(self, layer: str, step: Step, framework: float, precision: Precision) -> None:
        """One step on; `framework` is the framework's number after it, rounded to `precision`."""
        self.precision = coarsest(self.precision, precision)
        done = step.apply(self.value, self.shown, self.cell, self.magnitude, self.decimals)
        difference = done.value - framework
        self.steps.append(
            EquationStep(
                layer=layer,
                kind=step.kind,
                formula=step.formula,
                shown=done.shown,
                value=done.value,
                framework=framework,
                difference=difference,
            )
        )
        size = max(done.magnitude, abs(framework))
        self.differences.append(relative(difference, size, self.precision.tiny))
        self.value, self.shown, self.magnitude = done.value, done.shown_value, done.magnitude


def terms_of(parts: Products, added: Added) -> tuple[Term, ...]:
    """The products with the digits that are displayed."""
    inputs, weights = parts.input.tolist(), parts.weight.tolist()
    weight_decimals = decimals_for_factors(weights)
    shown_products = [""] * len(inputs)
    for group, shown in zip(added.groups, added.digits.products, strict=True):
        for index, text in zip(group, shown, strict=True):
            shown_products[index] = text
    if _selects(parts):  # what passes keeps its digits
        shown_inputs = [
            passed if weight == 1 else show(value, added.decimals)
            for value, weight, passed in zip(inputs, weights, shown_products, strict=True)
        ]
    else:
        input_decimals = decimals_for_factors(inputs)
        shown_inputs = [show(value, input_decimals) for value in inputs]
    columns = (
        parts.channel.tolist(),
        parts.row.tolist(),
        parts.column.tolist(),
        inputs,
        weights,
        parts.product.tolist(),
        shown_inputs,
        [show(value, weight_decimals) for value in weights],
        shown_products,
        parts.is_padding.tolist(),
        parts.is_winner.tolist(),
    )
    return tuple(Term(*row) for row in zip(*columns, strict=True))


def _selects(parts: Products) -> bool:
    """Whether inputs pass as they are, or not at all: a maximum, a moved number, a sum of maps."""
    is_taken = (parts.weight == 1) & (parts.product == parts.input)
    return bool((is_taken | (parts.weight == 0) | (parts.weight == -1)).all())


def _by_channel(parts: Products) -> list[list[int]]:
    """The numbers of the terms of each channel, in the order in which channels appear."""
    groups: dict[int, list[int]] = {}
    for index, channel in enumerate(parts.channel.tolist()):
        groups.setdefault(channel, []).append(index)
    return list(groups.values())


def _channels(parts: Products, added: Added) -> tuple[ChannelSum, ...]:
    sums = [
        ChannelSum(int(parts.channel[group[0]]), _sum(added.products[i] for i in group), shown)
        for group, shown in zip(added.groups, added.digits.channels, strict=True)
    ]
    return tuple(sorted(sums, key=lambda channel: -abs(channel.sum)))


def _adds_up(digits: Shown) -> bool:
    channels = digits.channels if digits.bias is None else (*digits.channels, digits.bias)
    return adds_up(channels, digits.sum) and all(
        adds_up(products, channel)
        for products, channel in zip(digits.products, digits.channels, strict=True)
    )


def _sum(values: Iterable[float]) -> float:
    """Rounded once; not a number where the parts are not finite or their sum overflows."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # inf − inf, or beyond the largest float64
        return math.nan


def relative(difference: float, magnitude: float, tiny: float) -> float:
    """|difference| / magnitude, the size of what was added up.

    What is smaller than `tiny`, the smallest normal number of its type, the framework rounds in
    fixed steps, or to 0.
    """
    if difference == 0:
        return 0.0
    return abs(difference) / max(magnitude, tiny)


def _pair(options: Mapping[str, Value], name: str, default: int) -> tuple[int, int]:
    value = options.get(name)
    return (int(value[0]), int(value[1])) if isinstance(value, tuple) else (default, default)
