"""The training loop: a generator of events.

    loss = cross-entropy of the logits with smoothed labels, mean over the batch (`train.loss`)
    weights change by gradient descent, one step a batch, learning rate by the one-cycle schedule

The same machine, versions, threads, data and recipe give the same weights, bit for bit, and so
does a training that was stopped after any step and resumed from its snapshot.
A loss or a gradient that is not finite never reaches the weights or the running statistics: the
step is not taken and its loss is None. Three such steps in a row raise TrainingDiverged.
The network is trained in place, in channels-last memory order. Where the recipe averages weights,
the network has the averaged ones whenever it is judged or kept, and at the end.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import nn

from seethrough.data.dataset import Dataset, Split
from seethrough.errors import TrainingDiverged
from seethrough.train import evaluation
from seethrough.train.abandon import Abandoned, hearing
from seethrough.train.batches import Batches, ahead
from seethrough.train.events import (
    Done,
    EpochEnd,
    Event,
    MomentDue,
    Remark,
    Snapshot,
    Started,
    Step,
    Stopped,
    TrainState,
)
from seethrough.train.goal import check_goal
from seethrough.train.learner import LEARNING, Learner
from seethrough.train.moments import Plan
from seethrough.train.moments import plan as moments_of
from seethrough.train.pace import Pace
from seethrough.train.parallel import ALONE, World
from seethrough.train.place import Place, exact
from seethrough.train.precision import computing
from seethrough.train.recipe import Precision, Recipe
from seethrough.train.schedule import learning_rate
from seethrough.train.shrink import check_small
from seethrough.train.whiten import PHOTOS, whiten

_GROWN = 2.0  # times the smallest of the newest losses: then it grew before it was no number
_BAD_STEPS = 3  # in a row without a number before training gives up


def never() -> bool:
    """Nobody asks to stop."""
    return False


def as_planned(step: int) -> float:
    """Nobody turns the learning rate."""
    return 1.0


def train(
    network: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    *,
    place: Place | None = None,
    resume: TrainState | None = None,
    should_stop: Callable[[], bool] = never,
    watched: Sequence[int] = (),
    pace: Pace | None = None,
    rate_factor: Callable[[int], float] = as_planned,
    world: World = ALONE,
) -> Iterator[Event]:
    """Train `network` in place and say what happens.

    `rate_factor` is asked before every step, with its number, for what the learning rate of the
    schedule is multiplied by.
    `should_stop` is asked after every step, within long ones and within evaluations, and once it
    said yes is not asked again; a stop keeps a snapshot of the last step that was taken.
    With `resume`, goes on from a snapshot of the same network, data, recipe and pace.
    In a `world` of several all do this at once; what the first one resumes, all resume.
    """
    batches, place = _fitting(network, dataset, recipe), place or Place()
    network.to(place.device)
    if recipe.whiten:
        whiten(network, batches.some(PHOTOS))
    learner = _ready(Learner(network, recipe, world), resume, world)
    learner.class_weights = batches.class_weights()
    kept = moments_of(learner.judged(), per_epoch=len(batches.sizes), epochs=recipe.epochs)
    seen, stop = tuple(watched), _latched(lambda: world.agreed(should_stop()))
    learner.should_stop = stop if world.size == 1 else None  # several agree between their steps
    course = _Course(learner, batches, seen, stop, pace or Pace(), kept, rate_factor, world)
    with exact(place), _brought_back(network):
        if learner.step == 0:
            yield course.started()
            untrained = course.epoch_end()
            if untrained is None:  # stopped before anything was learned: nothing to keep
                yield course.stopped()
                return
            yield from course.begun(untrained)
        while learner.epoch < recipe.epochs:
            yield from course.epoch()
            if learner.epoch < recipe.epochs and course.should_stop():
                learner.settle()
                yield course.stopped()
                return
        learner.settle()
        yield Done(step=learner.step, epoch=learner.epoch, elapsed_s=learner.elapsed_s())


def _fitting(network: nn.Module, dataset: Dataset, recipe: Recipe) -> Batches:
    """The batches, if the network can learn from them."""
    batches = Batches.of(dataset, recipe)
    check_goal(network, dataset)
    check_small(network, recipe, dataset.image_px)
    return batches


@contextmanager
def _brought_back(network: nn.Module) -> Iterator[None]:
    """The network lies in the machine's own memory again, however its training ends."""
    try:
        yield
    finally:
        network.to("cpu")


