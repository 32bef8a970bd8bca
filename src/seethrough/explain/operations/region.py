"""Which cells of a map are read: a set of rows, a set of columns and a set of channels.

A window of `kernel` taps, `dilation` apart, that moves by `stride` and starts `pad` cells before
the map turns row r of its output into the rows r·stride − pad + dilation·(0 … kernel − 1) of its
input; columns alike. What lies outside a map is left out. Vectors are maps of 1 × 1 cells.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int64

Shape = tuple[int, int, int]  # c h w
Mask = Bool[np.ndarray, " _"]


@dataclass(frozen=True, slots=True)
class Span:
    """A window that slides along one axis, in cells of the map below."""

    kernel: int = 1
    stride: int = 1
    pad: int = 0
    dilation: int = 1

    @property
    def extent(self) -> int:
        """From the first to the last tap."""
        return (self.kernel - 1) * self.dilation + 1

    def below(self, cells: Mask, size: int) -> Mask:
        """The cells of a map of this size that these cells read."""
        starts = np.flatnonzero(cells) * self.stride - self.pad
        read = (starts[:, None] + np.arange(self.kernel) * self.dilation).ravel()
        mask = np.zeros(size, bool)
        mask[read[(read >= 0) & (read < size)]] = True
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Every cell whose channel, row and column are marked."""

    channels: Mask
    rows: Mask
    columns: Mask

    @property
    def is_empty(self) -> bool:
        """Whether no cell is in it."""
        return not (self.rows.any() and self.columns.any() and self.channels.any())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right around it, half open; four zeros around nothing."""
        if self.is_empty:
            return 0, 0, 0, 0
        rows, columns = np.flatnonzero(self.rows), np.flatnonzero(self.columns)
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1

    def over(self, channels: Mask) -> "Region":
        """The same cells of other channels."""
        return replace(self, channels=channels)

    def joined(self, other: "Region") -> "Region":
        """The smallest region of this form that holds both."""
        if self.is_empty:
            return other
        if other.is_empty:
            return self
        return Region(
            self.channels | other.channels, self.rows | other.rows, self.columns | other.columns
        )


def whole(shape: Shape) -> Region:
    """Every cell of a map."""
    channels, rows, columns = (np.ones(size, bool) for size in shape)
    return Region(channels, rows, columns)


def one_cell(shape: Shape, unit: int, row: int, column: int) -> Region:
    """A single cell of a map."""
    place = np.array([[unit], [row], [column]], np.int64)
    return around(place, shape)


def around(cells: Int64[np.ndarray, "3 n"], shape: Shape) -> Region:
    """The smallest region that holds these cells, given as channels, rows and columns."""
    masks = [np.zeros(size, bool) for size in shape]
    for mask, places in zip(masks, cells, strict=True):
        mask[places] = True
    return Region(*masks)


def slid(region: Region, spans: tuple[Span, Span], channels: Mask, shape: Shape) -> Region:
    """What sliding windows read of the map below."""
    rows, columns = spans
    _, height, width = shape
    return Region(channels, rows.below(region.rows, height), columns.below(region.columns, width))
