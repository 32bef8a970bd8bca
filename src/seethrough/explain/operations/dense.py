"""A dense layer: every unit reads every input.

    y[u] = b[u] + Σ_i w[u, i] · x[i]

`places` tells where in a map input i came from, where the vector is a flattened map: the terms of
the equation then carry the channel, row and column of that map.

Backwards, with g = ∂loss/∂y:   ∂loss/∂x[i] = Σ_u g[u] · w[u, i]
                                ∂loss/∂w[u, i] = x[i] · g[u]        ∂loss/∂b[u] = g[u]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Int64

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Map,
    Products,
    Value,
    one_product,
    products,
)
from seethrough.explain.operations.region import Region, Shape, whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dense:
    """A weight for each pair of unit and input."""

    weight: Float32[np.ndarray, "units inputs"]
    bias: Float32[np.ndarray, " units"] | None
    places: Int64[np.ndarray, "3 inputs"] | None = None  # channel, row, column
    kind: ClassVar[str] = "dense"
    formula: ClassVar[str] = "sum of (input × weight), plus bias"
    spans: ClassVar[None] = None

    @property
    def text(self) -> str:
        """As in a network's text."""
        return f"dense {len(self.weight)}" + (" nobias" if self.bias is None else "")

    @property
    def options(self) -> Mapping[str, Value]:
        """How many numbers it reads."""
        return {"inputs": self.weight.shape[1]}

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """The weights, and the biases if there are any."""
        bias = {} if self.bias is None else {"bias": self.bias}
        return {"weight": self.weight, **bias}

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One product for each input."""
        values = inputs[0].ravel()
        zero = np.zeros(len(values), np.int64)
        channel, row, column = (
            (np.arange(len(values)), zero, zero) if self.places is None else self.places
        )
        return Arithmetic(
            products=products(channel, row, column, values, self.weight[cell.unit]),
            bias=None if self.bias is None else float(self.bias[cell.unit]),
        )

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """One product for each unit."""
        place = np.ravel_multi_index((cell.unit, cell.row, cell.column), inputs[0].shape)
        units = np.arange(len(self.weight))
        zero = np.zeros_like(units)
        return products(units, zero, zero, upstream.ravel(), self.weight[:, place])

    def parameter_gradient(
        self, inputs: Sequence[Map], upstream: Map, name: str, index: tuple[int, ...]
    ) -> Products:
        """One product: each weight is used once."""
        gradient = float(upstream.ravel()[index[0]])
        if name == "bias":
            return one_product(Cell(index[0]), gradient)
        value = float(inputs[0].ravel()[index[1]])
        if self.places is None:
            return one_product(Cell(index[1]), value, gradient)
        channel, row, column = (int(side[index[1]]) for side in self.places)
        return one_product(Cell(channel, row, column), value, gradient)

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """All of it."""
        return [whole(shapes[0])]
