"""How long a training will take here, from a few of its steps on a network that nobody needs.

    epoch     = images · seconds of a step's image + test images · seconds of an evaluated image
    training  = epochs · (epoch + what is kept after it)    those of shrunk images measured alone
                + test images (untrained) and those of the report · evaluated

Where a whole batch would take too long, a part of it is measured; the parts get larger until one
takes long enough to be told from the clock's and the system's noise. Other programs on the same
cores later make a training slower than forecast; one that stalls a single step does not mislead: of
several steps the median counts. Nothing here has a share in a run's result.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from seethrough.data.dataset import MOST_TRAINED, Dataset, Split
from seethrough.model.mode import place_of
from seethrough.train.batches import Batches
from seethrough.train.evaluation import evaluating, pixels
from seethrough.train.learner import Learner
from seethrough.train.place import Place, exact
from seethrough.train.recipe import Recipe
from seethrough.train.shrink import check_small

BUDGET_S = 1.2  # for the steps that are measured
_PART_S = 0.2  # what one measured step may take
_SHARE = 0.05  # of the training that the measurement may take, where that is less than the budget
_LEAST = 3  # steps that are measured in any case
_SMALL = 2  # images of the first part
_EVALUATED = 256  # images of the forward pass that is measured
_KEPT_S = 0.03  # a checkpoint and the lines of the log, written to a disk after every epoch
_MOST_EPOCHS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What an image costs in this place, and how many there are."""

    images: int  # that are learned from
    test_images: int
    step_s: float  # seconds that an image takes in a step, reading and varying it included
    small_step_s: float | None = None  # of a shrunk one in the first epochs; None: there are none
    small_share: float = 0.0  # share of the epochs that are the first ones
    evaluation_s: float  # seconds that an image takes when the network is judged

    @property
    def epoch_s(self) -> float:
        """Seconds of an epoch of images as they are, its evaluation and checkpoint included."""
        return self.images * self.step_s + self.test_images * self.evaluation_s + _KEPT_S

    @property
    def saved_s(self) -> float:
        """Seconds by which an epoch of shrunk images is shorter."""
        return 0.0 if self.small_step_s is None else self.images * (self.step_s - self.small_step_s)

    @property
    def once_s(self) -> float:
        """Seconds that do not depend on the epochs: judging it untrained, and for the report."""
        trained = min(self.images, MOST_TRAINED)
        return (trained + 2 * self.test_images) * self.evaluation_s

    def total_s(self, epochs: int) -> float:
        """Seconds of a whole training."""
        small = int(self.small_share * epochs)
        return epochs * self.epoch_s - small * self.saved_s + self.once_s

    def epochs_in(self, minutes: float) -> int:
        """How many epochs come nearest to so many minutes, but at least one."""
        epoch_s = self.epoch_s - self.small_share * self.saved_s
        wanted = round((60 * minutes - self.once_s) / epoch_s)
        return min(_MOST_EPOCHS, max(1, wanted))


def forecast(
    network: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    *,
    place: Place | None = None,
    budget_s: float = BUDGET_S,
) -> Forecast:
    """Measure a few steps and a forward pass; `network` is trained a little and of no use after.

    Takes about `budget_s`, less where the training is short, more where two images take longer.
    """
    place = place or Place()
    network.to(place.device)
    batches = Batches.of(dataset, recipe)
    check_small(network, recipe, dataset.image_px)
    learner = Learner(network, recipe)
    learner.class_weights = batches.class_weights()
    in_all = recipe.epochs * len(batches.index)
    is_small = recipe.side(1, dataset.image_px) != dataset.image_px
    budget_s = budget_s / 2 if is_small else budget_s
    with exact(place):
        network.train()
        last, first = (_endless(batches, epoch) for epoch in (recipe.epochs + 1, 1))
        step_s, size = _learned(learner, last, in_all, budget_s)
        return Forecast(
            images=len(batches.index),
            test_images=len(dataset.indices(Split.TEST)),
            step_s=step_s,
            small_step_s=_learned(learner, first, in_all, budget_s)[0] if is_small else None,
            small_share=recipe.small_share if is_small else 0.0,
            evaluation_s=_evaluated(network, dataset, min(_EVALUATED, max(_SMALL, size))),
        )


def _endless(batches: Batches, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches as this epoch has them, without an end."""
    while True:
        yield from batches.epoch(epoch)


def _learned(
    learner: Learner,
    feed: Iterator[tuple[Tensor, Tensor]],
    images_in_all: int,
    budget_s: float,
) -> tuple[float, int]:
    """Seconds that an image takes in a step, and how many were learned from at once."""
    images, labels = next(feed)
    size, rough_s = _suitable(learner, images, labels)
    until = time.perf_counter() + min(budget_s, _SHARE * images_in_all * rough_s)
    read_s: list[float] = []  # of an image, as below
    learned_s: list[float] = []
    while len(learned_s) < _LEAST or time.perf_counter() < until:
        if size == len(images) or not learned_s:  # a part is learned again and again
            began = time.perf_counter()
            images, labels = next(feed)
            size = min(size, len(images))
            read_s.append((time.perf_counter() - began) / len(images))
        began = time.perf_counter()
        learner.learn(images[:size], labels[:size], learner.recipe.peak_lr / 100)
        learned_s.append((time.perf_counter() - began) / size)
    return statistics.median(read_s) + statistics.median(learned_s), size


def _suitable(learner: Learner, images: Tensor, labels: Tensor) -> tuple[int, float]:
    """How much of a batch is measured, and roughly how long an image of it takes; warms up."""
    size = min(_SMALL, len(images))
    while True:
        began = time.perf_counter()
        learner.learn(images[:size], labels[:size], 0.0)
        took = time.perf_counter() - began
        if size == len(images) or 4 * took > _PART_S:
            return size, took / size
        size = min(len(images), 4 * size)


def _evaluated(network: nn.Module, dataset: Dataset, count: int) -> float:
    """Seconds of an image in a forward pass, the better of two."""
    index = dataset.indices(Split.TRAIN)[:count]
    best, (device, _) = float("inf"), place_of(network)
    with evaluating(network):
        for _ in range(2):
            began = time.perf_counter()
            network(pixels(dataset, index).to(device)).argmax(1).sum().item()
            best = min(best, time.perf_counter() - began)
    return best / len(index)
