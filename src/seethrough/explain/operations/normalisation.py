"""The network's first layer: pixel values become numbers around zero.

    0..255 → 0..1 → standardised       y = (pixel / 255 − mean) / std

The equation's one product is pixel × 1/255, the share of full brightness; the step after it
subtracts the mean of the colour and divides by its deviation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Map,
    Products,
    Stepped,
    Value,
    one_product,
)
from seethrough.explain.operations.region import Region, Shape, Span
from seethrough.explain.rounding import show


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Normalisation:
    """`shares` is what the framework computed for pixel / 255."""

    mean: Float32[np.ndarray, " c"]
    std: Float32[np.ndarray, " c"]
    shares: Float32[np.ndarray, "c h w"]
    kind: ClassVar[str] = "normalise"
    text: ClassVar[str] = "normalise"
    formula: ClassVar[str] = "(pixel / 255 - mean) / std"
    options: ClassVar[Mapping[str, Value]] = {}
    spans: ClassVar[tuple[Span, Span]] = (Span(), Span())

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """One mean and one deviation for each colour."""
        return {"mean": self.mean, "std": self.std}

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """Pixel × 1/255; the product is exact to the last bit of float64."""
        place = (cell.unit, cell.row, cell.column)
        pixel = float(inputs[0][place])
        own = Standardise(float(self.mean[cell.unit]), float(self.std[cell.unit]))
        return Arithmetic(
            products=one_product(cell, pixel, 1 / 255),
            framework=float(self.shares[place]),
            own=own,
        )

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """What came back, × 1 / (255 · std): the gradient of one step of a pixel's 0..255."""
        value = float(upstream[cell.unit, cell.row, cell.column])
        return one_product(cell, value, 1 / (255 * float(self.std[cell.unit])))

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The same cells."""
        return [region]


@dataclass(frozen=True, slots=True)
class Standardise:
    """Minus the mean, over the deviation."""

    mean: float
    std: float
    kind: ClassVar[str] = "standardise"
    formula: ClassVar[str] = "(x - mean) / std"

    def apply(
        self, value: float, shown: str, cell: Cell, magnitude: float, decimals: int
    ) -> Stepped:
        """Shown with its difference, which adds up as displayed."""
        # the digits that enter and those of the mean are rounded already: their difference is exact
        mean = show(self.mean, decimals)
        difference = str(Decimal(shown) - Decimal(mean))
        result = (value - self.mean) / self.std
        digits = show(result, decimals)
        left = f"{shown} - {mean} = {difference}".replace("- -", "+ ")
        return Stepped(
            value=result,
            shown=f"{left}; {difference} / {show(self.std, decimals)} ≈ {digits}",
            shown_value=digits,
            magnitude=(magnitude + abs(self.mean)) / self.std,
        )
