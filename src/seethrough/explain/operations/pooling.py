"""Pooling: one number for each window, its largest or its mean.

    max  y = max over the window; of equals the first in reading order wins, as in the framework
    avg  y = Σ x / n,  n = cells of the window, with or without the padded ones

Adaptive pooling cuts the h rows of a map into H windows: [⌊i·h/H⌋, ⌈(i + 1)·h/H⌉); global pooling
is one window. Terms: a maximum multiplies its winner by 1 and every other cell by 0, a mean
multiplies every cell by 1/n. A padded cell can never win a maximum (the framework takes −∞
there): its product is 0. Padded cells of a mean are 0.

Backwards a cell gets the gradient of every window that it won, or 1/n of that of every window that
it stood in. Where the framework counts all equals as winners (`amax`), each gets its share.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Axis,
    Cell,
    Map,
    Products,
    Value,
    products,
)
from seethrough.explain.operations.region import Region, Shape, Span, slid

Pair = tuple[int, int]


@runtime_checkable
class Windows(Protocol):
    """Which cells belong to which window."""

    @property
    def spans(self) -> tuple[Span, Span] | None:
        """None where windows differ in size."""

    def rows_columns(self, cell: Cell, shape: Shape) -> tuple[Axis, Axis]:
        """The rows and the columns of one window, padding included."""

    def below(self, region: Region, shape: Shape) -> Region:
        """What a region's windows cover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliding:
    """Windows of one size, side by side or overlapping."""

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)

    @property
    def spans(self) -> tuple[Span, Span]:
        """From the first to the last cell of a window."""
        rows, columns = (
            Span(size, stride, pad, dilation)
            for size, stride, pad, dilation in zip(
                self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        return rows, columns

    def rows_columns(self, cell: Cell, shape: Shape) -> tuple[Axis, Axis]:
        """Windows that reach beyond map and padding (rounded up sizes) are cut there."""
        sides = []
        for axis, index in enumerate((cell.row, cell.column)):
            start = index * self.stride[axis] - self.padding[axis]
            places = start + self.dilation[axis] * np.arange(self.kernel[axis], dtype=np.int64)
            sides.append(places[places < shape[axis + 1] + self.padding[axis]])
        return sides[0], sides[1]

    def below(self, region: Region, shape: Shape) -> Region:
        """The windows' cells."""
        return slid(region, self.spans, region.channels, shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """As many windows as asked for, of nearly one size; (1, 1) is the whole map."""

    size: Pair
    spans: ClassVar[None] = None

    def rows_columns(self, cell: Cell, shape: Shape) -> tuple[Axis, Axis]:
        """From ⌊i·h/H⌋ to ⌈(i + 1)·h/H⌉."""
        rows, columns = (
            np.arange(index * cells // count, -(-(index + 1) * cells // count), dtype=np.int64)
            for index, cells, count in zip(
                (cell.row, cell.column), shape[1:], self.size, strict=True
            )
        )
        return rows, columns

    def below(self, region: Region, shape: Shape) -> Region:
        """Each window of the region's rows and columns."""
        rows, columns = np.zeros(shape[1], bool), np.zeros(shape[2], bool)
        for row in np.flatnonzero(region.rows):
            rows[self.rows_columns(Cell(0, int(row), 0), shape)[0]] = True
        for column in np.flatnonzero(region.columns):
            columns[self.rows_columns(Cell(0, 0, int(column)), shape)[1]] = True
        return Region(region.channels, rows, columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool:
    """The largest number of each window."""

    kind: str  # max_pool, adaptive_max_pool, global_max_pool
    windows: Sliding | Adaptive
    shares: bool = False  # backwards, equals share the gradient
    formula: ClassVar[str] = "the largest number of the window"

    @property
    def text(self) -> str:
        """As in a network's text: maxpool 2."""
        return _text("maxpool", self.windows)

    @property
    def options(self) -> Mapping[str, Value]:
        """Its windows."""
        return _options(self.windows)

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """None: nothing is learned."""
        return {}

    @property
    def spans(self) -> tuple[Span, Span] | None:
        """Those of its windows."""
        return self.windows.spans

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """Every cell of the window; the winner's weight is 1, the others' 0."""
        row, column, outside, values = _window(self.windows, inputs[0], cell)
        rivals = np.where(outside, -np.inf, values)
        winner = np.zeros(len(values), bool)
        winner[np.argmax(rivals)] = True
        product = np.where(winner, values, 0.0).astype(np.float64)
        channel = np.full(len(row), cell.unit)
        weight = winner.astype(np.float64)
        return Arithmetic(
            products=products(
                channel, row, column, values, weight,
                product=product, is_padding=outside, is_winner=winner,
            )
        )  # fmt: skip

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """Every window that the cell stands in, × 1 where it won."""

        def weight(window: Cell) -> float:
            row, column, outside, values = _window(self.windows, inputs[0], window)
            rivals = np.where(outside, -np.inf, values)
            own = int(np.flatnonzero((row == cell.row) & (column == cell.column))[0])
            if self.shares:
                winners = rivals == rivals.max()
                return float(winners[own] / winners.sum())
            return float(np.argmax(rivals) == own)

        return _windows_over(self.windows, inputs[0], upstream, cell, weight)

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """Its windows, channel by channel."""
        return [self.windows.below(region, shapes[0])]


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePool:
    """The mean of each window."""

    kind: str  # avg_pool, adaptive_avg_pool, global_avg_pool
    windows: Sliding | Adaptive
    counts_padding: bool = True
    divisor: int | None = None
    formula: ClassVar[str] = "the sum of the window × 1/n, its mean"

    @property
    def text(self) -> str:
        """As in a network's text: avgpool 2."""
        return _text("avgpool", self.windows)

    @property
    def options(self) -> Mapping[str, Value]:
        """Its windows, and how it counts."""
        return {
            **_options(self.windows),
            "counts_padding": self.counts_padding,
            "divisor": self.divisor,
        }

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """None: nothing is learned."""
        return {}

    @property
    def spans(self) -> tuple[Span, Span] | None:
        """Those of its windows."""
        return self.windows.spans

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """Every cell of the window × 1/n."""
        row, column, outside, values = _window(self.windows, inputs[0], cell)
        weight = np.full(len(values), self._share(outside))
        channel = np.full(len(row), cell.unit)
        return Arithmetic(
            products=products(channel, row, column, values, weight, is_padding=outside)
        )

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """Every window that the cell stands in, × 1/n."""

        def weight(window: Cell) -> float:
            return self._share(_window(self.windows, inputs[0], window)[2])

        return _windows_over(self.windows, inputs[0], upstream, cell, weight)

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """Its windows, channel by channel."""
        return [self.windows.below(region, shapes[0])]

    def _share(self, outside: Bool[np.ndarray, " t"]) -> float:
        counted = len(outside) if self.counts_padding else int((~outside).sum())
        return 1 / (self.divisor or counted)


def _windows_over(
    windows: Sliding | Adaptive,
    below: Map,
    upstream: Map,
    cell: Cell,
    weight: Callable[[Cell], float],
) -> Products:
    """One term for each window that a cell stands in; a weight of 1 marks what it won."""
    _, height, width = upstream.shape
    rows = [
        row
        for row in range(height)
        if cell.row in windows.rows_columns(Cell(0, row, 0), below.shape)[0]
    ]
    columns = [
        column
        for column in range(width)
        if cell.column in windows.rows_columns(Cell(0, 0, column), below.shape)[1]
    ]
    places = [Cell(cell.unit, row, column) for row in rows for column in columns]
    weights = np.array([weight(place) for place in places])
    return products(
        [place.unit for place in places],
        [place.row for place in places],
        [place.column for place in places],
        [float(upstream[place.unit, place.row, place.column]) for place in places],
        weights,
        is_winner=weights == 1,
    )


def _window(
    windows: Sliding | Adaptive, below: Map, cell: Cell
) -> tuple[Axis, Axis, Bool[np.ndarray, " t"], Float32[np.ndarray, " t"]]:
    rows, columns = windows.rows_columns(cell, below.shape)
    row, column = (side.ravel() for side in np.meshgrid(rows, columns, indexing="ij"))
    _, height, width = below.shape
    outside = (row < 0) | (row >= height) | (column < 0) | (column >= width)
    values = np.zeros(len(row), np.float32)
    values[~outside] = below[cell.unit, row[~outside], column[~outside]]
    return row, column, outside, values


def _text(word: str, windows: Sliding | Adaptive) -> str:
    if isinstance(windows, Adaptive):
        return f"{word} global" if windows.size == (1, 1) else f"{word} to {_pair(windows.size)}"
    words = [word, _pair(windows.kernel)]
    words += [f"s{_pair(windows.stride)}"] * (windows.stride != windows.kernel)
    words += [f"p{_pair(windows.padding)}"] * (windows.padding != (0, 0))
    words += [f"d{_pair(windows.dilation)}"] * (windows.dilation != (1, 1))
    return " ".join(words)


def _options(windows: Sliding | Adaptive) -> Mapping[str, Value]:
    if isinstance(windows, Adaptive):
        return {"size": windows.size}
    return {
        "kernel": windows.kernel,
        "stride": windows.stride,
        "padding": windows.padding,
        "dilation": windows.dilation,
    }


def _pair(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"
