"""Normalisation: numbers that share a group are moved and stretched to mean 0 and variance 1.

Over the m numbers of a group, and then with a scale and a shift that are learned per channel:

    μ = Σ x / m      v = Σ (x − μ)² / m      σ = √(v + ε)      z = (x − μ) / σ
    y = weight · z + bias

What shares a group is all that the kinds differ in. With the channels dealt into g groups, x is
n g c/g cells, and a mean is one over some of these four axes:

    batch     g = c   over n, c/g, cells   one channel of all photos    arXiv:1502.03167 (2015)
    instance  g = c   over c/g, cells      one channel of one photo     arXiv:1607.08022 (2016)
    group     any g   over c/g, cells      some channels of one photo   arXiv:1803.08494 (2018)
    layer     g = 1   over c/g, cells      one photo                    arXiv:1607.06450 (2016)
    cell      g = 1   over c/g             one cell of one photo        arXiv:2201.03545 (2022)

Backwards, with dz = dy · weight. Every x moves every z of its group in three ways:

    directly     ∂z[j]/∂x[i] = 1/σ for j = i
    through μ    ∂μ/∂x[i] = 1/m,        so every z[j] falls by 1/(m σ)
    through σ    ∂σ/∂x[i] = z[i] / m,   so every z[j] changes by −z[j] · z[i] / (m σ)

(∂v/∂x[i] = 2 (x[i] − μ) / m, and ∂σ/∂v = 1/(2σ); that μ moves too adds nothing, since
Σ (x − μ) = 0.) Summed over j with dz[j], the three are

    dx = ( dz − mean of dz − z · mean of (dz · z) ) / σ

Weight and bias meet every number of their channel:

    dweight = Σ dy · z      dbias = Σ dy

A network that has learned is used with a mean and a variance that were kept while it learned:
then nothing is shared, and y is a straight line of x.
"""

from dataclasses import dataclass

import numpy as np

from .layer import Array, Learner

EPSILON = 1e-5


@dataclass(frozen=True, eq=False)
class Norm(Learner):
    """Maps n c h w, or vectors n c, by the means and variances that they have themselves."""

    weight: Array  # c; or c h w, a scale for every place (layer normalisation)
    bias: Array  # of the same shape
    groups: int
    over: tuple[int, ...] = (2, 3)  # axes of n g c/g cells
    epsilon: float = EPSILON

    @property
    def parameters(self) -> dict[str, Array]:
        """Scale and shift."""
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x: Array) -> Array:
        """y = weight · z + bias."""
        z, _ = self._standardised(x)
        return _beside(self.weight, x) * z + _beside(self.bias, x)

    def backward(self, x: Array, dy: Array) -> Array:
        """What remains of dz without its mean and without its part along z."""
        z, sigma = self._standardised(x)
        dz = dy * _beside(self.weight, x)
        return (dz - self._mean(dz) - z * self._mean(dz * z)) / sigma

    def gradients(self, x: Array, dy: Array) -> dict[str, Array]:
        """Sums over everything that a scale and a shift were used for."""
        z, _ = self._standardised(x)
        return {"weight": _total(dy * z, self.weight), "bias": _total(dy, self.bias)}

    def _standardised(self, x: Array) -> tuple[Array, Array]:
        """z and σ, both of x's shape."""
        centred = x - self._mean(x)
        sigma = np.sqrt(self._mean(centred**2) + self.epsilon)
        return centred / sigma, sigma

    def _mean(self, x: Array) -> Array:
        """Each number replaced by its group's mean."""
        n, c = x.shape[:2]
        dealt = x.reshape(n, self.groups, c // self.groups, -1)
        mean: Array = dealt.mean(self.over, keepdims=True)
        return np.broadcast_to(mean, dealt.shape).reshape(x.shape)


def batch_norm(weight: Array, bias: Array, epsilon: float = EPSILON) -> Norm:
    """As it is while a network learns."""
    return Norm(weight, bias, groups=len(weight), over=(0, 2, 3), epsilon=epsilon)


def instance_norm(weight: Array, bias: Array, epsilon: float = EPSILON) -> Norm:
    """Every channel of every photo by itself."""
    return Norm(weight, bias, groups=len(weight), epsilon=epsilon)


def layer_norm(weight: Array, bias: Array, epsilon: float = EPSILON) -> Norm:
    """Every photo by itself."""
    return Norm(weight, bias, groups=1, epsilon=epsilon)


def cell_norm(weight: Array, bias: Array, epsilon: float = EPSILON) -> Norm:
    """Every cell of a photo by itself: layer normalisation as ConvNeXt has it."""
    return Norm(weight, bias, groups=1, over=(2,), epsilon=epsilon)


@dataclass(frozen=True, eq=False)
class KeptNorm(Learner):
    """Batch normalisation as it is used: y = weight · (x − mean) / √(variance + ε) + bias."""

    weight: Array  # c
    bias: Array  # c
    mean: Array  # c, kept
    variance: Array  # c, kept
    epsilon: float = EPSILON

    @property
    def parameters(self) -> dict[str, Array]:
        """Scale and shift; what was kept is not learned."""
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x: Array) -> Array:
        """A straight line for each channel."""
        return _beside(self.weight, x) * self._standardised(x) + _beside(self.bias, x)

    def backward(self, x: Array, dy: Array) -> Array:
        """dy times the line's slope."""
        return dy * _beside(self.weight / np.sqrt(self.variance + self.epsilon), x)

    def gradients(self, x: Array, dy: Array) -> dict[str, Array]:
        """Sums over each channel."""
        z = self._standardised(x)
        return {"weight": _total(dy * z, self.weight), "bias": _total(dy, self.bias)}

    def keep(self, x: Array, share: float = 0.1) -> None:
        """Move what is kept towards a batch: (1 − share) · kept + share · the batch's own.

        The variance kept is Σ (x − μ)² / (m − 1): it speaks of photos that were not in the batch.
        """
        rows = x.reshape(len(x), len(self.weight), -1)
        self.mean[...] += share * (rows.mean((0, 2)) - self.mean)
        self.variance[...] += share * (rows.var((0, 2), ddof=1) - self.variance)

    def _standardised(self, x: Array) -> Array:
        sigma = np.sqrt(self.variance + self.epsilon)
        return (x - _beside(self.mean, x)) / _beside(sigma, x)


def _beside(parameter: Array, x: Array) -> Array:
    """A parameter with as many axes as a photo of x, so that channel meets channel."""
    return parameter.reshape(*parameter.shape, *[1] * (x.ndim - 1 - parameter.ndim))


def _total(products: Array, parameter: Array) -> Array:
    """The sum over all axes that a parameter does not have."""
    axes = (0, *range(1 + parameter.ndim, products.ndim))
    total: Array = products.sum(axes)
    return total
