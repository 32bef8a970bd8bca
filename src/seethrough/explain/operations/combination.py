"""Several maps become one: sums, products, channels side by side.

    add       y[c] = Σ_i weight_i · x_i[c]     (a difference has the weights 1 and −1)
    multiply  y[c] = x_0[c] · x_1[c]
    concat    y = channels of x_0, then channels of x_1, …

A map with one row, column or channel is spread over the others, as the framework does; backwards
its cell gathers the gradients of all cells that read it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Map,
    Products,
    Value,
    one_product,
    products,
    products_at,
    spread_places,
)
from seethrough.explain.operations.region import Region, Shape, Span

_NOTHING: Mapping[str, Value] = {}
_NO_PARAMETERS: Mapping[str, Float32[np.ndarray, "..."]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """A residual sum."""

    weights: tuple[float, ...]
    kind: ClassVar[str] = "add"
    formula: ClassVar[str] = "the sum of the same cell of several layers"
    options: ClassVar[Mapping[str, Value]] = _NOTHING
    parameters: ClassVar[Mapping[str, Float32[np.ndarray, "..."]]] = _NO_PARAMETERS
    spans: ClassVar[tuple[Span, Span]] = (Span(), Span())

    @property
    def text(self) -> str:
        """Add, or subtract."""
        return "subtract" if self.weights == (1.0, -1.0) else "add"

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One term for each layer that is added, in their order."""
        places = [_spread(cell, below.shape) for below in inputs]
        values = [float(below[place]) for below, place in zip(inputs, places, strict=True)]
        channel, row, column = zip(*places, strict=True)
        return Arithmetic(products=products(channel, row, column, values, self.weights))

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """What came back to the sum, × the input's weight in it."""
        places = spread_places(cell, inputs[which].shape, upstream.shape)
        gradients = upstream[tuple(places)]
        return products_at(places, gradients, np.full(len(gradients), self.weights[which]))

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The same cells of each."""
        return [_spread_region(region, shape) for shape in shapes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiply:
    """One map as the gate of another."""

    kind: ClassVar[str] = "multiply"
    text: ClassVar[str] = "multiply"
    formula: ClassVar[str] = "the product of the same cell of two layers"
    options: ClassVar[Mapping[str, Value]] = _NOTHING
    parameters: ClassVar[Mapping[str, Float32[np.ndarray, "..."]]] = _NO_PARAMETERS
    spans: ClassVar[tuple[Span, Span]] = (Span(), Span())

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One term: the first layer's cell is the input, the second's is the weight."""
        first, second = (_spread(cell, below.shape) for below in inputs)
        value, weight = float(inputs[0][first]), float(inputs[1][second])
        return Arithmetic(products=one_product(Cell(*first), value, weight))

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """What came back to the product, × the other factor."""
        places = spread_places(cell, inputs[which].shape, upstream.shape)
        other = np.broadcast_to(inputs[1 - which], upstream.shape)
        return products_at(places, upstream[tuple(places)], other[tuple(places)])

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The same cells of each."""
        return [_spread_region(region, shape) for shape in shapes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concat:
    """`channels` counts those of each input."""

    channels: tuple[int, ...]
    kind: ClassVar[str] = "concat"
    text: ClassVar[str] = "concat"
    formula: ClassVar[str] = "one channel of one of the layers before"
    options: ClassVar[Mapping[str, Value]] = _NOTHING
    parameters: ClassVar[Mapping[str, Float32[np.ndarray, "..."]]] = _NO_PARAMETERS
    spans: ClassVar[tuple[Span, Span]] = (Span(), Span())

    def source(self, unit: int) -> tuple[int, int]:
        """Which input a channel comes from, and which channel it is there."""
        for index, count in enumerate(self.channels):
            if unit < count:
                return index, unit
            unit -= count
        raise IndexError(unit)

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One term, × 1."""
        index, unit = self.source(cell.unit)
        value = float(inputs[index][unit, cell.row, cell.column])
        return Arithmetic(products=one_product(Cell(unit, cell.row, cell.column), value))

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """What came back to the channel where the input's channel stands."""
        unit = sum(self.channels[:which]) + cell.unit
        value = float(upstream[unit, cell.row, cell.column])
        return one_product(Cell(unit, cell.row, cell.column), value)

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """Each input's own channels."""
        ends = np.cumsum(self.channels)[:-1]
        return [region.over(part) for part in np.split(region.channels, ends)]


def _spread(cell: Cell, shape: tuple[int, ...]) -> tuple[int, int, int]:
    unit, row, column = (
        0 if size == 1 else place
        for size, place in zip(shape, (cell.unit, cell.row, cell.column), strict=True)
    )
    return unit, row, column


def _spread_region(region: Region, shape: Shape) -> Region:
    channels, rows, columns = (
        np.array([marks.any()]) if size == 1 else marks
        for size, marks in zip(shape, (region.channels, region.rows, region.columns), strict=True)
    )
    return Region(channels, rows, columns)
