"""Each number times a scale plus a shift: normalisation with known statistics, and constants.

    norm   y = (x − mean) / √(variance + ε) · weight + bias
    folded y = x · scale + shift      scale = weight / √(variance + ε),  shift = bias − mean · scale

Batch normalisation outside training uses the running mean and variance it learned; layer, group and
instance normalisation take both from the very map they normalise. Folded numbers are float64.

Backwards, with g = ∂loss/∂y and z = (x − mean) / √(variance + ε):

    known statistics     ∂loss/∂x = g · scale
    those of n cells     ∂loss/∂x[i] = Σ_j g[j] · scale[j] · ([i = j] − 1/n − z[i] · z[j] / n)
    weight, bias         ∂loss/∂weight = Σ z · g    ∂loss/∂bias = Σ g    over the cells that use it

The second line holds because every cell of the n moves their mean and their variance too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
from jaxtyping import Float32, Float64, Int64

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Map,
    Products,
    Stepped,
    Value,
    one_product,
    products_at,
)
from seethrough.explain.operations.region import Region, Shape, Span, whole
from seethrough.explain.rounding import show, show_adding_up


class Statistics(Enum):
    """What mean and variance were taken from."""

    TRAINING = auto()  # known before the photo; or there are none
    CELL = auto()  # all channels of the same cell
    MAP = auto()  # many cells of the map


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Affine:
    """`scale` and `shift` have the shape of the map; a number for a channel is spread over it."""

    kind: str  # norm, scale
    text: str
    formula: str
    scale: Float64[np.ndarray, "c h w"]
    shift: Float64[np.ndarray, "c h w"] | None
    statistics: Statistics = Statistics.TRAINING
    options: Mapping[str, Value] = field(default_factory=dict)
    parameters: Mapping[str, Float32[np.ndarray, "..."]] = field(default_factory=dict)
    standardised: Float64[np.ndarray, "c h w"] | None = None  # z; None: x itself
    groups: Int64[np.ndarray, "c h w"] | None = None  # which cells share their statistics
    places: Mapping[str, Int64[np.ndarray, "c h w"]] = field(default_factory=dict)
    """For a learned parameter: which of its numbers, counted flat, each cell uses."""

    @property
    def spans(self) -> tuple[Span, Span] | None:
        """A single cell, unless its statistics come from others."""
        return None if self.statistics is Statistics.MAP else (Span(), Span())

    def folded(self, cell: Cell) -> tuple[float, float | None]:
        """Scale and shift of one cell."""
        place = (cell.unit, cell.row, cell.column)
        return float(self.scale[place]), None if self.shift is None else float(self.shift[place])

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One product: x × scale; the shift is its bias."""
        scale, shift = self.folded(cell)
        value = float(inputs[0][cell.unit, cell.row, cell.column])
        return Arithmetic(products=one_product(cell, value, scale), bias=shift)

    def apply(
        self, value: float, shown: str, cell: Cell, magnitude: float, decimals: int
    ) -> Stepped:
        """Shown as a product of its own, so that the sum with the shift adds up as displayed."""
        scale, shift = self.folded(cell)
        product = value * scale
        digits = show_adding_up([[product]], shift, decimals)
        factors = f"{shown} × {show(scale, decimals)} ≈ {digits.channels[0]}"
        if shift is None or digits.bias is None:
            return Stepped(
                value=product,
                shown=factors,
                shown_value=digits.sum,
                magnitude=abs(scale) * magnitude,
            )
        plus = f"- {digits.bias[1:]}" if digits.bias.startswith("-") else f"+ {digits.bias}"
        return Stepped(
            value=product + shift,
            shown=f"{factors}; {digits.channels[0]} {plus} = {digits.sum}",
            shown_value=digits.sum,
            magnitude=abs(scale) * magnitude + abs(shift),
        )

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """One product; or one for each cell that shares the statistics."""
        place = (cell.unit, cell.row, cell.column)
        if self.groups is None or self.standardised is None:
            return one_product(cell, float(upstream[place]), float(self.scale[place]))
        members = np.nonzero(self.groups == self.groups[place])
        count = len(members[0])
        is_own = np.logical_and.reduce(
            [axis == at for axis, at in zip(members, place, strict=True)]
        )
        moved = 1 / count + self.standardised[place] * self.standardised[members] / count
        return products_at(members, upstream[members], self.scale[members] * (is_own - moved))

    def parameter_gradient(
        self, inputs: Sequence[Map], upstream: Map, name: str, index: tuple[int, ...]
    ) -> Products:
        """Over all cells that use the number: z × what came back, or what came back."""
        flat = int(np.ravel_multi_index(index, self.parameters[name].shape)) if index else 0
        cells = np.nonzero(self.places[name] == flat)
        gradients = upstream[cells]
        if name == "bias":
            return products_at(cells, gradients, np.ones(len(gradients)))
        read = inputs[0] if self.standardised is None else self.standardised
        return products_at(cells, read[cells], gradients)

    def slope(self, cell: Cell, value: float) -> float:
        """∂y/∂x at a cell where the statistics are known, whatever its value."""
        return self.folded(cell)[0]

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The same cells, and those that the statistics were taken from."""
        everything = whole(shapes[0])
        if self.statistics is Statistics.MAP:
            return [everything]
        is_alone = self.statistics is Statistics.TRAINING
        return [region if is_alone else region.over(everything.channels)]
