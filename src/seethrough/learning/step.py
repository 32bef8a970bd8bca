"""One step of learning on one photo, in slow motion: loss, gradients, update, loss again.

    g  = ∂loss/∂w                  loss as in `explain.truth`, by the network as it is in use
    w' = w − learning rate · u     u from g by the recipe's own optimizer

The step is taken on a copy, by the very code that trains (`train.optimizers`); the network that was
handed in stays as it is. Running means and variances of normalisation hold still, as they do while
the network is in use: a single photo says nothing about them.

`LearningStep.update` takes the change of one weight apart, line by line (`update`), and
holds it against the number that the framework computed. Raises LayerError as `backward` does,
and for a weight that is not there.
"""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from seethrough.explain.backward import Backward, backward
from seethrough.explain.trace import Trace, trace
from seethrough.learning.change import taken_apart
from seethrough.learning.muon import MuonKernel
from seethrough.learning.update import Update
from seethrough.model.mode import evaluating
from seethrough.model.several import logits_of
from seethrough.train.optimizers import Updates, updates_for
from seethrough.train.recipe import Recipe
from seethrough.train.way import Way
from seethrough.train.whiten import hold

Array = Float32[np.ndarray, "..."]
PLAIN = Recipe(peak_lr=0.01, momentum=0.0, nesterov=False, weight_decay=0.0)
NOTHING: Mapping[str, Tensor] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LearningStep:
    """What one step changed; parameters are named as in the network's state dict."""

    recipe: Recipe
    ways: Mapping[str, Way]  # how every parameter that learns is moved
    learning_rate: float
    before: Backward
    after: Trace
    loss_after: float
    weights: Mapping[str, Array]
    gradients: Mapping[str, Array]
    memory: Mapping[str, Array]  # of the optimizer before the step: conv1.weight.momentum, …
    new_weights: Mapping[str, Array]
    new_memory: Mapping[str, Array]
    kernels: dict[str, MuonKernel] = field(default_factory=dict)  # the one asked for last

    @property
    def loss(self) -> float:
        """Before the step."""
        return self.before.loss

    def update(self, name: str, *index: int) -> Update:
        """The change of one number: its name as in conv1.weight, its place in that array."""
        return taken_apart(self, name, index)

    def __repr__(self) -> str:
        return f"LearningStep(loss {self.loss:.4f} → {self.loss_after:.4f})"


def learning_step(
    module: nn.Module,
    image: UInt8[np.ndarray, "h w 3"],
    label: int | Collection[int],
    recipe: Recipe,
    *,
    learning_rate: float | None = None,
    memory: Mapping[str, Tensor] = NOTHING,
    classes: Sequence[str] = (),
) -> LearningStep:
    """Learn from one photo once, on a copy of the module; without a rate at the recipe's peak.

    `memory` is what the optimizer remembers (`Updates.tensors`); without it, the first step.
    """
    rate = recipe.peak_lr if learning_rate is None else learning_rate
    before = backward(module, image, label, classes=classes)
    own = copy.deepcopy(module)
    if recipe.whiten:
        hold(own)
    updates = updates_for(own, recipe)  # what the training holds still gets a gradient, and stays
    for parameter in own.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
        parameter.grad = None
    if memory:
        updates.restore(memory)
    pixels = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[None]
    with evaluating(own), torch.enable_grad():
        before.truth.loss(logits_of(own)(pixels)).backward()  # type: ignore[no-untyped-call]
    learned = [(name, p) for name, p in own.named_parameters() if p.grad is not None]
    weights = {name: _array(p) for name, p in learned}
    gradients = {name: _array(p.grad) for name, p in learned}
    kept = _memory(updates)
    updates.step(rate)
    after = trace(own, image, classes=classes)
    return LearningStep(
        recipe=recipe,
        ways=updates.ways,
        learning_rate=rate,
        before=before,
        after=after,
        loss_after=float(before.truth.loss(torch.from_numpy(after.logits).double()[None])),
        weights=weights,
        gradients=gradients,
        memory=kept,
        new_weights={name: _array(p) for name, p in learned},
        new_memory=_memory(updates),
    )


def _memory(updates: Updates) -> dict[str, Array]:
    return {name: _array(tensor) for name, tensor in updates.tensors()}


def _array(tensor: Tensor | None) -> Array:
    assert tensor is not None
    return np.array(tensor.detach().to("cpu", torch.float32).numpy(), order="C", copy=True)
