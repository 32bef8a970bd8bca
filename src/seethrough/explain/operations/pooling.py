"""Pooling: one number for each window, its largest or its mean.

    max  y = max over the window; of equals the first in reading order wins, as in the framework
    avg  y = Σ x / n,  n = cells of the window, with or without the padded ones

Adaptive pooling cuts the h rows of a map into H windows: [⌊i·h/H⌋, ⌈(i + 1)·h/H⌉); global pooling
is one window. Terms: a maximum multiplies its winner by 1 and every other cell by 0, a mean
multiplies every cell by 1/n. A padded cell can never win a maximum (the framework takes −∞
there): its product is 0. Padded cells of a mean are 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64

from seethrough.explain.operations.arithmetic import Arithmetic, Cell, Map, Value, products
from seethrough.explain.operations.region import Region, Shape, Span, slid

Pair = tuple[int, int]
Axis = Int64[np.ndarray, " _"]


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
        counted = len(values) if self.counts_padding else int((~outside).sum())
        weight = np.full(len(values), 1 / (self.divisor or counted))
        channel = np.full(len(row), cell.unit)
        return Arithmetic(
            products=products(channel, row, column, values, weight, is_padding=outside)
        )

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """Its windows, channel by channel."""
        return [self.windows.below(region, shapes[0])]


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
