"""Activation functions: the same curve for every number.

A number of y depends on one number of x only, so the chain rule's sum has one member:

    dx = dy · f'(x)

Each class has its curve in `forward` and f' in `slope`. A curve with a corner has no derivative
there; what is taken instead is torch's choice, and stands where it is made as < or ≤.

e^x is computed where it cannot overflow: logaddexp(a, b) is log(e^a + e^b), whatever a and b are.
"""

# ruff: noqa: D102 - the formula at the head of a class speaks for its two methods

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from .layer import Array, Layer

_erf = np.vectorize(math.erf, otypes=[np.float64])  # numpy has none


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + e^−x), between 0 and 1."""
    return np.exp(-np.logaddexp(0, -x))


class Activation(Layer):
    """A curve and its slope."""

    @abstractmethod
    def slope(self, x: Array) -> Array:
        """f'(x)."""

    def backward(self, x: Array, dy: Array) -> Array:
        """dy · f'(x)."""
        return dy * self.slope(x)


@dataclass(frozen=True)
class Sigmoid(Activation):
    """f = σ(x). From (1 + e^−x)^−1 follows f' = e^−x · σ² = σ · (1 − σ)."""

    def forward(self, x: Array) -> Array:
        return sigmoid(x)

    def slope(self, x: Array) -> Array:
        return sigmoid(x) * sigmoid(-x)  # 1 − σ(x) = σ(−x)


@dataclass(frozen=True)
class Tanh(Activation):
    """f = (e^x − e^−x) / (e^x + e^−x), f' = 1 − f²."""

    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def slope(self, x: Array) -> Array:
        return 1 - np.tanh(x) ** 2


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """f = x where x > 0, else leak · x. With a leak of 0 it is ReLU."""

    leak: float = 0.01

    def forward(self, x: Array) -> Array:
        return np.where(x > 0, x, self.leak * x)

    def slope(self, x: Array) -> Array:
        return np.where(x > 0, 1, self.leak)


@dataclass(frozen=True)
class ReLU(Activation):
    """f = the larger of 0 and x. f' = 1 where x > 0, else 0."""

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def slope(self, x: Array) -> Array:
        return np.where(x > 0, 1.0, 0.0)


@dataclass(frozen=True)
class HardTanh(Activation):
    """f = x, but no less than `low` and no more than `high`. Between them f' = 1."""

    low: float = -1.0
    high: float = 1.0

    def forward(self, x: Array) -> Array:
        return np.clip(x, self.low, self.high)

    def slope(self, x: Array) -> Array:
        return np.where((self.low < x) & (x < self.high), 1.0, 0.0)


@dataclass(frozen=True)
class Clamp(Activation):
    """The same curve. Torch's clamp counts the bounds themselves as between: f' = 1 there too."""

    low: float
    high: float

    def forward(self, x: Array) -> Array:
        return np.clip(x, self.low, self.high)

    def slope(self, x: Array) -> Array:
        return np.where((self.low <= x) & (x <= self.high), 1.0, 0.0)


@dataclass(frozen=True)
class ELU(Activation):
    """f = x where x > 0, else α · (e^x − 1) (Clevert et al., 2015, arXiv:1511.07289)."""

    alpha: float = 1.0

    def forward(self, x: Array) -> Array:
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def slope(self, x: Array) -> Array:
        return np.where(x > 0, 1, self.alpha * np.exp(np.minimum(x, 0)))


@dataclass(frozen=True)
class Softplus(Activation):
    """f = log(1 + e^x), f' = e^x / (1 + e^x) = σ(x). Above 20 torch takes x itself."""

    def forward(self, x: Array) -> Array:
        return np.where(x > 20, x, np.logaddexp(0, x))

    def slope(self, x: Array) -> Array:
        return np.where(x > 20, 1, sigmoid(x))


@dataclass(frozen=True)
class SiLU(Activation):
    """f = x · σ(x), f' = σ + x · σ · (1 − σ) (Elfwing et al., 2017, arXiv:1702.03118)."""

    def forward(self, x: Array) -> Array:
        return x * sigmoid(x)

    def slope(self, x: Array) -> Array:
        return sigmoid(x) * (1 + x * sigmoid(-x))


@dataclass(frozen=True)
class Mish(Activation):
    """f = x · t with t = tanh(log(1 + e^x)), f' = t + x · (1 − t²) · σ(x) (arXiv:1908.08681)."""

    def forward(self, x: Array) -> Array:
        return x * np.tanh(np.logaddexp(0, x))

    def slope(self, x: Array) -> Array:
        t: Array = np.tanh(np.logaddexp(0, x))
        return t + x * (1 - t**2) * sigmoid(x)


@dataclass(frozen=True)
class GELU(Activation):
    """f = x · Φ(x), the share of a normal distribution below x; f' = Φ + x · φ.

    Φ = (1 + erf(x / √2)) / 2, and its derivative is the bell φ = e^(−x²/2) / √(2π)
    (Hendrycks and Gimpel, 2016, arXiv:1606.08415).
    """

    def forward(self, x: Array) -> Array:
        return x * self._below(x)

    def slope(self, x: Array) -> Array:
        return self._below(x) + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)

    def _below(self, x: Array) -> Array:
        share: Array = (1 + _erf(x / math.sqrt(2))) / 2
        return share


@dataclass(frozen=True)
class TanhGELU(Activation):
    """The same without erf: f = x/2 · (1 + t), t = tanh u, u = √(2/π) · (x + 0.044715 x³).

    f' = (1 + t)/2 + x/2 · (1 − t²) · u', u' = √(2/π) · (1 + 3 · 0.044715 x²).
    """

    def forward(self, x: Array) -> Array:
        return x / 2 * (1 + self._tanh(x))

    def slope(self, x: Array) -> Array:
        t = self._tanh(x)
        du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
        return (1 + t) / 2 + x / 2 * (1 - t**2) * du

    def _tanh(self, x: Array) -> Array:
        u: Array = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return np.tanh(u)


@dataclass(frozen=True)
class HardSigmoid(Activation):
    """f = (x + 3) / 6, but no less than 0 and no more than 1. Between them f' = 1/6."""

    def forward(self, x: Array) -> Array:
        return np.clip((x + 3) / 6, 0, 1)

    def slope(self, x: Array) -> Array:
        return np.where((x > -3) & (x < 3), 1 / 6, 0)


@dataclass(frozen=True)
class HardSwish(Activation):
    """f = x · hardsigmoid(x): 0 up to −3, x from 3; between x · (x + 3) / 6 with f' = (2x + 3) / 6.

    Source: Howard et al., "Searching for MobileNetV3" (2019), arXiv:1905.02244.
    """

    def forward(self, x: Array) -> Array:
        return x * np.clip((x + 3) / 6, 0, 1)

    def slope(self, x: Array) -> Array:
        return np.where(x <= -3, 0, np.where(x < 3, (2 * x + 3) / 6, 1))
