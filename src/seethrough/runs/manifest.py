"""run.json: what a run is, written once when it is created.

    schema       2, or 3 where a CSV says the labels; 1 is read as well, a newer one is refused
    id, created  the run's name; when, ISO 8601 in UTC
    dataset      what was learned from: source, fingerprint, classes, counts, problems, notes
    network      name, image_px, kind, text; of code also its layers, of the user's code its source
    recipe       everything that changes the result
    environment  versions, processor, threads: what else bit-identical weights depend on
    start        null, or the run whose weights it begins with
    edited       null, or the run whose network it is, and what was changed in it by hand
    watched      positions in the data set of the test images that the log follows

What happened afterwards stands in the log.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seethrough.data.split import Split
from seethrough.errors import RunError
from seethrough.model.shapes import LayerSize
from seethrough.train.recipe import Recipe

SCHEMA = 3
_OF_FOLDERS = 2  # says all where folders say the classes: older versions read it too
FILE = "run.json"
KINDS = ("layers", "ready", "reference", "hf")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCount:
    """Images of one class in every split."""

    label: str
    train: int
    validation: int
    test: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that was found and could not be used."""

    path: str
    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """The images a run learns from, without their pixels."""

    name: str
    source: str
    fingerprint: str
    image_px: int
    classes: tuple[str, ...]
    counts: tuple[SplitCount, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    plan: Mapping[str, float]  # test, validation, seed: how undivided images were divided
    labels: str | None = None  # absolute path of the CSV that says them; None: the folders do
    is_several: bool = False  # an image has any number of labels
    images: tuple[int, int, int] | None = None  # train, validation, test; None: each has one label

    def num_images(self, split: Split) -> int:
        """How many images a split has."""
        if self.images is not None:
            return self.images[split]
        each = {Split.TRAIN: "train", Split.VALIDATION: "validation", Split.TEST: "test"}[split]
        return sum(getattr(count, each) for count in self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """The network: its text, or the code that makes it.

    kind      text                                   layers, source, source_sha256
    layers    the layers in one line                 what the text says; none
    ready     the name of a ready network            as measured; none
    reference the function that the user named       as measured; the file with it
    hf        hf:OWNER/NAME@REVISION, or hf:/folder  as measured; its configuration
    """

    name: str
    image_px: int
    text: str
    kind: str = "layers"
    layers: tuple[LayerSize, ...] = ()
    source: str | None = None
    source_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where weights are from that were learned elsewhere, and what they expect of a photo."""

    revision: str | None  # the commit; None: a folder on the disk
    licence: str | None  # as its card names it; None: nobody says
    mean: tuple[float, float, float]  # of pixel / 255, red, green, blue
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The weights that a run begins with, where not with untrained ones."""

    run: str  # that learned them; they lie in start.safetensors
    weights_sha256: str
    head: tuple[str, ...]  # weights that begin anew; none where the classes are the same
    first_share: float  # of the epochs, in which only these learn
    smallest: float  # share of the learning rate that the first layer gets afterwards
    published: Published | None = None  # of weights that were not learned here


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A network that was not trained but changed by hand; its weights: edited.safetensors."""

    run: str  # whose network it was
    step: int | None  # of the moment that was changed; None: its newest weights
    weights_sha256: str  # before the change
    changes: tuple[str, ...]  # a sentence each


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All of run.json."""

    id: str
    created: str
    dataset: DatasetFacts
    network: NetworkFacts
    recipe: Recipe
    environment: Mapping[str, str]
    watched: tuple[int, ...]
    start: Start | None = None
    edited: Edited | None = None

    def to_bytes(self) -> bytes:
        """The file's content."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        schema = _OF_FOLDERS if self.dataset.labels is None else SCHEMA
        content: dict[str, Any] = {"schema": schema, **fields}
        content["dataset"] = dataclasses.asdict(self.dataset)
        if schema == _OF_FOLDERS:
            for name in ("labels", "is_several", "images"):
                del content["dataset"][name]
        content["network"] = dataclasses.asdict(self.network)
        content["recipe"] = self.recipe.to_dict()
        content["start"] = None if self.start is None else dataclasses.asdict(self.start)
        if self.start is not None and self.start.published is None:
            del content["start"]["published"]
        if self.edited is None:
            del content["edited"]
        else:
            content["edited"] = dataclasses.asdict(self.edited)
        return json.dumps(content, ensure_ascii=False, indent=1).encode()


def read(folder: Path) -> Manifest:
    """The manifest of the run in `folder`."""
    return parsed(raw(folder), folder)


def parsed(content: Mapping[str, Any], folder: Path) -> Manifest:
    """The manifest whose file has this content; errors name the folder."""
    stored = dict(content)
    stored.pop("schema")
    try:
        dataset = dict(stored.pop("dataset"))
        dataset["classes"] = tuple(dataset["classes"])
        dataset["counts"] = tuple(SplitCount(**count) for count in dataset["counts"])
        dataset["problems"] = tuple(Problem(**problem) for problem in dataset["problems"])
        dataset["notes"] = tuple(dataset["notes"])
        if dataset.get("images") is not None:
            train, validation, test = dataset["images"]
            dataset["images"] = (train, validation, test)
        network = dict(stored.pop("network"))
        if network.get("kind", KINDS[0]) not in KINDS:
            raise ValueError(f"its network is of the kind {network['kind']!r}")
        network["layers"] = tuple(
            LayerSize(**{**layer, "shape": tuple(layer["shape"])})
            for layer in network.get("layers", ())
        )
        start, edited = stored.pop("start", None), stored.pop("edited", None)
        return Manifest(
            start=None if start is None else _start(start),
            edited=None
            if edited is None
            else Edited(**{**edited, "changes": tuple(edited["changes"])}),
            dataset=DatasetFacts(**dataset),
            network=NetworkFacts(**network),
            recipe=Recipe.from_dict(stored.pop("recipe")),
            watched=tuple(stored.pop("watched")),
            **stored,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder, f"{error}") from error


def _start(stored: Mapping[str, Any]) -> Start:
    published = stored.get("published")
    if published is not None:
        colours = {name: tuple(map(float, published[name])) for name in ("mean", "std")}
        published = Published(**{**published, **colours})
    return Start(**{**stored, "head": tuple(stored["head"]), "published": published})


def raw(folder: Path) -> dict[str, Any]:
    """run.json as plain values, of a schema that this program knows."""
    try:
        stored = json.loads((folder / FILE).read_bytes())
    except FileNotFoundError:
        raise RunError(
            f"{folder} holds no run.",
            why=f"there is no {FILE} in it.",
            fix="give the folder that `seethrough train` made; `seethrough runs` lists them.",
        ) from None
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"{error}") from error
    if not isinstance(stored, dict) or not isinstance(stored.get("schema"), int):
        raise _damaged(folder, "it has no schema number")
    if stored["schema"] > SCHEMA:
        raise RunError(
            f"The run {folder.name} was written by a newer Seethrough.",
            why=f"its schema is {stored['schema']}, and this version reads up to {SCHEMA}.",
            fix="install the newer version.",
        )
    return stored


def _damaged(folder: Path, why: str) -> RunError:
    return RunError(
        f"{folder / FILE} cannot be read.",
        why=f"{why}.",
        fix="restore the file from a copy, or delete the folder and train again.",
    )
