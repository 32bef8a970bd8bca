"""The lines of an update as they are written: in words, in letters, in digits that add up.

`=` holds between displayed digits, `≈` says that a result was rounded. What is added to a weight
has as many digits as the whole update; what is mixed into a gradient has digits of its own size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from seethrough.explain.rounding import decimals_for, show, show_adding_up

MORE_DECIMALS = 3  # of a small product than its sum needs, at most


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """One operation: what it is, in letters, in digits, its result, and the framework's."""

    name: str
    formula: str
    shown: str
    value: float
    note: str = ""  # what letters and digits leave out
    framework: float | None = None  # None: it keeps no such number
    difference: float | None = None  # value − framework


class Sheet:
    """The lines of one weight; numbers that are added carry their digits along."""

    def __init__(
        self,
        weight: float,
        gradient: float,
        rate: float,
        decimals: int,
        framework: Mapping[str, float],
    ) -> None:
        """`framework` has the results that are known of it, by the lines' names."""
        self.decimals, self.rate, self._framework = decimals, rate, framework
        self.weight, self.gradient = weight, gradient
        self.weight_digits, self.gradient_digits = show(weight, decimals), show(gradient, decimals)
        self.lines: list[UpdateLine] = []
        self.changes: list[float] = []

    def line(self, name: str, formula: str, shown: str, value: float, note: str = "") -> float:
        """One more; its result."""
        framework = self._framework.get(name)
        difference = None if framework is None else value - framework
        self.lines.append(UpdateLine(name, formula, shown, value, note, framework, difference))
        return value

    def plus(
        self, name: str, formula: str, start: tuple[float, str], factor: float, other: float
    ) -> tuple[float, str]:
        """start + factor × other: the product is rounded, the sum is exact as displayed."""
        product = factor * other
        digits = show(abs(product), self.decimals)
        sign = "-" if product < 0 else "+"
        total = Decimal(start[1]) + (Decimal(digits) if sign == "+" else -Decimal(digits))
        result = f"{total:.{self.decimals}f}"
        result = result[1:] if result.startswith("-") and not total else result
        size = f"{few(abs(factor))} × {few(abs(other))} ≈ {digits}"
        value = start[0] + product
        self.line(name, formula, f"{size}; {start[1]} {sign} {digits} = {result}", value)
        return value, result

    def mixed(
        self, name: str, formula: str, parts: Sequence[tuple[float, float]], note: str = ""
    ) -> float:
        """The sum of products: each is rounded, their sum is exact as displayed."""
        products = [factor * other for factor, other in parts]
        digits = show_adding_up([[product] for product in products], None, _decimals(products))
        sizes = [
            f"{few(factor)} × {few(other)} ≈ {size}"
            for (factor, other), size in zip(parts, digits.channels, strict=True)
        ]
        first, *others = digits.channels
        added = "".join(
            f" - {size[1:]}" if size.startswith("-") else f" + {size}" for size in others
        )
        shown = "; ".join([*sizes, f"{first}{added} = {digits.sum}"])
        return self.line(name, formula, shown, sum(products), note)

    def down(self, formula: str, direction: float, name: str = "step") -> float:
        """The weight − learning rate × direction."""
        start = (self.weight, self.weight_digits)
        self.changes.append(self.rate * direction)
        self.weight, self.weight_digits = self.plus(name, formula, start, -self.rate, direction)
        return self.weight

    def digits_of(self, value: float) -> str:
        """As many as all have that are added to the weight."""
        return show(value, self.decimals)

    def rescaled(self, weight: float) -> None:
        """Go on from this weight."""
        self.weight, self.weight_digits = weight, self.digits_of(weight)


def few(value: float) -> str:
    """Four significant digits or more."""
    return f"{value:g}" if value == float(f"{value:.4g}") else show(value, decimals_for([value]))


def _decimals(products: Sequence[float]) -> int:
    """So many that each product shows four digits, unless it is far smaller than the others."""
    sizes = [abs(product) for product in products if product and math.isfinite(product)]
    if not sizes:
        return decimals_for([])
    return min(decimals_for([min(sizes)]), decimals_for([max(sizes)]) + MORE_DECIMALS)
