"""One number times another, as a step backwards: what came back × a slope."""

from dataclasses import dataclass

from seethrough.explain.operations.arithmetic import Cell, Stepped
from seethrough.explain.rounding import show


@dataclass(frozen=True, slots=True)
class Factor:
    """A gate of 0 or 1 is shown without decimals: what it lets pass keeps its digits."""

    slope: float
    kind: str
    size: float  # of what the slope was computed from: 1 for a function that levels off
    formula: str = "gradient × slope"

    def apply(
        self, value: float, shown: str, cell: Cell, magnitude: float, decimals: int
    ) -> Stepped:
        """value × slope."""
        result = value * self.slope
        if self.slope in (0.0, 1.0):
            digits = shown if self.slope else show(0.0, decimals)
            text = f"{shown} × {self.slope:.0f} = {digits}"
        else:
            digits = show(result, decimals)
            text = f"{shown} × {show(self.slope, decimals)} ≈ {digits}"
        return Stepped(
            value=result,
            shown=text,
            shown_value=digits,
            magnitude=self.size * magnitude,
        )
