"""A small network and a training of it on one thread, for tests of what a recipe adds."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from seethrough.data.dataset import Dataset
from seethrough.model.build import build
from seethrough.model.spec import parse
from seethrough.train.events import Event, Snapshot, Step
from seethrough.train.loop import train
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

NORMALISED = "conv 4 k3 p1, norm, relu, maxpool 3, conv 6 k3, relu, flatten, dense"
PLAIN = "conv 4 k3 p1, relu, maxpool 3, conv 6 k3, relu, flatten, dense"


def network(photos: Dataset, text: str = NORMALISED, *, seed: int = 0) -> nn.Sequential:
    """Untrained, for the photos."""
    mean, std = photos.mean_std()
    spec = parse(text, image_px=photos.image_px)
    return build(spec, num_classes=len(photos.classes), mean=mean, std=std, seed=seed)


def learn(module: nn.Module, photos: Dataset, recipe: Recipe, **options: Any) -> Iterator[Event]:
    """A training on one thread."""
    return train(module, photos, recipe, place=Place(threads=1), **options)


def stopped_after(number: int, photos: Dataset, recipe: Recipe) -> list[Event]:
    """The events of a training that is asked to stop after so many steps."""
    seen: list[Event] = []

    def is_enough() -> bool:
        return sum(isinstance(event, Step) for event in seen) >= number

    for event in learn(network(photos), photos, recipe, should_stop=is_enough):
        seen.append(event)
    return seen


def last_state(seen: list[Event]) -> Mapping[str, Tensor]:
    """The tensors of the last snapshot."""
    return [event.state.tensors for event in seen if isinstance(event, Snapshot)][-1]


def digest(tensors: Mapping[str, Tensor]) -> str:
    """One number for all bits of all tensors."""
    content = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        content.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return content.hexdigest()
