"""Activation functions: the same curve for every number.

A number of y depends on one number of x only, so the chain rule's sum has one member:

    dx = dy · f'(x)

Each class below has its curve in `forward` and f' in `slope`. Where a curve has a corner, f' is
what torch takes there; the tables say it as < or ≤.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from .layer import Array, Layer


class Activation(Layer):
    """A curve and its slope."""

    @abstractmethod
    def slope(self, x: Array) -> Array:
        """f'(x)."""

    def backward(self, x: Array, dy: Array) -> Array:
        """dy · f'(x)."""
        return dy * self.slope(x)


@dataclass(frozen=True)
class ReLU(Activation):
    """f = x where x > 0, else 0. f' = 1 and 0."""

    def forward(self, x: Array) -> Array:
        """What is positive."""
        return np.maximum(x, 0)

    def slope(self, x: Array) -> Array:
        """1 or 0."""
        return np.where(x > 0, 1.0, 0.0)
