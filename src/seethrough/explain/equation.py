"""The arithmetic behind one activation: every factor, every sum, every digit.

    bias + Σ_channel Σ_window input × weight = sum → normalisation → activation function

Inputs and weights are the numbers that the framework used. Everything else is computed again,
independently of it: products in float64 (exact for float32 factors), sums by `math.fsum` (rounded
once), functions by Python's `math`. The result is compared with the framework's own tensor:

    difference           sum − framework
    relative_difference  |difference| / (|bias| + Σ |product|)

The divisor is the size of what was added up: the rounding error of a sum is in proportion to it and
not to the sum, which may be near zero. In float32 the relative difference stays below 1e-5;
`tolerance` is the bound for the number type of this network (`precision`).

What is displayed adds up as displayed (`rounding`): `decimals` digits for products, channel sums,
bias, sum and steps. Inputs and weights are only multiplied: each column has as many as its largest
needs, and none where all are whole, as pixels are; where inputs pass as they are (a maximum, a
sum of maps) they keep their digits. Steps follow a convolution or a dense layer while each layer
reads just the one before and nothing else reads it; the digits that leave a step enter the next.

| kind                   | terms                                             | weight              |
|------------------------|---------------------------------------------------|---------------------|
| conv, dense            | window × kernel; outside the map input 0, padding | kernel              |
| max_pool, …            | cells of the window                               | winner 1, others 0  |
| avg_pool, …            | cells of the window                               | 1/n                 |
| norm, scale            | x                                                 | scale; bias: shift  |
| relu, gelu, …          | x, the function is a step                         | 1                   |
| normalise              | pixel, standardising is a step                    | 1/255               |
| flatten, concat, …     | the cell that came here                           | 1                   |
| add                    | the cell of each layer                            | 1, or −1            |
| multiply               | the cell of the first layer                       | that of the second  |
| softmax                | logits, product e^(logit − largest); ÷ is a step  | 1                   |

`framework` belongs to `sum`; the output of a layer whose function is a step stands in that step.
"""

import math
from dataclasses import dataclass, field, fields
from typing import cast

from seethrough.explain.precision import FLOAT32
from seethrough.explain.term import ChannelSum, EquationStep, Reader, Term
from seethrough.explain.text import Page

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """One cell, taken apart; its fields are those of the server's message."""

    kind: str
    layer: str
    unit: int
    row: int | None
    column: int | None
    formula: str
    sentence: str
    terms: tuple[Term, ...] = field(repr=False)
    channels: tuple[ChannelSum, ...] = field(repr=False)
    bias: float | None
    shown_bias: str | None
    sum: float
    shown_sum: str
    steps: tuple[EquationStep, ...]
    activation: float
    shown_activation: str
    framework: float
    difference: float
    relative_difference: float
    adds_up: bool
    decimals: int
    sees: tuple[int, int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    direction: str = "forward"  # forward, backward (at a cell), parameter (at a weight or bias)
    readers: tuple[Reader, ...] = ()  # backward: whose units the terms' channels are
    parameter: str | None = None  # parameter: weight or bias
    index: tuple[int, ...] = ()  # parameter: its place in it
    precision: str = FLOAT32.name  # the number type that the framework rounds to
    tolerance: float = FLOAT32.tolerance  # the largest relative difference that it explains
    magnitude: float = field(default=0.0, repr=False)  # what differences are relative to
    tiny: float = field(default=FLOAT32.tiny, repr=False)  # but never to less than this
    step_differences: tuple[float, ...] = field(default=(), repr=False)  # relative, for each step

    @property
    def worst_difference(self) -> float:
        """The largest relative difference of the sum and of every step."""
        worst = max((self.relative_difference, *self.step_differences), key=_badness)
        return _badness(worst)

    def to_dict(self) -> dict[str, Json]:
        """The fields of the server's message, ready for JSON."""
        names = [name for name in _FIELDS[Equation] if name not in _INSIDE]
        names.insert(names.index("relative_difference") + 1, "worst_difference")
        return {name: _json(getattr(self, name)) for name in names}

    @property
    def _about(self) -> str:
        if self.parameter is not None:
            place = ", ".join(map(str, self.index))
            return f"gradient of the loss for {self.layer}, {self.parameter} {place}"
        unit = f"{self.layer}, unit {self.unit}"
        return f"gradient of the loss at {unit}" if self.direction == "backward" else unit

    def __str__(self) -> str:
        place = "" if self.row is None else f", row {self.row}, column {self.column}"
        agrees = "recomputed; equal to the framework's number"
        worst = max((self.difference, *(step.difference for step in self.steps)), key=abs)
        if worst:
            agrees = f"recomputed; differs from the framework by {abs(worst):.1e}"
        # backwards the steps lead on to the gradients of the layers below
        result = self.shown_activation if self.direction == "forward" else self.shown_sum
        top, left, bottom, right = self.sees
        rows, columns = f"{top} to {bottom - 1}", f"{left} to {right - 1}"
        sees = (f"depends on the pixels in rows {rows}, columns {columns}",)
        adds = "the digits add up as displayed" if self.adds_up else "the digits do not add up"
        return str(
            Page(
                title=f"{self._about}{place}: {result}",
                kind=self.kind,
                formula=self.formula,
                terms=self.terms,
                channels=self.channels,
                bias=self.shown_bias,
                sum=self.shown_sum,
                steps=self.steps,
                marks=(f"{agrees}; {adds}", *(sees if self.direction == "forward" else ())),
            )
        )


def _badness(difference: float) -> float:
    return math.inf if math.isnan(difference) else difference


def _json(value: object) -> Json:
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if isinstance(value, Term | ChannelSum | EquationStep | Reader):
        return {name: getattr(value, name) for name in _FIELDS[type(value)]}
    return cast(Json, value)


_INSIDE = {"magnitude", "tiny", "step_differences"}  # for the check alone
_FIELDS = {
    record: tuple(item.name for item in fields(record))
    for record in (Term, ChannelSum, EquationStep, Reader, Equation)
}
