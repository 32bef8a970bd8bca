"""The loss: how far the network's answer is from the right one, as one number.

The last layer gives k logits z, one for each class; softmax makes probabilities of them:

    p[i] = e^(z[i] / T) / Σ over j of e^(z[j] / T)

T is the temperature, 1 while learning. Taking the largest z from all of them changes no p and
keeps e^z within what a number can hold. From ∂p[j]/∂z[i] = p[j] · ((1 if i = j else 0) − p[i]) / T:

    dz[i] = p[i] · (dp[i] − Σ over j of p[j] · dp[j]) / T

The loss of a photo of class t is −log p[t], that is −Σ q[i] · log p[i] with a wanted distribution q
of one 1 and zeros. Smoothing by s wants q = (1 − s) · (1 for t, 0 for others) + s / k instead
(Szegedy et al., "Rethinking the Inception architecture", 2015, arXiv:1512.00567, section 7). The
loss of a batch is the mean of its photos:

    L = − 1/n · Σ over photos, i of  q[i] · log p[i],     log p[i] = z[i] − log Σ over j of e^z[j]

The derivative of the last logarithm at z[i] is p[i], and the q sum to 1. What remains is what was
said minus what was wanted:

    dz = (p − q) / n
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .layer import Array, Layer


def log_probabilities(logits: Array) -> Array:
    """The logarithm of each class's probability, n k."""
    z: Array = logits - logits.max(1, keepdims=True)
    total: Array = np.exp(z).sum(1, keepdims=True)
    return z - np.log(total)


@dataclass(frozen=True)
class Softmax(Layer):
    """Logits n k become probabilities n k."""

    temperature: float = 1.0

    def forward(self, x: Array) -> Array:
        """Shares that sum to 1."""
        return np.exp(log_probabilities(x / self.temperature))

    def backward(self, x: Array, dy: Array) -> Array:
        """Only what differs from the mean, weighted by the probabilities, changes anything."""
        p = self.forward(x)
        mean: Array = (p * dy).sum(1, keepdims=True)
        return p * (dy - mean) / self.temperature


@dataclass(frozen=True)
class CrossEntropy:
    """The loss of logits n k for the classes t of n photos."""

    smoothing: float = 0.0

    def forward(self, logits: Array, t: NDArray[np.int64]) -> float:
        """L, at least 0."""
        q = self._wanted(logits, t)
        return float(-(q * log_probabilities(logits)).sum() / len(logits))

    def backward(self, logits: Array, t: NDArray[np.int64]) -> Array:
        """What was said minus what was wanted."""
        return (np.exp(log_probabilities(logits)) - self._wanted(logits, t)) / len(logits)

    def _wanted(self, logits: Array, t: NDArray[np.int64]) -> Array:
        k = logits.shape[1]
        wanted: Array = (1 - self.smoothing) * np.eye(k)[t] + self.smoothing / k
        return wanted
