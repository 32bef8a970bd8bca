"""What two runs were told differently, and what each of them cost; from their manifests alone.

recipe     each field of the recipe; the step by which it was judged is no setting
network    its text, its size, the weights that it began with
photos     where they come from, how many of what, the fingerprint
machine    what else bit-identical weights depend on: versions, processor, threads
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from seethrough.data.split import Split
from seethrough.runs.folder import Run
from seethrough.runs.manifest import DatasetFacts, Manifest

Value = float | int | str | bool | None
Subject = Literal["recipe", "network", "photos", "machine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting in which two runs differ; None: that run does not know it."""

    subject: Subject
    name: str
    first: Value
    second: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a training took."""

    train_seconds: float
    epochs: int  # finished
    train_images: int  # in an epoch
    parameters: int
    multiply_adds: int  # of one photo, forwards


def differing(first: Manifest, second: Manifest) -> tuple[Setting, ...]:
    """Every setting in which they differ, the recipe's first."""
    settings = []
    for subject in ("recipe", "network", "photos", "machine"):
        one, other = (dict(_of(manifest, subject)) for manifest in (first, second))
        settings += [
            Setting(subject=subject, name=name, first=one.get(name), second=other.get(name))
            for name in dict.fromkeys([*one, *other])
            if one.get(name) != other.get(name)
        ]
    return tuple(settings)


def cost(run: Run) -> Cost:
    """As the run stands now."""
    summary, sizes = run.summary, run.sizes
    return Cost(
        train_seconds=summary.train_seconds,
        epochs=summary.epoch,
        train_images=run.manifest.dataset.num_images(Split.TRAIN),
        parameters=sum(size.parameters for size in sizes),
        multiply_adds=sum(size.multiply_adds for size in sizes),
    )


def _of(manifest: Manifest, subject: Subject) -> Iterator[tuple[str, Value]]:
    if subject == "recipe":
        yield from manifest.recipe.to_dict().items()
    elif subject == "network":
        yield "network", manifest.network.text
        yield "image_px", manifest.network.image_px
        yield "begins with", None if manifest.start is None else manifest.start.run
        if manifest.edited is not None:
            yield "changed by hand", "; ".join(manifest.edited.changes)
    elif subject == "photos":
        yield from _photos(manifest.dataset)
    else:
        yield from manifest.environment.items()


def _photos(facts: DatasetFacts) -> Iterator[tuple[str, Value]]:
    yield "source", facts.source
    if facts.labels is not None:
        yield "labels", facts.labels
    yield "classes", ", ".join(facts.classes)
    yield "train", facts.num_images(Split.TRAIN)
    yield "test", facts.num_images(Split.TEST)
    yield "fingerprint", facts.fingerprint[:12]
