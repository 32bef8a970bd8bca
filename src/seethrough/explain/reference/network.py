"""A network: layers one after the other, and the chain rule through all of them.

    forwards   a₀ = x,     a₁ = f₁(a₀),     …     a_m = f_m(a_{m−1})
    backwards  da_m is given;  da_{i−1} = f_i backwards (a_{i−1}, da_i),  and the parameters of f_i
               get their gradients from the same two arrays

A network is itself a layer, so that a network can be a part of another one. Without layers it
gives back what it got.
"""

from dataclasses import dataclass

from .layer import Array, Layer, Learner, gradients_of, parameters_of


@dataclass(frozen=True, eq=False)
class Network(Learner):
    """Layers by their names, in order."""

    layers: dict[str, Layer]

    @property
    def parameters(self) -> dict[str, Array]:
        """All arrays that learn, as `layer.parameter`."""
        return parameters_of(self.layers)

    def activations(self, x: Array) -> list[Array]:
        """a₀ … a_m: the input, then what each layer made of the one before."""
        made = [x]
        for layer in self.layers.values():
            made.append(layer.forward(made[-1]))
        return made

    def slopes(self, made: list[Array], dy: Array) -> list[Array]:
        """da₀ … da_m: how the loss changes with each of the activations."""
        found = [dy]
        for layer, x in zip(reversed(self.layers.values()), reversed(made[:-1]), strict=True):
            found.append(layer.backward(x, found[-1]))
        return found[::-1]

    def gradients_at(self, made: list[Array], found: list[Array]) -> dict[str, Array]:
        """How the loss changes with each parameter, from both lists."""
        return gradients_of(self.layers, made[:-1], found[1:])

    def forward(self, x: Array) -> Array:
        """The last activation."""
        return self.activations(x)[-1]

    def backward(self, x: Array, dy: Array) -> Array:
        """The slope at the input."""
        return self.slopes(self.activations(x), dy)[0]

    def gradients(self, x: Array, dy: Array) -> dict[str, Array]:
        """Of all parameters."""
        made = self.activations(x)
        return self.gradients_at(made, self.slopes(made, dy))
