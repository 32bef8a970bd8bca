"""Loss and accuracy of a network on images as they are, for the curves.

The loss is the mean cross-entropy in nats, without label smoothing; the accuracy a share 0..1.
Of several labels the loss is the mean of the binary ones, and a photo is right where all its labels
are (`train.goal`).
Nothing is chosen by these numbers.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor, nn

from seethrough.data.dataset import Dataset
from seethrough.model.mode import place_of
from seethrough.train.events import Watched
from seethrough.train.goal import goal_of, torch_targets
from seethrough.train.parallel import ALONE, World

_BATCH = 128  # images of 32 px and less; of larger ones as many as have as many pixels, or 16


@dataclass(frozen=True, slots=True)
class Score:
    """What a network reaches on a set of images; None where there are none, or no number."""

    loss: float | None
    accuracy: float | None


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Every layer in evaluation mode and no gradients inside; as it was after."""
    was_training = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in was_training:
            module.training = mode


def score(
    network: nn.Module,
    dataset: Dataset,
    index: Int64[np.ndarray, " m"],
    *,
    should_stop: Callable[[], bool],
    world: World = ALONE,
    batch: int | None = None,
) -> Score | None:
    """Loss and accuracy on the images at `index`; None where `should_stop` cut it short.

    Those who train together judge a share of the batches each, and know the same afterwards.
    """
    if not len(index):
        return Score(None, None)
    batch = batch or together(dataset.image_px)
    count = -(-len(index) // batch)
    own, rows, goal = world.own(count), [], goal_of(network)
    device, _ = place_of(network)
    with evaluating(network):
        for turn in range(world.turns(count)):
            if should_stop():
                return None
            if turn < len(own):
                chosen = index[own[turn] * batch : (own[turn] + 1) * batch]
                labels = torch_targets(dataset, chosen).to(device)
                logits = goal.logits(network, pixels(dataset, chosen).to(device))
                loss = goal.plain_loss(logits, labels).double().item()
                rows.append((loss, float(goal.right(logits, labels).sum())))
    losses, rights = world.rows(rows, count, 2).T.tolist()
    mean, correct = sum(losses) / len(index), int(sum(rights))
    return Score(mean if math.isfinite(mean) else None, correct / len(index))


def together(image_px: int) -> int:
    """How many images are judged at once: so few that a stop need not wait for long."""
    return max(16, min(_BATCH, _BATCH * 32**2 // image_px**2))


def watch(network: nn.Module, dataset: Dataset, watched: Sequence[int]) -> tuple[Watched, ...]:
    """What the network says of each followed image; one without finite shares is left out."""
    if not watched:
        return ()
    chosen, goal = np.asarray(watched, dtype=np.int64), goal_of(network)
    device, _ = place_of(network)
    with evaluating(network):
        logits = goal.logits(network, pixels(dataset, chosen).to(device))
        shares = goal.probabilities(logits).tolist()
    return tuple(
        Watched(
            index=int(index),
            label=goal.named(row, dataset.classes),
            probabilities=tuple(row),
        )
        for index, row in zip(watched, shares, strict=True)
        if all(map(math.isfinite, row))
    )


def pixels(dataset: Dataset, index: Int64[np.ndarray, " m"]) -> Tensor:
    """The images at `index` as n c h w uint8, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(dataset.images[index])).permute(0, 3, 1, 2)
