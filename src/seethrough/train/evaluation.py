"""Loss and accuracy of a network on images as they are, for the curves.

The loss is the mean cross-entropy in nats, without label smoothing; the accuracy a share 0..1.
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
from torch.nn import functional

from seethrough.data.dataset import Dataset
from seethrough.train.events import Watched

_BATCH = 512


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
) -> Score | None:
    """Loss and accuracy on the images at `index`; None where `should_stop` cut it short."""
    if not len(index):
        return Score(None, None)
    loss, correct = 0.0, 0
    with evaluating(network):
        for start in range(0, len(index), _BATCH):
            if should_stop():
                return None
            chosen = index[start : start + _BATCH]
            labels = torch.from_numpy(dataset.labels[chosen].astype(np.int64))
            logits = network(pixels(dataset, chosen))
            loss += functional.cross_entropy(logits, labels, reduction="sum").double().item()
            correct += int((logits.argmax(1) == labels).sum())
    mean = loss / len(index)
    return Score(mean if math.isfinite(mean) else None, correct / len(index))


def watch(network: nn.Module, dataset: Dataset, watched: Sequence[int]) -> tuple[Watched, ...]:
    """What the network says of each followed image; one without finite shares is left out."""
    if not watched:
        return ()
    chosen = np.asarray(watched, dtype=np.int64)
    with evaluating(network):
        shares = network(pixels(dataset, chosen)).double().softmax(1).tolist()
    return tuple(
        Watched(
            index=int(index),
            label=dataset.classes[max(range(len(row)), key=row.__getitem__)],
            probabilities=tuple(row),
        )
        for index, row in zip(watched, shares, strict=True)
        if all(map(math.isfinite, row))
    )


def pixels(dataset: Dataset, index: Int64[np.ndarray, " m"]) -> Tensor:
    """The images at `index` as n c h w uint8, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(dataset.images[index])).permute(0, 3, 1, 2)
