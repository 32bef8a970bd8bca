"""From a cell of a trace to its equation: recompute, compare with the framework, round, chain.

Knows no particular layer: the operation takes the cell apart, this module does the arithmetic that
all share. What the numbers mean is told in `equation`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from seethrough.explain.equation import Equation
from seethrough.explain.layer import Layers, TracedLayer
from seethrough.explain.operations.activation import Activation
from seethrough.explain.operations.affine import Affine
from seethrough.explain.operations.arithmetic import Arithmetic, Cell, Products, Step, Value
from seethrough.explain.operations.convolution import Convolution
from seethrough.explain.operations.dense import Dense
from seethrough.explain.operations.dropout import Dropout
from seethrough.explain.operations.softmax import Share
from seethrough.explain.place import cell_of
from seethrough.explain.rounding import (
    Shown,
    adds_up,
    decimals_for,
    decimals_for_factors,
    show,
    show_adding_up,
)
from seethrough.explain.sentence import sentence
from seethrough.explain.sight import sees_cell
from seethrough.explain.term import ChannelSum, EquationStep, Term


def equation(
    layers: Layers, name: str, unit: int, row: int | None = None, column: int | None = None
) -> Equation:
    """Take one cell apart. Raises LayerError where there is no such cell or no arithmetic."""
    layer = layers.layer(name)
    cell = cell_of(layer, unit, row, column)
    arithmetic = layer.operation.arithmetic(layers.maps_below(name), cell)
    added = _add(arithmetic)
    digits = added.digits
    chain = _chain(layers, layer, cell, arithmetic, added)
    terms = _terms(arithmetic.products, added)
    framework = _value(layer, cell) if arithmetic.framework is None else arithmetic.framework
    difference = added.total - framework
    is_vector = layer.output.ndim == 1
    options = layer.options
    return Equation(
        kind=layer.kind,
        layer=name,
        unit=unit,
        row=None if is_vector else cell.row,
        column=None if is_vector else cell.column,
        formula=layer.operation.formula,
        sentence=sentence(layer, cell, terms, digits, chain.steps),
        terms=terms,
        channels=_channels(arithmetic.products, added),
        bias=arithmetic.bias,
        shown_bias=digits.bias,
        sum=added.total,
        shown_sum=digits.sum,
        steps=tuple(chain.steps),
        activation=chain.value,
        shown_activation=chain.shown,
        framework=framework,
        difference=difference,
        relative_difference=_relative(difference, added.magnitude),
        adds_up=_adds_up(digits),
        decimals=added.decimals,
        sees=sees_cell(layers, layer, cell),
        kernel=_pair(options, "kernel", 1),
        stride=_pair(options, "stride", 1),
        padding=_pair(options, "padding", 0),
        step_differences=tuple(chain.differences),
    )


@dataclass(frozen=True, slots=True)
class _Added:
    """The sum of one cell: its terms by channel, how large it is, and its digits."""

    groups: list[list[int]]  # numbers of the terms of each channel
    products: list[float]
    total: float
    magnitude: float
    decimals: int
    digits: Shown


def _add(arithmetic: Arithmetic) -> _Added:
    products, bias = arithmetic.products.product.tolist(), arithmetic.bias
    known = products if bias is None else [*products, bias]
    total = _sum(known)
    decimals = decimals_for([*known, total])
    groups = _by_channel(arithmetic.products)
    by_channel = [[products[index] for index in group] for group in groups]
    return _Added(
        groups=groups,
        products=products,
        total=total,
        magnitude=_sum(map(abs, known)),
        decimals=decimals,
        digits=show_adding_up(by_channel, bias, decimals),
    )


def _chain(
    layers: Layers, layer: TracedLayer, cell: Cell, arithmetic: Arithmetic, added: _Added
) -> "_Chain":
    """The layer's own step, or the layers that follow a sum of products."""
    chain = _Chain(cell, added.total, added.digits.sum, added.magnitude, added.decimals)
    if isinstance(arithmetic.own, Share):
        chain.go(layer, replace(arithmetic.own, shown=added.digits.products[cell.unit][0]))
    elif arithmetic.own is not None:
        chain.go(layer, arithmetic.own)
    if isinstance(layer.operation, Convolution | Dense):
        for following in layers.following(layer.name):
            if not isinstance(following.operation, Affine | Activation | Dropout):
                break
            chain.go(following, following.operation)
    return chain


class _Chain:
    """A number on its way through the steps that follow its sum."""

    def __init__(
        self, cell: Cell, value: float, shown: str, magnitude: float, decimals: int
    ) -> None:
        self.cell, self.value, self.shown = cell, value, shown
        self.magnitude, self.decimals = magnitude, decimals
        self.steps: list[EquationStep] = []
        self.differences: list[float] = []

    def go(self, layer: TracedLayer, step: Step) -> None:
        """One step on."""
        done = step.apply(self.value, self.shown, self.cell, self.magnitude, self.decimals)
        framework = _value(layer, self.cell)
        difference = done.value - framework
        self.steps.append(
            EquationStep(
                layer=layer.name,
                kind=step.kind,
                formula=step.formula,
                shown=done.shown,
                value=done.value,
                framework=framework,
                difference=difference,
            )
        )
        self.differences.append(_relative(difference, max(done.magnitude, abs(framework))))
        self.value, self.shown, self.magnitude = done.value, done.shown_value, done.magnitude


def _terms(parts: Products, added: _Added) -> tuple[Term, ...]:
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


def _channels(parts: Products, added: _Added) -> tuple[ChannelSum, ...]:
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


def _value(layer: TracedLayer, cell: Cell) -> float:
    return float(layer.map[cell.unit, cell.row, cell.column])


def _sum(values: Iterable[float]) -> float:
    """Rounded once; not a number where the parts are not finite or their sum overflows."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # inf − inf, or beyond the largest float64
        return math.nan


def _relative(difference: float, magnitude: float) -> float:
    if difference == 0:
        return 0.0
    return abs(difference) / magnitude if magnitude else math.inf


def _pair(options: Mapping[str, Value], name: str, default: int) -> tuple[int, int]:
    value = options.get(name)
    return (int(value[0]), int(value[1])) if isinstance(value, tuple) else (default, default)
