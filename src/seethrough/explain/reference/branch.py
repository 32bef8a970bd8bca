"""Branches: several layers read the same map, and what they make is joined.

    sum      y = a + b           da = dy               db = dy
    product  y = a · b           da = dy · b           db = dy · a
    concat   y = (a, b)          da, db = the parts of dy that lie where a and b lie

Backwards the joint hands every branch its part, and x, which all of them read, gets the sum of
what they hand back: if x moves, all of them move.

With an empty network as one branch, the sum is the residual connection of He et al., "Deep
residual learning" (2015), arXiv:1512.03385: its slopes pass by the other branch unchanged. A
product with one number for each channel is the gate of Hu et al., "Squeeze-and-excitation
networks" (2017), arXiv:1709.01507.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .layer import Array, Layer, Learner, gradients_of, parameters_of


class Joint(ABC):
    """A function of several arrays."""

    @abstractmethod
    def forward(self, parts: Sequence[Array]) -> Array:
        """y."""

    @abstractmethod
    def backward(self, parts: Sequence[Array], dy: Array) -> list[Array]:
        """One slope for each part, of its shape."""


@dataclass(frozen=True)
class Sum(Joint):
    """All parts added, number by number."""

    def forward(self, parts: Sequence[Array]) -> Array:
        """The sum."""
        y = parts[0]
        for part in parts[1:]:
            y = y + part
        return y

    def backward(self, parts: Sequence[Array], dy: Array) -> list[Array]:
        """The same for all."""
        return [_gathered(dy, part) for part in parts]


@dataclass(frozen=True)
class Product(Joint):
    """All parts multiplied, number by number."""

    def forward(self, parts: Sequence[Array]) -> Array:
        """The product."""
        y = parts[0]
        for part in parts[1:]:
            y = y * part
        return y

    def backward(self, parts: Sequence[Array], dy: Array) -> list[Array]:
        """dy, times all the others."""
        others = ([*parts[:i], *parts[i + 1 :]] for i in range(len(parts)))
        return [
            _gathered(self.forward([dy, *rest]), part)
            for rest, part in zip(others, parts, strict=True)
        ]


@dataclass(frozen=True)
class Concat(Joint):
    """The channels of all parts in one map."""

    def forward(self, parts: Sequence[Array]) -> Array:
        """Side by side."""
        return np.concatenate(parts, axis=1)

    def backward(self, parts: Sequence[Array], dy: Array) -> list[Array]:
        """Each its own channels."""
        ends = np.cumsum([part.shape[1] for part in parts])
        return np.split(dy, ends[:-1], axis=1)


def _gathered(slope: Array, part: Array) -> Array:
    """A part of n c 1 1 was used at every cell, and gets the sum of the slopes of all of them."""
    axes = tuple(i for i, size in enumerate(part.shape) if size < slope.shape[i])
    total: Array = slope.sum(axes, keepdims=True)
    return total


@dataclass(frozen=True, eq=False)
class Branches(Learner):
    """Layers, often networks, that read the same x, and the joint of what they make."""

    layers: dict[str, Layer]
    joint: Joint

    @property
    def parameters(self) -> dict[str, Array]:
        """All arrays that learn, as `branch.parameter`."""
        return parameters_of(self.layers)

    def forward(self, x: Array) -> Array:
        """All branches, joined."""
        return self.joint.forward(self._parts(x))

    def backward(self, x: Array, dy: Array) -> Array:
        """The sum of what the branches hand back."""
        dx = np.zeros_like(x)
        for layer, slope in zip(self.layers.values(), self._slopes(x, dy), strict=True):
            dx += layer.backward(x, slope)
        return dx

    def gradients(self, x: Array, dy: Array) -> dict[str, Array]:
        """Of all branches."""
        return gradients_of(self.layers, [x] * len(self.layers), self._slopes(x, dy))

    def _parts(self, x: Array) -> list[Array]:
        return [layer.forward(x) for layer in self.layers.values()]

    def _slopes(self, x: Array, dy: Array) -> list[Array]:
        return self.joint.backward(self._parts(x), dy)
