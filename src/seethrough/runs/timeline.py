"""A run's test photos at every moment of it, one moment after the other.

Which photos: those that the log watches, then as many of each class, in the order of the data set,
so many that their features at all moments fit into memory. The choice depends on the run alone.
Raises RunError where no whole moments were kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, UInt8
from torch import nn

from seethrough.data.dataset import Dataset, Split
from seethrough.explain.sighting import Sighting, Sights, sighting, sights
from seethrough.explain.timeline import Timeline, num_photos, timeline
from seethrough.model.mode import one_thread
from seethrough.runs import past
from seethrough.runs.folder import Run
from seethrough.runs.several import one_label
from seethrough.train.moments import MOST


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """The photos that are sent through every moment, and what to look for in the network."""

    photos: tuple[int, ...]  # their numbers in the data set
    images: UInt8[np.ndarray, "n h w 3"]
    labels: Int64[np.ndarray, " n"]
    names: Sights


def followed(run: Run, dataset: Dataset) -> Followed:
    """Chosen from the test photos, or, where there are none, from the training photos."""
    one_label(run, "A timeline")
    module = past.classifier_at(run, past.first(run).step).module
    with one_thread():
        names = sights(module, np.array(dataset.images[0]))
    photos = _chosen(run, dataset, num_photos(names.num_features, MOST))
    return Followed(
        photos=tuple(photos),
        images=np.ascontiguousarray(dataset.images[photos]),
        labels=dataset.labels[photos].astype(np.int64),
        names=names,
    )


def seen(module: nn.Module, photos: Followed) -> Sighting:
    """All of them through the network as it was at one moment."""
    with one_thread():
        return sighting(module, photos.images, photos.names)


def joined(steps: Sequence[int], sightings: Sequence[Sighting], photos: Followed) -> Timeline:
    """What became of them, from one sighting for each step."""
    return timeline(steps, sightings, photos.names, photos.photos, photos.labels)


def of(run: Run) -> Timeline:
    """The whole timeline of a run, as far as it has come."""
    photos = followed(run, run.dataset())
    found = [(moment.step, seen(module, photos)) for moment, module in past.modules(run)]
    steps, sightings = zip(*found, strict=True)
    return joined(steps, sightings, photos)


def _chosen(run: Run, dataset: Dataset, most: int) -> list[int]:
    test = dataset.indices(Split.TEST)
    index = test if len(test) else dataset.indices(Split.TRAIN)
    classes = [index[dataset.labels[index] == label] for label in range(len(dataset.classes))]
    turns = [int(own[place]) for place in range(most) for own in classes if place < len(own)]
    return sorted(dict.fromkeys([*run.manifest.watched, *turns][:most]))
