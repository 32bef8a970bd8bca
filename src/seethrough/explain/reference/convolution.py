"""Convolution: one small kernel, laid on every place of the map.

With the map padded by zeros, and r(p) = p · stride + i · dilation as in `window`:

    y[n, o, p, q] = Σ over c, i, j of  x[n, c, r(p), r(q)] · weight[o, c, i, j]  + bias[o]

A cell of x is met by several windows, by each with another weight, and gets the sum of what they
hand back. A weight meets every window of every photo, and gets the sum over all of them:

    dx[n, c, r(p), r(q)] collects  Σ over o of  dy[n, o, p, q] · weight[o, c, i, j]
    dweight[o, c, i, j] = Σ over n, p, q of  dy[n, o, p, q] · x[n, c, r(p), r(q)]
    dbias[o]            = Σ over n, p, q of  dy[n, o, p, q]

For one tap i, j all three are products of matrices, with the map's cells in a row: W · X forwards,
Wᵀ · dY backwards and dY · Xᵀ for the weights.

With g groups the channels are dealt into g parts of which each has its own kernels: weight is
o c/g kh kw. As many groups as channels make a depthwise convolution (each kernel reads one
channel); a kernel of 1 × 1 is a dense layer at each cell.
"""

from dataclasses import dataclass

import numpy as np

from .layer import Array, Learner
from .window import Pair, Window, window


@dataclass(frozen=True, eq=False)
class Convolution(Learner):
    """Maps n c h w become maps n o h' w'."""

    weight: Array  # o c/groups kh kw
    bias: Array | None = None  # o
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    @property
    def parameters(self) -> dict[str, Array]:
        """The weight, and the bias where there is one."""
        return {"weight": self.weight} | ({} if self.bias is None else {"bias": self.bias})

    def forward(self, x: Array) -> Array:
        """Tap by tap, what each place of the kernel adds to the whole output."""
        wide = self._window.padded(x)
        y = np.zeros((len(x), len(self.weight), *self._window.counts(x)))
        for i, j, tap in self._window.taps(x):
            y += (self._matrix(i, j) @ self._cells(wide[tap])).reshape(y.shape)
        return y if self.bias is None else y + self.bias[:, None, None]

    def backward(self, x: Array, dy: Array) -> Array:
        """The same walk, the other way: each tap gives to the cells that it read."""
        dwide = np.zeros_like(self._window.padded(x))
        for i, j, tap in self._window.taps(x):
            dwide[tap] += (self._matrix(i, j).mT @ self._cells(dy)).reshape(dwide[tap].shape)
        return self._window.unpadded(dwide, x)

    def gradients(self, x: Array, dy: Array) -> dict[str, Array]:
        """What each tap met, times what came back for it, over all windows of all photos."""
        wide = self._window.padded(x)
        dweight = np.zeros_like(self.weight)
        for i, j, tap in self._window.taps(x):
            met = self._cells(dy) @ self._cells(wide[tap]).mT  # n g o/g c/g
            dweight[:, :, i, j] = met.sum(0).reshape(dweight.shape[:2])
        return {"weight": dweight} | ({} if self.bias is None else {"bias": dy.sum((0, 2, 3))})

    @property
    def _window(self) -> Window:
        kernel = (self.weight.shape[2], self.weight.shape[3])
        return window(kernel, self.stride, self.padding, self.dilation)

    def _matrix(self, i: int, j: int) -> Array:
        """The weights of one tap: g o/g c/g, a matrix for each group."""
        return self.weight[:, :, i, j].reshape(self.groups, -1, self.weight.shape[1])

    def _cells(self, maps: Array) -> Array:
        """Maps n c h w as n g c/g cells."""
        n, c, h, w = maps.shape
        return maps.reshape(n, self.groups, c // self.groups, h * w)
