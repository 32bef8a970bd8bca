"""One step of a training on a whole batch: what every weight changed by, and which photo pulled.

    g  = gradient of the mean loss over the batch     as training computes it (`train.learner`)
    w' = w − learning rate · u                        u from g by the recipe's own optimizer

`update` takes the change of one number apart, `pulls` its gradient, photo by photo. Raises
LayerError for a number that is not there.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from seethrough.explain.place import check_index
from seethrough.learning.batch import Batch
from seethrough.learning.breath import Breath, breathing, go_on
from seethrough.learning.change import Array, learned, taken_apart
from seethrough.learning.meeting import Meeting, met
from seethrough.learning.muon import MuonKernel
from seethrough.learning.pull import Pulls, divided
from seethrough.learning.update import Update
from seethrough.model.mode import one_thread
from seethrough.train.learner import Learner
from seethrough.train.place import Place, exact
from seethrough.train.recipe import Recipe
from seethrough.train.way import Way


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeat:
    """A batch and a network, to compute the same loss and the same gradients again."""

    network: nn.Module  # as it was before the step; never changed
    recipe: Recipe
    class_weights: Tensor | None
    micro_batch: int
    place: Place

    def loss(self, batch: Batch, network: nn.Module, breath: Breath = go_on) -> float | None:
        """Of a batch, with the weights of this network; None: no number."""
        learner = Learner(copy.deepcopy(network), replace(self.recipe, ema=0.0))
        with breathing(learner.network, breath):
            return self._learned(learner, batch)

    def meeting(self, batch: Batch, module: str, breath: Breath) -> Meeting:
        """What a module of the network meets in this batch."""
        learner = Learner(copy.deepcopy(self.network), replace(self.recipe, ema=0.0))
        with breathing(learner.network, breath), met(learner.network, module) as meeting:
            self._learned(learner, batch)
        return meeting

    def _learned(self, learner: Learner, batch: Batch) -> float | None:
        """A step in which nothing moves, with the random numbers of the batch's own."""
        learner.class_weights, learner.micro_batch = self.class_weights, self.micro_batch
        learner.step = batch.step - 1
        nothing = {name: 0.0 for name, _ in learner.network.named_parameters()}
        with one_thread(), exact(self.place):
            learner.network.train()
            return learner.learn(batch.images, batch.targets, 0.0, nothing)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BatchStep:
    """What one step changed; parameters are named as in the network's state dict."""

    recipe: Recipe
    ways: Mapping[str, Way]  # how every parameter that learns is moved
    learning_rate: float
    batch: Batch
    loss: float  # of the batch, as training counts it: varied photos, smoothed labels
    loss_after: float | None  # of the same batch with the new weights; None: no number
    weights: Mapping[str, Array]
    gradients: Mapping[str, Array]
    memory: Mapping[str, Array]  # of the optimizer before the step: conv1.weight.momentum, …
    new_weights: Mapping[str, Array]
    new_memory: Mapping[str, Array]
    repeat: Repeat
    meetings: dict[str, Meeting] = field(default_factory=dict)  # of the module asked for last
    kernels: dict[str, MuonKernel] = field(default_factory=dict)  # the one asked for last

    def update(self, name: str, *index: int) -> Update:
        """The change of one number: its name as in conv1.weight, its place in that array."""
        return taken_apart(self, name, index, share=self.batch.shares.get(name, 1.0))

    def pulls(self, name: str, *index: int, breath: Breath = go_on) -> Pulls:
        """The gradient of one number as the sum of what each photo of the batch adds to it."""
        check_index(name, index, learned(self, name).shape)
        module, _, parameter = name.rpartition(".")
        if module not in self.meetings:
            self.meetings.clear()
            self.meetings[module] = self.repeat.meeting(self.batch, module, breath)
        values = self.meetings[module].pulls(parameter, index, len(self.batch))
        framework = float(self.gradients[name][index])
        return divided(self.batch, name, index, values * self.batch.weights(), framework)

    def __repr__(self) -> str:
        after = "no number" if self.loss_after is None else f"{self.loss_after:.4f}"
        return f"BatchStep({self.batch}, loss {self.loss:.4f} → {after})"
