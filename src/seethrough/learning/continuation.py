"""A training that goes on, step by step, on a copy of its network.

Every step is taken by the code that trains (`train.learner`), on the batch that the run itself
takes next: its photos in its order, varied as its recipe says, with the statistics of the batch
where layers normalise, with its learning rate and what its optimizer remembers. Where it begins
with all that a run kept, the weights after a step are those that training itself gives, bit for
bit. After the last epoch it goes on with one more: the same order and variation, which are
functions of seed, epoch and photo, and the learning rate of the last step.

Nothing is written, and the network that was handed in stays as it is. Raises RecipeError as
training does, LayerError where the loss of a batch is no number.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor, nn

from seethrough.errors import LayerError
from seethrough.learning.batch import Batch
from seethrough.learning.batch_step import BatchStep, Repeat
from seethrough.learning.breath import Breath, breathing, go_on
from seethrough.learning.change import Array
from seethrough.model.mode import one_thread
from seethrough.train.batches import Batches
from seethrough.train.events import TrainState
from seethrough.train.learner import Learner
from seethrough.train.pace import Pace
from seethrough.train.place import Place, exact
from seethrough.train.schedule import learning_rate
from seethrough.train.whiten import hold


def as_planned(step: int) -> float:
    """The learning rate of the schedule, in every step."""
    return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a training goes on from, and how it goes there."""

    batches: Batches
    step: int  # steps that were taken
    state: TrainState | None = None  # None: the network's own weights, and nothing remembered
    is_whole: bool = False  # whether this is all that the run had after that step
    pace: Pace = field(default_factory=Pace)
    rate_factor: Callable[[int], float] = as_planned  # of each step, as the run was steered
    place: Place = field(default_factory=Place)

    @property
    def steps(self) -> int:
        """Of the whole run, by its recipe."""
        return self.batches.recipe.epochs * len(self.batches.sizes)


class Continuation:
    """A network while it learns on; `take` takes the next step."""

    def __init__(self, network: nn.Module, origin: Origin) -> None:
        """From this network, which is copied; with a state of the run, from that one."""
        self._origin, self._shown = origin, network
        own = copy.deepcopy(network)
        for parameter in own.parameters():
            parameter.requires_grad_(parameter.is_floating_point())
            parameter.grad = None
        recipe = origin.batches.recipe
        if recipe.whiten:
            hold(own)
        self._learner = Learner(own, recipe)
        self._learner.class_weights = origin.batches.class_weights()
        if origin.state is not None:
            self._learner.restore(origin.state)
        self._learner.step = origin.step
        self._is_exact = origin.is_whole
        self.losses: list[float] = []  # of the batches so far, each before its step

    @property
    def step(self) -> int:
        """Steps that were taken, those of the run included."""
        return self._learner.step

    @property
    def is_exact(self) -> bool:
        """Whether these are the very weights that the run has, or had, or will have here."""
        return self._is_exact and self.step <= self._origin.steps

    def planned_rate(self) -> float:
        """The learning rate that the run itself has in the next step."""
        steps, number = self._origin.steps, self.step + 1
        rate = learning_rate(min(number, steps), steps, self._origin.batches.recipe)
        return rate * self._origin.rate_factor(number)

    def next_batch(self) -> Batch:
        """The photos of the next step, as the run takes them."""
        batches = self._origin.batches
        recipe = batches.recipe
        finished, number = divmod(self.step, len(batches.sizes))
        epoch = finished + 1
        images, targets = next(iter(batches.epoch(epoch, skip=number)))
        return Batch(
            images=images,
            targets=targets,
            photos=batches.photos(epoch, number),
            is_mixed=recipe.mixup > 0 or recipe.cutmix > 0,
            step=self.step + 1,
            epoch=epoch,
            number=number + 1,
            of=len(batches.sizes),
            slices=recipe.slices,
            shares=self._origin.pace.in_epoch(epoch),
        )

    def take(self, learning_rate: float | None = None, *, breath: Breath = go_on) -> BatchStep:
        """The next step, at the run's own learning rate or this one.

        `breath` is called between the layers; what it raises ends the step, and this object.
        """
        learner, batch = self._learner, self.next_batch()
        learner.network.train()
        before = copy.deepcopy(learner.network)
        memory = {name: _array(tensor.clone()) for name, tensor in learner.updates.tensors()}
        rate = self.planned_rate() if learning_rate is None else learning_rate
        loss = self._learn(batch, learning_rate, breath)
        repeat = Repeat(
            network=before,
            recipe=learner.recipe,
            class_weights=learner.class_weights,
            micro_batch=learner.micro_batch,
            place=self._origin.place,
        )
        learned = [
            (name, p) for name, p in learner.network.named_parameters() if p.grad is not None
        ]
        old: Mapping[str, Tensor] = dict(before.named_parameters())
        return BatchStep(
            recipe=learner.recipe,
            ways=learner.updates.ways,
            learning_rate=rate,
            batch=batch,
            loss=loss,
            loss_after=repeat.loss(batch, learner.network, breath),
            weights={name: _array(old[name]) for name, _ in learned},
            gradients={name: _array(p.grad) for name, p in learned},
            memory=memory,
            new_weights={name: _array(p.clone()) for name, p in learned},
            new_memory={name: _array(each.clone()) for name, each in learner.updates.tensors()},
            repeat=repeat,
        )

    def skip(
        self, steps: int, learning_rate: float | None = None, *, breath: Breath = go_on
    ) -> None:
        """Take so many steps without telling of them."""
        for _ in range(steps):
            self._learner.network.train()
            self._learn(self.next_batch(), learning_rate, breath)

    def module(self) -> nn.Module:
        """The network as it is judged now, in evaluation mode: a copy."""
        module = copy.deepcopy(self._shown)
        module.load_state_dict(self._learner.judged())
        return module.eval()

    def _learn(self, batch: Batch, rate: float | None, breath: Breath) -> float:
        learner = self._learner
        own = self.planned_rate()
        self._is_exact = self.is_exact and rate in {None, own}
        with one_thread(), exact(self._origin.place), breathing(learner.network, breath):
            lr = own if rate is None else rate
            loss = learner.learn(batch.images, batch.targets, lr, batch.shares)
        if loss is None:
            raise LayerError(
                f"The loss of the batch of step {batch.step} is no number.",
                why="a weight or a gradient has grown beyond what a number holds; training leaves "
                "out such a step.",
                fix="take a smaller learning rate, or begin from other weights.",
            )
        self.losses.append(loss)
        return loss


def _array(tensor: Tensor | None) -> Array:
    """Shares its memory with the tensor where that is float32 already."""
    assert tensor is not None
    found: np.ndarray = tensor.detach().float().numpy()
    return found
