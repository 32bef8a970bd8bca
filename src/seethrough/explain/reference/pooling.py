"""Pooling: one number for each window, its largest or its mean.

    max   y = x[the winner]            dx[the winner] collects dy, every other cell nothing
    mean  y = Σ x / m, m cells         dx of each of the m cells collects dy / m

Of equals the first in reading order wins, as in torch. Padding never wins a maximum (it is −∞
there); in a mean it counts as zeros, or not at all (`counts_border`). What hangs over the far
border in ceil mode never counts.

Adaptive pooling is told how many rows and columns shall come out. Along an axis of `size` cells
window p of `count` reaches from ⌊p · size / count⌋ up to ⌈(p + 1) · size / count⌉, so that windows
may overlap by a cell; with a count of 1 it is global pooling.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .layer import Array, Layer
from .window import Pair, Window


@dataclass(frozen=True)
class MaxPool(Layer):
    """The largest number of each window."""

    window: Window

    def forward(self, x: Array) -> Array:
        """The larger of what was seen and of the next tap."""
        wide = self.window.padded(x, border=-np.inf)
        y = np.full((*x.shape[:2], *self.window.counts(x)), -np.inf)
        for _, _, tap in self.window.taps(x):
            y = np.maximum(y, wide[tap])
        return y

    def backward(self, x: Array, dy: Array) -> Array:
        """All of dy to the first cell that equals the largest."""
        wide, y = self.window.padded(x, border=-np.inf), self.forward(x)
        dwide = np.zeros_like(wide)
        is_open = np.ones(y.shape, dtype=bool)
        for _, _, tap in self.window.taps(x):
            wins = is_open & (wide[tap] == y)
            dwide[tap] += dy * wins
            is_open &= ~wins
        return self.window.unpadded(dwide, x)


@dataclass(frozen=True)
class AveragePool(Layer):
    """The mean of each window."""

    window: Window
    counts_border: bool = True

    def forward(self, x: Array) -> Array:
        """The sum of all taps, divided by how many cells there are."""
        wide = self.window.padded(x)
        y = np.zeros((*x.shape[:2], *self.window.counts(x)))
        for _, _, tap in self.window.taps(x):
            y += wide[tap]
        return y / self._cells(x)

    def backward(self, x: Array, dy: Array) -> Array:
        """The same share of dy to every cell."""
        dwide = np.zeros_like(self.window.padded(x))
        for _, _, tap in self.window.taps(x):
            dwide[tap] += dy / self._cells(x)
        return self.window.unpadded(dwide, x)

    def _cells(self, x: Array) -> Array:
        """How many cells count in each window: the sum of a map of ones and zeros."""
        counted = self.window.padded(np.ones_like(x))
        if self.counts_border:
            h = x.shape[2] + 2 * self.window.rows.padding
            w = x.shape[3] + 2 * self.window.columns.padding
            counted[:, :, :h, :w] = 1
        cells = np.zeros((*x.shape[:2], *self.window.counts(x)))
        for _, _, tap in self.window.taps(x):
            cells += counted[tap]
        return cells


def regions(x: Array, counts: Pair) -> Iterator[tuple[int, int, Array]]:
    """Row and column of each cell of an adaptive pooling, and its window: a view into x."""
    (h, w), (rows, columns) = x.shape[2:], counts
    for p in range(rows):
        for q in range(columns):
            down = slice(p * h // rows, -(-(p + 1) * h // rows))
            across = slice(q * w // columns, -(-(q + 1) * w // columns))
            yield p, q, x[:, :, down, across]


@dataclass(frozen=True)
class AdaptiveMaxPool(Layer):
    """The largest number of each of rows × columns windows."""

    counts: Pair = (1, 1)

    def forward(self, x: Array) -> Array:
        """One window after the other."""
        y = np.zeros((*x.shape[:2], *self.counts))
        for p, q, region in regions(x, self.counts):
            y[:, :, p, q] = region.max((2, 3))
        return y

    def backward(self, x: Array, dy: Array) -> Array:
        """All of dy to the first of the largest: argmax finds the first."""
        dx = np.zeros_like(x)
        places = np.indices(x.shape[:2])
        for (p, q, region), (_, _, dregion) in zip(
            regions(x, self.counts), regions(dx, self.counts), strict=True
        ):
            first = region.reshape(*x.shape[:2], -1).argmax(2)
            dregion[*places, *np.divmod(first, region.shape[3])] += dy[:, :, p, q]
        return dx


@dataclass(frozen=True)
class AdaptiveAveragePool(Layer):
    """The mean of each of rows × columns windows."""

    counts: Pair = (1, 1)

    def forward(self, x: Array) -> Array:
        """One window after the other."""
        y = np.zeros((*x.shape[:2], *self.counts))
        for p, q, region in regions(x, self.counts):
            y[:, :, p, q] = region.mean((2, 3))
        return y

    def backward(self, x: Array, dy: Array) -> Array:
        """The same share of dy to every cell of a window."""
        dx = np.zeros_like(x)
        for p, q, dregion in regions(dx, self.counts):
            cells = dregion.shape[2] * dregion.shape[3]
            dregion += dy[:, :, p, q, None, None] / cells
        return dx
