"""Updates: from the gradient of a weight array to the array's next values.

Downhill is where the loss falls, and the gradient g points uphill; lr is the size of the step.
Every rule remembers something of the gradients before, and can pull the weights towards 0
(decay), which limits how large they grow. The first two are torch's, in its order of operations.

Momentum (Polyak 1964; Nesterov 1983; decay λ is added to the gradient):

    g ← g + λ · w
    velocity ← momentum · velocity + g
    w ← w − lr · velocity,      Nesterov: w − lr · (g + momentum · velocity)

AdamW (Kingma and Ba 2015, arXiv:1412.6980; decay apart from the gradient: Loshchilov and Hutter
2019, arXiv:1711.05101), with running means m of g and s of g²:

    w ← w − lr · λ · w
    m ← β₁ · m + (1 − β₁) · g              s ← β₂ · s + (1 − β₂) · g²
    m' = m / (1 − β₁ᵗ)                     s' = s / (1 − β₂ᵗ)
    w ← w − lr · m' / (√s' + ε)

m begins at 0 and is too small at first: after t steps its weights (1 − β₁) · β₁^i sum to 1 − β₁ᵗ,
by which m' is divided, and s' likewise.

Muon (Jordan 2024, kellerjordan.github.io/posts/muon), for kernels as matrices of units × the rest:

    velocity ← momentum · velocity + (1 − momentum) · g
    u = velocity,      Nesterov: (1 − momentum) · g + momentum · velocity
    w ← w − lr · λ · w − lr · 0.2 · √max(rows, columns) · x₅

A gradient is often long in a few directions and short in all others. With the matrix taken apart
into directions, u = U·S·Vᵀ (its singular values S say how long it is along each), U·Vᵀ has the
same directions, all of the length 1. x₅ is nearly that, without U and V being known:

    x₀ = u / ‖u‖          x ← a · x + b · x·xᵀ·x + c · x·xᵀ·x·xᵀ·x,      five times

With x = U·S·Vᵀ, x·xᵀ·x = U·S³·Vᵀ: the directions stay, and each length s becomes
a·s + b·s³ + c·s⁵, which moves what is above 0.01 to somewhere between 0.6 and 1.3. The factor
0.2·√max makes a step as long as one of AdamW (Liu et al. 2025, arXiv:2502.16982). Where kernels are
brought to one length first, it is left out: lr is then the step's share of that length.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from .layer import Array

MUON_EPSILON = 1e-7  # no length that something is divided by is less


class Update(ABC):
    """A rule and its memory, for one weight array."""

    @abstractmethod
    def step(self, w: Array, g: Array, lr: float) -> Array:
        """The next values of w."""


@dataclass(eq=False)
class Momentum(Update):
    """A ball that rolls downhill; with a momentum of 0 it is plain gradient descent."""

    momentum: float = 0.9
    decay: float = 0.0
    is_nesterov: bool = False
    velocity: Array = field(default_factory=lambda: np.zeros(()))

    def step(self, w: Array, g: Array, lr: float) -> Array:
        """Along the velocity, or with Nesterov along what it will be."""
        g = g + self.decay * w
        self.velocity = self.momentum * self.velocity + g
        return w - lr * (g + self.momentum * self.velocity if self.is_nesterov else self.velocity)


@dataclass(eq=False)
class AdamW(Update):
    """Each weight has its own size of step: the mean gradient in units of its usual size."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    decay: float = 0.0
    mean: Array = field(default_factory=lambda: np.zeros(()))
    square: Array = field(default_factory=lambda: np.zeros(()))
    steps: int = 0

    def step(self, w: Array, g: Array, lr: float) -> Array:
        """About lr for each weight, however steep it is."""
        self.steps += 1
        self.mean = self.beta1 * self.mean + (1 - self.beta1) * g
        self.square = self.beta2 * self.square + (1 - self.beta2) * g**2
        mean = self.mean / (1 - self.beta1**self.steps)
        square = self.square / (1 - self.beta2**self.steps)
        return w - lr * self.decay * w - lr * mean / (np.sqrt(square) + self.epsilon)


@dataclass(eq=False)
class Muon(Update):
    """Steps that are equally long in every direction that the momentum has."""

    momentum: float = 0.9
    decay: float = 0.0
    is_nesterov: bool = False
    is_unit: bool = False  # whether rows are first brought to a length of 1 on average
    velocity: Array = field(default_factory=lambda: np.zeros(()))

    def step(self, w: Array, g: Array, lr: float) -> Array:
        """All of a kernel at once: no number of it goes its way alone."""
        self.velocity = self.momentum * self.velocity + (1 - self.momentum) * g
        ahead = (1 - self.momentum) * g + self.momentum * self.velocity
        u = ahead if self.is_nesterov else self.velocity
        u = u.reshape(len(u), -1)
        if self.is_unit:
            w = w * np.sqrt(len(w)) / max(length(w), MUON_EPSILON)
        size = 1.0 if self.is_unit else 0.2 * np.sqrt(max(u.shape))
        along: Array = size * newton_schulz(u)[-1].reshape(w.shape)
        return w - lr * self.decay * w - lr * along


def length(x: Array) -> float:
    """The square root of the sum of all squares."""
    return float(np.sqrt(np.sum(x**2)))


def newton_schulz(u: Array) -> list[Array]:
    """x₀ to x₅, each from the one before."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = u / max(length(u), MUON_EPSILON)
    made = [x]
    for _ in range(5):
        cubed = np.linalg.multi_dot([x, x.mT, x])  # in whichever order is less work
        fifth = np.linalg.multi_dot([x, x.mT, cubed])
        x = a * x + b * cubed + c * fifth
        made.append(x)
    return made
