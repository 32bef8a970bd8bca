"""The gradient of one weight by trying it: finite differences, against what autograd says.

    ∂loss/∂w ≈ (loss(w + h) − loss(w − h)) / 2h

On a copy in float64, for steps h that shrink by 10: the error of the formula shrinks by 100 each
time, until the rounding of the losses is larger. Where the loss has a corner between w − h and
w + h (a relu that opens, a maximum that changes hands: `learning.kink`) the two may differ; smaller
steps step over fewer, and `Trial.kinks` counts those that were stepped over.

The shown digits follow from each other exactly: the losses have 15, the shown slope is what the
shown losses give, and `shown_apart` is the shown slope minus the shown gradient.

Source of the formula and of its error: Abramowitz and Stegun, 25.3.21.
"""

import copy
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from seethrough.errors import LayerError
from seethrough.explain.place import check_index
from seethrough.explain.rounding import show
from seethrough.explain.truth import truth_of
from seethrough.learning.breath import Breath, breathing, go_on
from seethrough.learning.kink import crossed, sides
from seethrough.model.mode import evaluating
from seethrough.model.several import logits_of
from seethrough.predict.probabilities import Ending

POWERS = (2, 3, 4, 5)  # steps of 10^−2 … 10^−5
DIGITS = 15  # of a loss; a float64 has at least as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One step to both sides."""

    step: float
    loss_above: float
    loss_below: float
    slope: float  # (above − below) / 2 steps
    kinks: int  # cells of relu, max and their like that change sides between below and above
    shown_step: str
    shown_above: str
    shown_below: str
    shown_slope: str
    shown_gradient: str
    shown_apart: str  # slope − gradient


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientCheck:
    """One weight's gradient, computed and tried."""

    name: str
    index: tuple[int, ...]
    weight: float
    gradient: float  # autograd's, in float64
    trials: tuple[Trial, ...]
    relative_difference: float  # of the best trial, relative to the larger of both; 0 if both are

    def __str__(self) -> str:
        place = ", ".join(map(str, self.index))
        rows = [("h", "loss at w - h", "loss at w + h", "slope", "- autograd")]
        rows += [
            (one.shown_step, one.shown_below, one.shown_above, one.shown_slope, one.shown_apart)
            for one in self.trials
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"{self.name} {place} moved: slope = (loss at w + h - loss at w - h) / 2h"]
        for row, trial in zip(rows, (None, *self.trials), strict=True):
            cells = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
            lines.append("  " + "  ".join(cells) + (_noted(trial.kinks) if trial else ""))
        lines.append(f"autograd, in float64: {self.gradient:.10g}")
        lines.append(f"relative difference of the best: {self.relative_difference:.1e}")
        return "\n".join(lines)


def gradient_check(
    module: nn.Module,
    image: UInt8[np.ndarray, "h w 3"],
    label: int | Collection[int],
    name: str,
    *index: int,
    ending: Ending = Ending.LOGITS,
    breath: Breath = go_on,
) -> GradientCheck:
    """Try one number of the parameter `name`, as in conv1.weight. Raises LayerError without it.

    `breath` is called between the layers; what it raises ends the check.
    """
    own = copy.deepcopy(module).double()
    parameters = dict(own.named_parameters())
    if name not in parameters:
        raise LayerError(
            f"There is no weight {name[:80]!r}.",
            why="no layer has it.",
            fix=f"choose one of: {', '.join(parameters)}.",
        )
    check_index(name, index, parameters[name].shape)
    parameter = parameters[name].requires_grad_()
    pixels = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float64))[None]

    def loss() -> Tensor:
        said: Tensor = logits_of(own)(pixels.to(parameter.device))
        truth = truth_of(own, label, said.shape[1])
        if ending is Ending.PROBABILITIES:
            return truth.loss_of_probabilities(said)
        return truth.loss(said)

    with evaluating(own), breathing(own, breath):
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(loss(), [parameter])
        gradient = float(slope[index])
        with torch.no_grad():
            trials = tuple(_trial(loss, parameter, index, power, gradient) for power in POWERS)
    return GradientCheck(
        name=name,
        index=index,
        weight=float(parameter.detach()[index]),
        gradient=gradient,
        trials=trials,
        relative_difference=min(_apart(gradient, trial.slope) for trial in trials),
    )


def _trial(
    loss: Callable[[], Tensor],
    parameter: Tensor,
    index: tuple[int, ...],
    power: int,
    gradient: float,
) -> Trial:
    step, weight = float(f"1e-{power}"), float(parameter[index])
    found = []
    for moved in (weight - step, weight + step):
        parameter[index] = moved
        with sides() as each:
            found.append((float(loss()), each))
    parameter[index] = weight
    (below, one), (above, other) = found
    return Trial(
        step=step,
        loss_above=above,
        loss_below=below,
        slope=(above - below) / (2 * step),
        kinks=crossed(one, other),
        **_shown(below, above, power, gradient),
    )


def _shown(below: float, above: float, power: int, gradient: float) -> dict[str, str]:
    """1 / 2h is 5 · 10^(power − 1): a slope has that many digits fewer behind the point."""
    size = max(abs(below), abs(above), 1.0)
    whole = math.floor(math.log10(size)) if math.isfinite(size) else 0
    decimals = max(power, DIGITS - 1 - whole)
    losses = show(below, decimals), show(above, decimals)
    known = show(gradient, decimals - power + 1)
    slope = apart = "nan"
    if all(map(math.isfinite, (below, above, gradient))):
        exact = (Decimal(losses[1]) - Decimal(losses[0])) * 5 * 10 ** (power - 1)
        slope = _plain(exact, decimals - power + 1)
        apart = _plain(Decimal(slope) - Decimal(known), decimals - power + 1)
    return {
        "shown_step": f"{10**-power:.{power}f}",
        "shown_below": losses[0],
        "shown_above": losses[1],
        "shown_slope": slope,
        "shown_gradient": known,
        "shown_apart": apart,
    }


def _plain(number: Decimal, decimals: int) -> str:
    return f"{number + 0:.{decimals}f}"  # + 0: a zero has no sign


def _noted(kinks: int) -> str:
    return f"  {kinks} {'corner' if kinks == 1 else 'corners'} between" if kinks else ""


def _apart(one: float, other: float) -> float:
    size = max(abs(one), abs(other))
    return abs(one - other) / size if size else 0.0
