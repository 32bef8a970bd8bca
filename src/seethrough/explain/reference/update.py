"""Updates: from the gradient of a weight array to the array's next values.

Downhill is where the loss falls, and the gradient g points uphill; lr is the size of the step.
Both rules remember something of the gradients before, and both can pull the weights towards 0
(decay), which limits how large they grow. They are torch's, in the same order of operations.

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
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from .layer import Array


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
