"""A dense layer: every unit reads every input.

    y[u] = b[u] + Σ_i w[u, i] · x[i]

`places` tells where in a map input i came from, where the vector is a flattened map: the terms of
the equation then carry the channel, row and column of that map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Int64

from seethrough.explain.operations.arithmetic import Arithmetic, Cell, Map, Value, products
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

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """All of it."""
        return [whole(shapes[0])]
