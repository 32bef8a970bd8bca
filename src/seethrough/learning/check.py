"""The gradient of one weight by trying it: finite differences, against what autograd says.

    ∂loss/∂w ≈ (loss(w + h) − loss(w − h)) / 2h

On a copy in float64, for steps h that shrink by 10: the error of the formula shrinks by 100 each
time, until the rounding of the losses is larger. Where the loss has a kink between w − h and w + h
(a relu that opens, a maximum that changes hands) the two differ; smaller steps step over fewer.

Source of the formula and of its error: Abramowitz and Stegun, 25.3.21.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import nn
from torch.nn.functional import cross_entropy

from seethrough.errors import LayerError
from seethrough.explain.place import check_index
from seethrough.model.mode import evaluating

STEPS = (1e-2, 1e-3, 1e-4, 1e-5)


@dataclass(frozen=True, slots=True)
class Trial:
    """One step to both sides."""

    step: float
    loss_above: float
    loss_below: float
    difference: float  # (above − below) / 2 steps


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
        lines = [f"{self.name} {place}: gradient {self.gradient:.10g}"]
        lines += [f"  h = {trial.step:g}: {trial.difference:.10g}" for trial in self.trials]
        lines.append(f"  relative difference of the best: {self.relative_difference:.1e}")
        return "\n".join(lines)


def gradient_check(
    module: nn.Module, image: UInt8[np.ndarray, "h w 3"], label: int, name: str, *index: int
) -> GradientCheck:
    """Try one number of the parameter `name`, as in conv1.weight. Raises LayerError without it."""
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

    def loss() -> torch.Tensor:
        return cross_entropy(own(pixels), torch.tensor([label]))

    with evaluating(own):
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(loss(), [parameter])
        with torch.no_grad():
            weight, trials = float(parameter[index]), []
            for step in STEPS:
                parameter[index] = weight + step
                above = float(loss())
                parameter[index] = weight - step
                below = float(loss())
                trials.append(Trial(step, above, below, (above - below) / (2 * step)))
                parameter[index] = weight
    gradient = float(slope[index])
    return GradientCheck(
        name=name,
        index=index,
        weight=weight,
        gradient=gradient,
        trials=tuple(trials),
        relative_difference=min(_apart(gradient, trial.difference) for trial in trials),
    )


def _apart(one: float, other: float) -> float:
    size = max(abs(one), abs(other))
    return abs(one - other) / size if size else 0.0
