"""Dropout: while a network learns, numbers are left out by chance, so that none is relied upon.

    y = x · kept / share                dx = dy · kept / share

`kept` is 1 or 0 for each number. What is kept is divided by the share that is kept on average, so
that sums stay as large as without dropout. Chance is not part of the layer: the mask is given.
Source: Srivastava et al., "Dropout", JMLR 15 (2014).
"""

from dataclasses import dataclass

from numpy import bool_
from numpy.typing import NDArray

from .layer import Array, Layer


@dataclass(frozen=True, eq=False)
class Dropout(Layer):
    """Some numbers of x, enlarged, and zeros."""

    kept: NDArray[bool_]  # of x's shape
    share: float  # of numbers that are kept, above 0 and up to 1

    def forward(self, x: Array) -> Array:
        """What is kept, enlarged."""
        return x * self.kept / self.share

    def backward(self, x: Array, dy: Array) -> Array:
        """What was left out cannot change the loss."""
        return dy * self.kept / self.share
