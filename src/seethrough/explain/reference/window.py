"""Windows: how a kernel of a convolution or of a pooling slides over a map.

Along one axis the map has `size` cells and a border of `padding` cells on both sides. Window
number p begins at cell p · stride of the padded map, and its place number i is the cell

    p · stride + i · dilation,     p = 0 … count − 1,     i = 0 … kernel − 1
    span  = (kernel − 1) · dilation + 1
    count = ⌊(size + 2 · padding − span) / stride⌋ + 1

Read the other way round: place i of all windows together meets the cells i · dilation,
i · dilation + stride, … That is a slice, called a tap here, and it has the shape of the output.
So a loop over the few places of the kernel takes the place of one over all cells of the map.

Rounded up instead of down (`is_ceil`), the last window may hang over the far border; one that
would begin beyond the map and its near border is left out, as in torch.

Source of the arithmetic: Dumoulin and Visin, "A guide to convolution arithmetic for deep
learning" (2016), arXiv:1603.07285.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .layer import Array

Pair = tuple[int, int]  # of rows, of columns
Tap = tuple[slice, slice, slice, slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A window's way along one axis of a map."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    is_ceil: bool = False

    @property
    def span(self) -> int:
        """Cells from a window's first to its last."""
        return (self.kernel - 1) * self.dilation + 1

    def count(self, size: int) -> int:
        """How many windows there are."""
        room = size + 2 * self.padding - self.span
        if not self.is_ceil:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        return count - 1 if (count - 1) * self.stride >= size + self.padding else count

    def reach(self, size: int) -> int:
        """Cells of the map with its border, as far as a window or the map goes."""
        return max(size + self.padding, (self.count(size) - 1) * self.stride + self.span)

    def tap(self, place: int, size: int) -> slice:
        """Where place number `place` of all windows lies."""
        first = place * self.dilation
        return slice(first, first + (self.count(size) - 1) * self.stride + 1, self.stride)


@dataclass(frozen=True, slots=True)
class Window:
    """Both axes of a map n c h w."""

    rows: Axis
    columns: Axis

    def counts(self, x: Array) -> Pair:
        """Rows and columns of the output."""
        return self.rows.count(x.shape[2]), self.columns.count(x.shape[3])

    def taps(self, x: Array) -> Iterator[tuple[int, int, Tap]]:
        """Each place i, j of the kernel, in reading order, and its tap in the padded map."""
        everything = slice(None)
        for i in range(self.rows.kernel):
            for j in range(self.columns.kernel):
                down, across = self.rows.tap(i, x.shape[2]), self.columns.tap(j, x.shape[3])
                yield i, j, (everything, everything, down, across)

    def padded(self, x: Array, border: float = 0.0) -> Array:
        """The map x with a border of one number around it."""
        h, w = self.rows.reach(x.shape[2]), self.columns.reach(x.shape[3])
        wide = np.full((*x.shape[:2], h, w), border)
        wide[self._inside(x)] = x
        return wide

    def unpadded(self, wide: Array, x: Array) -> Array:
        """The part of a padded map that is x: what the border got falls away."""
        return wide[self._inside(x)]

    def _inside(self, x: Array) -> Tap:
        top, left = self.rows.padding, self.columns.padding
        rows, columns = slice(top, top + x.shape[2]), slice(left, left + x.shape[3])
        return slice(None), slice(None), rows, columns


def window(
    kernel: Pair,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    *,
    is_ceil: bool = False,
) -> Window:
    """A window from pairs: for the rows, for the columns."""
    rows, columns = (
        Axis(kernel=k, stride=s, padding=p, dilation=d, is_ceil=is_ceil)
        for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True)
    )
    return Window(rows, columns)
