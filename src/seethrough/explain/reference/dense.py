"""Dense: every output is a weighted sum of all inputs.

    y[n, k] = Σ over i of  x[n, i] · weight[k, i]  + bias[k]        y = x · Wᵀ + b

Input i has weight[k, i] in output k, and weight k, i meets x[n, i] in each photo n:

    dx[n, i]      = Σ over k of  dy[n, k] · weight[k, i]            dx = dy · W
    dweight[k, i] = Σ over n of  dy[n, k] · x[n, i]                 dW = dyᵀ · x
    dbias[k]      = Σ over n of  dy[n, k]

Where maps end and vectors begin, `Flatten` puts all numbers of a photo in one row.
"""

from dataclasses import dataclass

from .layer import Array, Layer, Learner


@dataclass(frozen=True)
class Flatten(Layer):
    """Maps n c h w become vectors n c·h·w."""

    def forward(self, x: Array) -> Array:
        """All numbers of a photo in reading order, channel after channel."""
        return x.reshape(len(x), -1)

    def backward(self, x: Array, dy: Array) -> Array:
        """Each slope goes back to where its number came from."""
        return dy.reshape(x.shape)


@dataclass(frozen=True, eq=False)
class Dense(Learner):
    """Vectors n i become vectors n k."""

    weight: Array  # k i
    bias: Array  # k

    @property
    def parameters(self) -> dict[str, Array]:
        """Weight and bias."""
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x: Array) -> Array:
        """Weighted sums."""
        return x @ self.weight.T + self.bias

    def backward(self, x: Array, dy: Array) -> Array:
        """Each output hands back what it read by."""
        return dy @ self.weight

    def gradients(self, x: Array, dy: Array) -> dict[str, Array]:
        """Each weight gets what came in times what came back."""
        return {"weight": dy.T @ x, "bias": dy.sum(0)}
