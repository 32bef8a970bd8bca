"""Dropout: outside training every number passes; where it is on, some are 0 and the rest is scaled.

y = x                        outside training
y = x · mask / (1 − p)       where the module insists on dropping; the mask is the framework's
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
class Dropout:
    """`share` is how many numbers are dropped, 0..1; `weight` is None outside training."""

    share: float
    weight: Float32[np.ndarray, "c h w"] | None
    kind: ClassVar[str] = "dropout"
    spans: ClassVar[tuple[Span, Span]] = (Span(), Span())

    @property
    def text(self) -> str:
        """Whether it drops anything."""
        return f"dropout {self.share:g}" + (" (off)" if self.weight is None else "")

    @property
    def formula(self) -> str:
        """In letters."""
        return "x: dropout is off outside training" if self.weight is None else "x · mask / (1 - p)"

    @property
    def options(self) -> Mapping[str, Value]:
        """What it was told, and whether it is on."""
        return {"share": self.share, "is_on": self.weight is not None}

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """None: nothing is learned."""
        return {}

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One term: × 1, or × the mask's weight."""
        value = float(inputs[0][cell.unit, cell.row, cell.column])
        return Arithmetic(products=one_product(cell, value, self._factor(cell)))

    def apply(
        self, value: float, shown: str, cell: Cell, magnitude: float, decimals: int
    ) -> Stepped:
        """The number itself, or × the mask's weight."""
        factor = self._factor(cell)
        if self.weight is None:
            return Stepped(
                value=value, shown=f"{shown} = {shown}", shown_value=shown, magnitude=magnitude
            )
        digits = show(value * factor, decimals)
        return Stepped(
            value=value * factor,
            shown=f"{shown} × {show(factor, decimals)} ≈ {digits}",
            shown_value=digits,
            magnitude=magnitude * factor,
        )

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """What came back, × 1 or × the mask's weight."""
        value = float(upstream[cell.unit, cell.row, cell.column])
        return one_product(cell, value, self.slope(cell, 0.0))

    def slope(self, cell: Cell, value: float) -> float:
        """∂y/∂x at a cell, whatever its value."""
        return self._factor(cell)

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The same cells."""
        return [region]

    def _factor(self, cell: Cell) -> float:
        if self.weight is None:
            return 1.0
        return float(self.weight[cell.unit, cell.row, cell.column])