def _ready(learner: Learner, resume: TrainState | None, world: World) -> Learner:
    """Where it goes on; in a world of several all are where the first one is."""
    if resume is not None:
        learner.restore(resume)
    if world.size > 1:
        learner.restore(world.state(learner.state()))
    return learner


def _latched(should_stop: Callable[[], bool]) -> Callable[[], bool]:
    """`should_stop`, which stays at yes once it said so."""
    said_yes = False

    def ask() -> bool:
        nonlocal said_yes
        said_yes = said_yes or should_stop()
        return said_yes

    return ask


@dataclass(frozen=True, slots=True)
class _Course:
    """A learner on its way through the batches."""

    learner: Learner
    batches: Batches
    watched: tuple[int, ...]
    should_stop: Callable[[], bool]
    pace: Pace
    moments: Plan
    rate_factor: Callable[[int], float]
    world: World

    def started(self) -> Started:
        """What will happen."""
        dataset, recipe = self.batches.dataset, self.batches.recipe
        return Started(
            epochs=recipe.epochs,
            steps=recipe.epochs * len(self.batches.sizes),
            images=len(self.batches.index),
            test_images=len(dataset.indices(Split.TEST)),
            classes=dataset.classes,
            watched=self.watched,
        )

    def stopped(self) -> Stopped:
        """Where training was stopped."""
        learner = self.learner
        return Stopped(step=learner.step, epoch=learner.epoch, elapsed_s=learner.elapsed_s())

    def begun(self, untrained: EpochEnd) -> Iterator[Event]:
        """What is said and kept before the first step."""
        yield untrained
        yield from self.remarks()
        yield from self.moment()
        self.learner.begin_epoch()

    def remarks(self) -> Iterator[Remark]:
        """What is worth knowing before the first step."""
        recipe, loaded = self.batches.recipe, self.batches.dataset.image_px
        small = [one for one in range(1, recipe.epochs + 1) if recipe.side(one, loaded) != loaded]
        if small:
            side = recipe.side(1, loaded)
            yield Remark(
                text=f"The first {len(small)} of {recipe.epochs} epochs learn from photos shrunk "
                f"from {loaded} to {side} px; all are judged at {loaded} px."
            )

    def epoch(self) -> Iterator[Event]:
        """The steps that are left of the epoch under way, its end, and a snapshot."""
        learner, per_epoch = self.learner, len(self.batches.sizes)
        yield from self._steps()
        if learner.step == 0:  # stopped within the first one: there is nothing to keep
            return
        if not learner.is_finite():
            raise _diverged(learner)
        with learner.in_use():
            if learner.step == (learner.epoch + 1) * per_epoch:
                learner.epoch += 1
                finished = self.epoch_end()
                if finished is None:  # stopped while evaluating: the resumed run evaluates again
                    learner.epoch -= 1
                else:
                    yield finished
                    learner.begin_epoch()
            with learner.clock("saving"):  # the time that whoever reads the events takes for it
                yield Snapshot(state=learner.state())

    def moment(self) -> Iterator[MomentDue]:
        """The network after the newest step, if this is a moment to keep."""
        learner, moments = self.learner, self.moments
        if learner.step not in moments.steps or not learner.is_finite():
            return
        state = learner.judged()
        yield MomentDue(
            step=learner.step,
            epoch=-(-learner.step // len(self.batches.sizes)),
            tensors={name: state[name].detach().to("cpu", copy=True) for name in moments.names},
            is_whole=moments.is_whole,
        )

    def _steps(self) -> Iterator[Step | MomentDue | Remark]:
        learner, recipe = self.learner, self.batches.recipe
        per_epoch = len(self.batches.sizes)
        epoch = learner.epoch + 1
        taken = learner.step - learner.epoch * per_epoch
        learner.network.train()
        shares = self.pace.in_epoch(epoch)
        feed = ahead(self.batches.epoch(epoch, skip=taken, part=learner.part))
        with closing(feed):
            for count in self.batches.sizes[taken:]:
                with learner.clock("input"):
                    images, labels = next(feed)
                lr = learning_rate(learner.step + 1, recipe.epochs * per_epoch, recipe)
                lr *= self.world.same(self.rate_factor(learner.step + 1))
                at_once = learner.micro_batch
                is_last = learner.step + 1 == epoch * per_epoch
                try:
                    loss = learner.learn(
                        images, labels, lr, shares, is_measured=is_last, count=count
                    )
                except Abandoned:
                    return
                if learner.micro_batch != at_once:
                    yield _divided(learner)
                yield Step(
                    step=learner.step, epoch=epoch, loss=loss, lr=lr, elapsed_s=learner.elapsed_s()
                )
                yield from self.moment()
                if learner.bad_in_a_row >= _BAD_STEPS:
                    raise _diverged(learner)
                if self.should_stop():
                    return

    def _judged_in(self) -> AbstractContextManager[object]:
        """Untrained and at the end in the numbers in which it is used, else as it learns."""
        recipe = self.batches.recipe
        is_between = 0 < self.learner.epoch < recipe.epochs
        precision = recipe.precision if is_between else Precision.FLOAT32
        return computing(precision, self.learner.device.type)

    def epoch_end(self) -> EpochEnd | None:
        """The epoch in numbers; None where a stop cut the evaluation short."""
        learner, dataset = self.learner, self.batches.dataset
        with learner.clock("evaluation"), self._judged_in():
            try:
                with nullcontext() if self.world.size > 1 else hearing(self.should_stop):
                    test = evaluation.score(
                        learner.network,
                        dataset,
                        dataset.indices(Split.TEST),
                        should_stop=self.should_stop,
                        world=self.world,
                    )
                    watched = evaluation.watch(learner.network, dataset, self.watched)
            except Abandoned:
                return None
            if test is None:
                return None
        seconds = sum(learner.time_s[phase] for phase in LEARNING)
        is_whole = learner.seen > 0 and not learner.bad
        return EpochEnd(
            epoch=learner.epoch,
            step=learner.step,
            train_loss=learner.loss_sum / learner.seen if is_whole else None,
            train_accuracy=learner.correct / learner.seen if is_whole else None,
            test_loss=test.loss,
            test_accuracy=test.accuracy,
            images_per_second=learner.seen / seconds if seconds else None,
            image_px=self.batches.recipe.side(learner.epoch, dataset.image_px),
            elapsed_s=learner.elapsed_s(),
            time_s=dict(learner.time_s),
            kernels=_first_kernels(learner.network),
            watched=watched,
            layers=learner.motion.layers(),
        )


def _first_kernels(network: nn.Module) -> Float32[np.ndarray, "units channels rows columns"] | None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            return module.weight.detach().to("cpu", torch.float32).numpy().copy(order="C")
    return None


def _divided(learner: Learner) -> Remark:
    return Remark(
        text=f"Memory was short at step {learner.step}: from there on batches are computed "
        f"{learner.micro_batch} photos at a time, the same photos in the same order. With batch "
        "normalisation the weights differ from those of whole batches."
    )


def _diverged(learner: Learner) -> TrainingDiverged:
    why, fix = _cause(learner)
    return TrainingDiverged(
        f"The loss stopped being a number at step {learner.step}.",
        why=why,
        fix=f"{fix}.",
    )


def _cause(learner: Learner) -> tuple[str, str]:
    """The likely cause and a way out, by the losses before."""
    peak = learner.recipe.peak_lr
    smaller = f"train with a smaller one, such as peak_lr={peak / 4:g}"
    losses = learner.losses
    if learner.step == learner.bad_in_a_row:
        return (
            "not one step gave a number: it is the network itself, its code or the weights that "
            "it began with, rather than the learning rate.",
            "look for a division, a logarithm or a root of its own that can meet zero",
        )
    if len(losses) > 1 and losses[-1] <= _GROWN * min(losses):
        return (
            f"the loss was {losses[-1]:.3g} just before, no larger than usual: one batch was too "
            f"much for the network, or the learning rate, which peaks at {peak}, too high.",
            smaller,
        )
    grew = f" from {min(losses):.3g} to {losses[-1]:.3g}" if len(losses) > 1 else ""
    return (
        f"the updates grew without limit, and the loss with them{grew}; the learning rate peaks "
        f"at {peak}.",
        smaller,
    )
