"""Numbers that only move: flatten, reshape, transpose, slices, shuffles, borders, copies.

    y[cell] = x[index[cell]]      index −1: no number moves here, `fill` stands there

`index` is found by sending the numbers 0, 1, 2, … through the same function, so whatever the
function does, the equation names the cell that truly arrived.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Map,
    Products,
    Value,
    products,
)
from seethrough.explain.operations.region import Region, Shape, Span, around


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rearrangement:
    """`index` counts the input's cells in channel, row, column order."""

    kind: str  # flatten, pad, rearrange
    text: str
    index: Int64[np.ndarray, "c h w"]
    shape: Shape  # of the input
    fill: float = 0.0

    @property
    def formula(self) -> str:
        """In words."""
        return "one number of the layer before, at a new place"

    @property
    def options(self) -> Mapping[str, Value]:
        """None."""
        return {}

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """None: nothing is learned."""
        return {}

    @property
    def spans(self) -> tuple[Span, Span] | None:
        """A single cell where only channels move; otherwise it is not a window."""
        if self.index.shape[1:] != self.shape[1:]:
            return None
        _, height, width = self.shape
        same_place = np.arange(height * width).reshape(height, width)
        return (Span(), Span()) if (self.index % (height * width) == same_place).all() else None

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One term: the cell that moved here, × 1."""
        place = int(self.index[cell.unit, cell.row, cell.column])
        outside = np.array([place < 0])
        if place < 0:
            term = products([cell.unit], [-1], [-1], [self.fill], [1.0], is_padding=outside)
            return Arithmetic(products=term)
        channel, row, column = (int(side) for side in np.unravel_index(place, self.shape))
        value = float(inputs[0][channel, row, column])
        return Arithmetic(products=products([channel], [row], [column], [value], [1.0]))

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """What came back to wherever the cell went: one place, several if copied, or none."""
        place = np.ravel_multi_index((cell.unit, cell.row, cell.column), self.shape)
        channel, row, column = np.nonzero(self.index == place)
        gradients = upstream[channel, row, column]
        return products(channel, row, column, gradients, np.ones(len(gradients)))

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The smallest region around the cells that moved here."""
        moved = self.index[np.ix_(region.channels, region.rows, region.columns)].ravel()
        return [around(np.stack(np.unravel_index(moved[moved >= 0], self.shape)), self.shape)]

    @property
    def places(self) -> Int64[np.ndarray, "3 n"]:
        """Channel, row and column of the input for each output, in order."""
        return np.stack(np.unravel_index(np.maximum(self.index.ravel(), 0), self.shape))
