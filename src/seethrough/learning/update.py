"""How one weight changes in one step, line by line, with digits that add up.

Momentum (nesterov: look ahead)            AdamW, t counts its steps

    d  = g + λ·w                               w₁ = w − η·λ·w
    v' = μ·v + d                               m' = β₁·m + (1 − β₁)·g
    u  = d + μ·v'   or   v'                    s' = β₂·s + (1 − β₂)·g²
    w' = w − η·u                               u  = m'/(1 − β₁ᵗ) / (√(s'/(1 − β₂ᵗ)) + ε)
                                               w' = w₁ − η·u

g gradient, λ weight decay (kernels only), η learning rate, μ momentum, v velocity. Everything is
computed in float64 from the framework's float32 numbers; `difference` is the new weight minus the
framework's. `=` holds between displayed digits, `≈` says that a result was rounded; a displayed
number is within two units of its last digit. Raises LayerError for a kernel that Muon moves.

Sources: as in `train.optimizers`, whose steps these lines take apart.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from seethrough.errors import LayerError
from seethrough.explain.rounding import decimals_for, show
from seethrough.train.optimizers import ADAM_EPSILON, BETA2
from seethrough.train.recipe import Optimizer, Recipe

MOST_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """One operation: what it is, in letters, in digits, and its result."""

    name: str
    formula: str
    shown: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One weight, before and after."""

    weight: float
    gradient: float
    learning_rate: float
    lines: tuple[UpdateLine, ...]
    change: float  # new weight − weight
    new_weight: float
    shown_new_weight: str
    framework: float  # the new weight as the framework computed it
    difference: float
    decimals: int  # of everything that is added

    def __str__(self) -> str:
        names = max(len(line.name) for line in self.lines)
        forms = max(len(line.formula) for line in self.lines)
        return "\n".join(
            f"{line.name:<{names}}  {line.formula:<{forms}}  {line.shown}" for line in self.lines
        )


def update(
    recipe: Recipe,
    *,
    learning_rate: float,
    weight: float,
    gradient: float,
    memory: Mapping[str, float],
    is_kernel: bool,
    framework: float,
) -> Update:
    """The change of one weight; `memory` holds what the optimizer remembers of it, by slot."""
    decay = recipe.weight_decay if is_kernel else 0.0
    trial = _Sheet(weight, gradient, learning_rate, MOST_DECIMALS)
    _write(trial, recipe, decay, memory)
    decimals = _decimals(trial.changes)
    sheet = _Sheet(weight, gradient, learning_rate, decimals)
    new_weight = _write(sheet, recipe, decay, memory)
    return Update(
        weight=weight,
        gradient=gradient,
        learning_rate=learning_rate,
        lines=tuple(sheet.lines),
        change=new_weight - weight,
        new_weight=new_weight,
        shown_new_weight=sheet.weight_digits,
        framework=framework,
        difference=new_weight - framework,
        decimals=decimals,
    )


class _Sheet:
    """The lines as they are written; numbers that are added carry their digits along."""

    def __init__(self, weight: float, gradient: float, rate: float, decimals: int) -> None:
        self.decimals, self.rate = decimals, rate
        self.weight, self.gradient = weight, gradient
        self.weight_digits, self.gradient_digits = show(weight, decimals), show(gradient, decimals)
        self.lines: list[UpdateLine] = []
        self.changes: list[float] = []

    def line(self, name: str, formula: str, shown: str, value: float) -> None:
        """One more."""
        self.lines.append(UpdateLine(name, formula, shown, value))

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
        size = f"{_few(abs(factor))} × {_few(abs(other))} ≈ {digits}"
        value = start[0] + product
        self.line(name, formula, f"{size}; {start[1]} {sign} {digits} = {result}", value)
        return value, result

    def down(self, formula: str, direction: float, name: str = "step") -> float:
        """The weight − learning rate × direction."""
        start = (self.weight, self.weight_digits)
        self.changes.append(self.rate * direction)
        self.weight, self.weight_digits = self.plus(name, formula, start, -self.rate, direction)
        return self.weight


def _write(sheet: _Sheet, recipe: Recipe, decay: float, memory: Mapping[str, float]) -> float:
    if recipe.optimizer is Optimizer.MUON and "mean" not in memory:
        raise LayerError(
            "A step of Muon cannot be taken apart for one weight.",
            why="it makes all gradients of a kernel orthogonal together.",
            fix="take a weight of the first or the last kernel, or a bias: they follow AdamW.",
        )
    if recipe.optimizer is not Optimizer.SGD:
        return _adamw(sheet, recipe, decay, memory)
    return _momentum(sheet, recipe, decay, memory)


def _momentum(sheet: _Sheet, recipe: Recipe, decay: float, memory: Mapping[str, float]) -> float:
    gradient = (sheet.gradient, sheet.gradient_digits)
    if decay:
        gradient = sheet.plus("weight decay", "d = g + λ·w", gradient, decay, sheet.weight)
    share = recipe.momentum
    if not share:
        return sheet.down("w' = w - η·d", gradient[0])
    velocity = sheet.plus("momentum", "v' = d + μ·v", gradient, share, memory["momentum"])
    if not recipe.nesterov:
        return sheet.down("w' = w - η·v'", velocity[0])
    ahead = sheet.plus("look ahead", "u = d + μ·v'", gradient, share, velocity[0])
    return sheet.down("w' = w - η·u", ahead[0])


def _adamw(sheet: _Sheet, recipe: Recipe, decay: float, memory: Mapping[str, float]) -> float:
    g, beta1, beta2 = sheet.gradient, recipe.momentum, BETA2
    steps = memory["steps"] + 1
    if decay:
        sheet.down("w₁ = w - η·λ·w", decay * sheet.weight, "weight decay")
    mean = beta1 * memory["mean"] + (1 - beta1) * g
    square = beta2 * memory["square"] + (1 - beta2) * g * g
    sheet.line(
        "mean",
        "m' = β₁·m + (1 - β₁)·g",
        f"{beta1:g} × {_few(memory['mean'])} + {1 - beta1:.6g} × {_few(g)} ≈ {_few(mean)}",
        mean,
    )
    sheet.line(
        "square",
        "s' = β₂·s + (1 - β₂)·g²",
        f"{beta2:g} × {_few(memory['square'])} + {1 - beta2:.6g} × ({_few(g)})² ≈ {_few(square)}",
        square,
    )
    unbiased = mean / (1 - beta1**steps)
    usual = math.sqrt(square / (1 - beta2**steps))
    direction = unbiased / (usual + ADAM_EPSILON)
    sheet.line(
        "direction",
        "u = m'/(1 - β₁ᵗ) / (√(s'/(1 - β₂ᵗ)) + ε)",
        f"{_few(unbiased)} / ({_few(usual)} + {ADAM_EPSILON:g}) ≈ {_few(direction)}",
        direction,
    )
    return sheet.down("w' = w - η·u", direction)


def _few(value: float) -> str:
    """Four significant digits or more."""
    return f"{value:g}" if value == float(f"{value:.4g}") else show(value, decimals_for([value]))


def _decimals(changes: list[float]) -> int:
    """So many that the smallest change that counts shows four digits."""
    sizes = [abs(change) for change in changes if change]
    return min(MOST_DECIMALS, decimals_for([min(sizes)])) if sizes else 4
