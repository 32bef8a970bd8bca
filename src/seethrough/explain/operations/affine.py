"""Each number times a scale plus a shift: normalisation with known statistics, and constants.

    norm   y = (x − mean) / √(variance + ε) · weight + bias
    folded y = x · scale + shift      scale = weight / √(variance + ε),  shift = bias − mean · scale

Batch normalisation outside training uses the running mean and variance it learned; layer, group and
instance normalisation take both from the very map they normalise. Folded numbers are float64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
from jaxtyping import Float32, Float64

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Map,
    Stepped,
    Value,
    one_product,
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

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The same cells, and those that the statistics were taken from."""
        everything = whole(shapes[0])
        if self.statistics is Statistics.MAP:
            return [everything]
        is_alone = self.statistics is Statistics.TRAINING
        return [region if is_alone else region.over(everything.channels)]
