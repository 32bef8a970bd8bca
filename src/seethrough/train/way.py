"""Which way every parameter of a network is moved: by which rule, and with which numbers.

SGD, AdamW   every parameter alike; weight decay pulls on kernels (two or more dimensions) alone
Muon         kernels between the first and the last; those two and all that is no kernel follow
             AdamW, or with `ends_lr` and `bias_lr` SGD, at rates and with a momentum of their own

At those rates all of them are pulled towards 0, biases too: λ = rest_decay / rate, so that a step
at the peak takes off `rest_decay` of a weight whatever its rate is.
Source of both: Jordan (2024), kellerjordan.github.io/posts/muon, and the recipe for CIFAR-10 that
he published beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from seethrough.train.recipe import Optimizer, Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a parameter is moved."""

    optimizer: Optimizer
    momentum: float  # β₁ of AdamW
    nesterov: bool
    decay: float  # λ
    rate: float = 1.0  # times the learning rate of the step
    is_unit: bool = False  # Muon: brought back to one length before every step


def ways(axes: Mapping[str, int], recipe: Recipe) -> dict[str, Way]:
    """Of all parameters, given by their number of dimensions in the order of the network."""
    kernels = [name for name, number in axes.items() if number >= 2]
    inner = set(kernels[1:-1]) if recipe.optimizer is Optimizer.MUON else set()
    return {
        name: _inner(recipe) if name in inner else _other(recipe, is_kernel=number >= 2)
        for name, number in axes.items()
    }


def _inner(recipe: Recipe) -> Way:
    return Way(
        optimizer=Optimizer.MUON,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        decay=recipe.weight_decay,
        is_unit=recipe.unit_kernels,
    )


def _other(recipe: Recipe, *, is_kernel: bool) -> Way:
    is_muon = recipe.optimizer is Optimizer.MUON
    own = recipe.ends_lr if is_kernel else recipe.bias_lr
    if own:  # beside Muon only, as the recipe sees to
        return Way(
            optimizer=Optimizer.SGD,
            momentum=recipe.rest_momentum,
            nesterov=recipe.nesterov and recipe.rest_momentum > 0,
            decay=recipe.rest_decay / own,
            rate=own / recipe.peak_lr,
        )
    return Way(
        optimizer=Optimizer.ADAMW if is_muon else recipe.optimizer,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
        decay=recipe.weight_decay if is_kernel else 0.0,
    )
