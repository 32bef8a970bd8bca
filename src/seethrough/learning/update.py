"""How one weight changes in one step, line by line, with digits that add up.

Momentum (nesterov: look ahead)            AdamW, t counts its steps

    d  = g + λ·w                               w₁ = w − η·λ·w
    v' = μ·v + d                               m' = β₁·m + (1 − β₁)·g
    u  = d + μ·v'   or   v'                    s' = β₂·s + (1 − β₂)·g²
    w' = w − η·u                               u  = m'/(1 − β₁ᵗ) / (√(s'/(1 − β₂ᵗ)) + ε)
                                               w' = w₁ − η·u

g gradient, λ weight decay (`train.way` says of what), η learning rate, μ momentum, v velocity. A
kernel that Muon moves has the lines of `learning.muon`. Everything is computed in float64 from the
framework's float32 numbers; `difference` is a result minus the framework's, of the new weight and
of each line that the framework has a number for. `=` holds between displayed digits, `≈` says that
a result was rounded; a displayed number is within two units of its last digit.

Sources: as in `train.optimizers`, whose steps these lines take apart.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from seethrough.explain.rounding import decimals_for
from seethrough.learning.muon import MuonEntry, write_muon
from seethrough.learning.sheet import Sheet, UpdateLine, few
from seethrough.train.optimizers import ADAM_EPSILON, BETA2
from seethrough.train.way import Way

MOST_DECIMALS = 12


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
    tolerance: float  # a difference that the framework's float32 explains
    decimals: int  # of everything that is added to the weight

    def __str__(self) -> str:
        names = max(len(line.name) for line in self.lines)
        forms = max(len(line.formula) for line in self.lines)
        return "\n".join(
            f"{line.name:<{names}}  {line.formula:<{forms}}  {line.shown}" for line in self.lines
        )


def update(
    way: Way,
    *,
    learning_rate: float,
    weight: float,
    gradient: float,
    memory: Mapping[str, float],
    new_memory: Mapping[str, float],
    framework: float,
    muon: MuonEntry | None = None,
) -> Update:
    """The change of one weight; `memory` holds what the optimizer remembers of it, by slot.

    `new_memory` is what it remembers after the step; `muon` is given where Muon moves the weight.
    """
    known = {**new_memory, **({} if muon is None else muon.framework), "step": framework}

    def written(decimals: int) -> Sheet:
        sheet = Sheet(weight, gradient, learning_rate, decimals, known)
        if muon is not None:
            write_muon(sheet, way, muon)
        elif "mean" in memory:
            _adamw(sheet, way, memory)
        else:
            _momentum(sheet, way, memory)
        return sheet

    decimals = _decimals(written(MOST_DECIMALS).changes)
    sheet = written(decimals)
    return Update(
        weight=weight,
        gradient=gradient,
        learning_rate=learning_rate,
        lines=tuple(sheet.lines),
        change=sheet.weight - weight,
        new_weight=sheet.weight,
        shown_new_weight=sheet.weight_digits,
        framework=framework,
        difference=sheet.weight - framework,
        tolerance=1e-4 * max(abs(weight), abs(sheet.weight), 1e-3)
        + (0.0 if muon is None else learning_rate * muon.rounding),
        decimals=decimals,
    )


def _momentum(sheet: Sheet, way: Way, memory: Mapping[str, float]) -> None:
    gradient = (sheet.gradient, sheet.gradient_digits)
    if way.decay:
        gradient = sheet.plus("weight decay", "d = g + λ·w", gradient, way.decay, sheet.weight)
    share = way.momentum
    if not share:
        sheet.down("w' = w - η·d", gradient[0])
        return
    velocity = sheet.plus("momentum", "v' = d + μ·v", gradient, share, memory["momentum"])
    if not way.nesterov:
        sheet.down("w' = w - η·v'", velocity[0])
        return
    ahead = sheet.plus("look ahead", "u = d + μ·v'", gradient, share, velocity[0])
    sheet.down("w' = w - η·u", ahead[0])


def _adamw(sheet: Sheet, way: Way, memory: Mapping[str, float]) -> None:
    g, beta1, beta2 = sheet.gradient, way.momentum, BETA2
    steps = memory["steps"] + 1
    if way.decay:
        sheet.down("w₁ = w - η·λ·w", way.decay * sheet.weight, "weight decay")
    mean = beta1 * memory["mean"] + (1 - beta1) * g
    square = beta2 * memory["square"] + (1 - beta2) * g * g
    sheet.line(
        "mean",
        "m' = β₁·m + (1 - β₁)·g",
        f"{beta1:g} × {few(memory['mean'])} + {1 - beta1:.6g} × {few(g)} ≈ {few(mean)}",
        mean,
    )
    sheet.line(
        "square",
        "s' = β₂·s + (1 - β₂)·g²",
        f"{beta2:g} × {few(memory['square'])} + {1 - beta2:.6g} × ({few(g)})² ≈ {few(square)}",
        square,
    )
    unbiased = mean / (1 - beta1**steps)
    usual = math.sqrt(square / (1 - beta2**steps))
    direction = unbiased / (usual + ADAM_EPSILON)
    sheet.line(
        "direction",
        "u = m'/(1 - β₁ᵗ) / (√(s'/(1 - β₂ᵗ)) + ε)",
        f"{few(unbiased)} / ({few(usual)} + {ADAM_EPSILON:g}) ≈ {few(direction)}",
        direction,
    )
    sheet.down(f"w' = {'w₁' if way.decay else 'w'} - η·u", direction)


def _decimals(changes: list[float]) -> int:
    """So many that the smallest change that counts shows four digits."""
    sizes = [abs(change) for change in changes if change]
    return min(MOST_DECIMALS, decimals_for([min(sizes)])) if sizes else 4
