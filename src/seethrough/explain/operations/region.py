"""Which cells of a map are read: a box of rows and columns, and a set of channels.

A window of `extent` cells that moves by `stride` and starts `pad` cells before the map turns rows
[top, bottom) of its output into rows [top·stride − pad, (bottom − 1)·stride − pad + extent) of its
input; columns alike. Vectors are maps of 1 × 1 cells. Nothing is clipped here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

Shape = tuple[int, int, int]  # c h w


@dataclass(frozen=True, slots=True)
class Span:
    """A window that slides along one axis, in cells of the map below."""

    extent: int = 1
    stride: int = 1
    pad: int = 0

    def below(self, start: int, stop: int) -> tuple[int, int]:
        """The cells below that the cells [start, stop) read."""
        first = start * self.stride - self.pad
        return first, max(first, (stop - 1) * self.stride - self.pad + self.extent)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Cells of a map, half open; empty where bottom ≤ top or right ≤ left."""

    channels: Bool[np.ndarray, " c"]
    top: int
    left: int
    bottom: int
    right: int

    @property
    def is_empty(self) -> bool:
        """Whether no cell is in it."""
        return self.bottom <= self.top or self.right <= self.left or not self.channels.any()

    def clipped(self, shape: Shape) -> "Region":
        """The part that lies inside the map."""
        _, height, width = shape
        top, left = min(max(self.top, 0), height), min(max(self.left, 0), width)
        bottom, right = min(max(self.bottom, top), height), min(max(self.right, left), width)
        return Region(self.channels, top, left, bottom, right)

    def over(self, channels: Bool[np.ndarray, " c"]) -> "Region":
        """The same box of other channels."""
        return replace(self, channels=channels)

    def joined(self, other: "Region") -> "Region":
        """The smallest region that holds both."""
        if self.is_empty:
            return other
        if other.is_empty:
            return self
        return Region(
            self.channels | other.channels,
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )


def whole(shape: Shape) -> Region:
    """Every cell of a map."""
    return Region(np.ones(shape[0], bool), 0, 0, shape[1], shape[2])


def one_cell(shape: Shape, unit: int, row: int, column: int) -> Region:
    """A single cell of a map."""
    channels = np.zeros(shape[0], bool)
    channels[unit] = True
    return Region(channels, row, column, row + 1, column + 1)


def slid(region: Region, spans: tuple[Span, Span], channels: Bool[np.ndarray, " c"]) -> Region:
    """What a sliding window reads of the map below."""
    rows, columns = spans
    top, bottom = rows.below(region.top, region.bottom)
    left, right = columns.below(region.left, region.right)
    return Region(channels, top, left, bottom, right)


def bounding(cells: Sequence[np.ndarray], shape: Shape) -> Region:
    """The smallest region around cells given as channel, row and column numbers."""
    channels, rows, columns = cells
    mask = np.zeros(shape[0], bool)
    if not len(channels):
        return Region(mask, 0, 0, 0, 0)
    mask[channels] = True
    top, left = int(rows.min()), int(columns.min())
    return Region(mask, top, left, int(rows.max()) + 1, int(columns.max()) + 1)
