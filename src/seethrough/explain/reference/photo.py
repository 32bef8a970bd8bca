"""The photo: bytes become numbers of about the same size in every channel.

    y = (x / 255 − mean) / std          dx = dy / (255 · std)

Mean and standard deviation are those of the photos that are learned from, as shares of full
light, one for each channel. The slope dx says how the loss changes with one step of a byte.
"""

from dataclasses import dataclass

from .layer import Array, Layer


@dataclass(frozen=True, eq=False)
class Normalise(Layer):
    """A photo's bytes 0..255 become numbers around 0; mean and std are of shares 0..1."""

    mean: Array  # c
    std: Array  # c

    def forward(self, x: Array) -> Array:
        """Shares of full light, less their mean, in standard deviations."""
        return (x / 255 - self.mean[:, None, None]) / self.std[:, None, None]

    def backward(self, x: Array, dy: Array) -> Array:
        """How the loss changes with one step of a byte."""
        return dy / (255 * self.std[:, None, None])
