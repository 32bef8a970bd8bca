"""What a layer is: a function that can say how the loss changes with what it read.

A network is a chain of functions that ends in one number, the loss L:

    x → y = f(x) → … → L

Write dy for ∂L/∂y, an array of y's shape: how much the loss would rise, for each number of y, if
that number rose by a little. Who knows dy finds dx by the chain rule, with f's own derivative:

    dx[i] = Σ over j of  dy[j] · ∂y[j]/∂x[i]

That is all there is to learning backwards (Rumelhart, Hinton and Williams, "Learning
representations by back-propagating errors", Nature 323, 1986, doi:10.1038/323533a0). Every layer
here gives its sum in closed form. A layer remembers nothing between the two ways: `backward` is
told x again.

Arrays are float64. A batch of maps has the shape n c h w (photos, channels, rows, columns), a
batch of vectors n k; one photo is a batch of one.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Layer(ABC):
    """A function of one array, both ways."""

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """y = f(x)."""

    @abstractmethod
    def backward(self, x: Array, dy: Array) -> Array:
        """dx, of x's shape."""


class Learner(Layer):
    """A layer with parameters w, which are arrays that a step of learning changes in place."""

    @property
    @abstractmethod
    def parameters(self) -> dict[str, Array]:
        """The arrays by their names."""

    @abstractmethod
    def gradients(self, x: Array, dy: Array) -> dict[str, Array]:
        """dw under each parameter's name: dw[i] = Σ over j of dy[j] · ∂y[j]/∂w[i]."""


def parameters_of(layers: Mapping[str, Layer]) -> dict[str, Array]:
    """The parameters of all layers that have some, as `layer.parameter`."""
    return {
        f"{name}.{part}": array
        for name, layer in layers.items()
        if isinstance(layer, Learner)
        for part, array in layer.parameters.items()
    }


def gradients_of(
    layers: Mapping[str, Layer], xs: Iterable[Array], dys: Iterable[Array]
) -> dict[str, Array]:
    """Their gradients under the same names, from what each layer read and what came back to it."""
    return {
        f"{name}.{part}": array
        for (name, layer), x, dy in zip(layers.items(), xs, dys, strict=True)
        if isinstance(layer, Learner)
        for part, array in layer.gradients(x, dy).items()
    }
