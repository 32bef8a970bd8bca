"""Which learning rates a network can bear: a range test on a network that is thrown away.

    rate_t = lowest · (highest / lowest)^(t / (steps − 1))          t = 0 … steps − 1
    smoothed_t = 0.9 · smoothed_(t−1) + 0.1 · loss_t, divided by 1 − 0.9^(t + 1)

Every step takes the next rate, a constant factor above the one before, until the smoothed loss is
four times the smallest one so far, or no number. The loss falls fastest at `steepest`; where it
`diverged`, steps are too long, and a tenth of that is the most that one would try. The smaller of
the two is suggested: batch normalisation bears rates at which nothing is learned any more.
Source: Smith, "Cyclical learning rates for training neural networks" (2015), arXiv:1506.01186,
section 3.3, with the loss instead of the accuracy and with rates that grow by a factor.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from seethrough.data.dataset import Dataset
from seethrough.train.abandon import Abandoned
from seethrough.train.batches import Batches
from seethrough.train.learner import Learner
from seethrough.train.place import Place, exact
from seethrough.train.recipe import Recipe

LOWEST, HIGHEST, STEPS = 1e-5, 10.0, 100
_KEPT = 0.9  # share of the smoothed loss that a step keeps
_TOO_MUCH = 4.0  # times the smallest smoothed loss
_SETTLED = 5  # steps before which the smoothed loss is mostly the noise of one batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One step at one rate."""

    rate: float
    loss: float | None  # of its batch, in nats, before the step; None: no number
    smoothed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What the trials say; None where they do not."""

    steepest: float | None  # where the smoothed loss falls fastest; None: it never fell
    diverged: float | None  # the rate at which the test ended; None: every rate was borne
    suggested: float | None  # a peak: `steepest`, or a tenth of `diverged` where that is less


def trials(
    network: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    *,
    place: Place | None = None,
    steps: int = STEPS,
    should_stop: Callable[[], bool] = bool,
) -> Iterator[Trial]:
    """One trial a step, the last one where it diverges; `network` is of no use afterwards.

    Batches, optimizer and variation are the recipe's. Raises RecipeError as training does.
    """
    place = place or Place()
    batches, learner = Batches.of(dataset, recipe), Learner(network.to(place.device), recipe)
    learner.class_weights = batches.class_weights()
    learner.should_stop = should_stop
    average, smallest, step = 0.0, math.inf, 0
    with exact(place):
        network.train()
        for epoch in range(1, steps + 1):  # an epoch has a step or more
            for images, labels in batches.epoch(epoch):
                rate = LOWEST * (HIGHEST / LOWEST) ** (step / (steps - 1))
                try:
                    loss = learner.learn(images, labels, rate)
                except Abandoned:
                    return
                step += 1
                if loss is None:
                    yield Trial(rate=rate, loss=None, smoothed=None)
                    return
                average = _KEPT * average + (1 - _KEPT) * loss
                smoothed = average / (1 - _KEPT**step)
                yield Trial(rate=rate, loss=loss, smoothed=smoothed)
                smallest = min(smallest, smoothed)
                if smoothed > _TOO_MUCH * smallest or step == steps or should_stop():
                    return


def found(tried: Sequence[Trial]) -> Rates:
    """What trials that went to their end say."""
    losses = [trial.smoothed for trial in tried if trial.smoothed is not None]
    steepest = diverged = None
    lowest = int(np.argmin(losses)) if losses else 0
    if lowest > _SETTLED:
        slopes = np.gradient(losses[_SETTLED : lowest + 1])
        if slopes.min() < 0:
            steepest = tried[_SETTLED + int(slopes.argmin())].rate
    if tried and (tried[-1].smoothed is None or tried[-1].smoothed > _TOO_MUCH * losses[lowest]):
        diverged = tried[-1].rate
    known = [rate for rate in (steepest, diverged and diverged / 10) if rate is not None]
    return Rates(
        steepest=steepest,
        diverged=diverged,
        suggested=min(known) if known else None,
    )
