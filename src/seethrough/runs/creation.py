"""A new run: everything is checked, then a folder with its run.json is made.

Raises ShapeError where the network does not fit the images, RecipeError where the recipe cannot
train on them, StorageError where the folder cannot be made. Nothing is left behind then.
"""

import dataclasses
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import nn

from seethrough.data.dataset import Dataset, Split
from seethrough.errors import RecipeError, ShapeError, StorageError
from seethrough.model.coded import ModuleSpec, Network, Origin
from seethrough.model.make import make
from seethrough.model.recorded import measured
from seethrough.model.shapes import LayerSize
from seethrough.model.spec import to_text
from seethrough.runs import consent, durable, manifest, names, process
from seethrough.runs.folder import Run, default_runs_dir
from seethrough.runs.manifest import (
    DatasetFacts,
    Edited,
    Manifest,
    NetworkFacts,
    Problem,
    SplitCount,
    Start,
)
from seethrough.runs.start import FILE as START
from seethrough.runs.start import Source
from seethrough.runs.start import begun as begin
from seethrough.train.batches import Batches
from seethrough.train.device import is_here, name_of
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe
from seethrough.train.shrink import check_small
from seethrough.version import __version__

_WATCHED = 8

# One step's forward multiply-adds. Below it a second thread made the demo a fifth quicker on
# idle cores, and ten times slower beside a browser (2 cores, torch 2.13.0; docs/experiments.md).
_SMALL_STEP = 1_000_000_000


def create(
    dataset: Dataset,
    spec: Network,
    recipe: Recipe,
    *,
    runs_dir: Path | None = None,
    place: Place | None = None,
    start: Run | Source | None = None,
) -> Run:
    """A new run, waiting to be recorded; it begins with the weights of `start`, if that is given.

    The code of a network that is a function of the user's own is imported, and noted as theirs.
    """
    if start is not None and recipe.whiten:
        raise RecipeError(
            f"whiten=true does not go with the weights of {start.id}.",
            why="it would put other kernels into the first convolution.",
            fix="leave one of the two out.",
        )
    if start is None:
        return keep(dataset, spec, recipe, runs_dir=runs_dir, place=place)
    checked(dataset, spec, recipe)
    source = Source.of_run(start) if isinstance(start, Run) else start
    begun, weights = begin(source, spec, dataset.classes)
    return keep(
        dataset, spec, recipe, runs_dir=runs_dir, place=place, start=begun, files={START: weights}
    )


def keep(
    dataset: Dataset,
    spec: Network,
    recipe: Recipe,
    *,
    runs_dir: Path | None = None,
    place: Place | None = None,
    start: Start | None = None,
    edited: Edited | None = None,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Run:
    """A new run with these files beside its manifest, which says what they are."""
    sizes = checked(dataset, spec, recipe)
    runs_dir = (runs_dir or default_runs_dir()).expanduser().absolute()
    place = place or suitable_place(sizes, recipe)
    ground, watched = environment(place), _watched(dataset)
    if isinstance(spec, ModuleSpec) and spec.origin is Origin.HF:
        ground["transformers"] = version("transformers")
    folder = _new_folder(runs_dir)
    made = Manifest(
        id=folder.name,
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
        dataset=_facts(dataset),
        network=_network(spec, sizes),
        recipe=recipe,
        environment=ground,
        watched=watched,
        start=start,
        edited=edited,
    )
    try:
        for name, content in files.items():
            durable.write(folder / name, content)
        process.made(folder)
        durable.write(folder / manifest.FILE, made.to_bytes())
        durable.sync_folder(runs_dir)
    except StorageError:
        for name in files:
            (folder / name).unlink(missing_ok=True)
        process.unmade(folder)
        folder.rmdir()
        raise
    return Run(folder, made)


def untrained(dataset: Dataset, network: Network, recipe: Recipe) -> nn.Sequential:
    """The network of a run before its first step: weights by the seed, pixels by these images."""
    mean, std = dataset.mean_std()
    return make(
        network,
        num_classes=len(dataset.classes),
        mean=mean,
        std=std,
        seed=recipe.seed,
        is_several=dataset.is_several,
    )


def _facts(dataset: Dataset) -> DatasetFacts:
    return DatasetFacts(
        name=dataset.name,
        source=dataset.source,
        fingerprint=dataset.fingerprint,
        image_px=dataset.image_px,
        classes=dataset.classes,
        counts=_counts(dataset),
        problems=tuple(
            Problem(path=each.path, what=each.what, why=each.why, fix=each.fix)
            for each in dataset.problems
        ),
        notes=dataset.notes,
        plan=dataclasses.asdict(dataset.plan),
        labels=dataset.labels_file,
        is_several=dataset.is_several,
        images=_images(dataset) if dataset.is_several else None,
    )


def _images(dataset: Dataset) -> tuple[int, int, int]:
    train, validation, test = (len(dataset.indices(split)) for split in Split)
    return train, validation, test


def train_images(dataset: Dataset) -> int:
    """How many images a network would learn from."""
    return len(dataset.indices(Split.TRAIN))


def suitable_place(sizes: Sequence[LayerSize], recipe: Recipe) -> Place:
    """One thread where a step is small, else as many as torch chose.

    A function of network and recipe alone: the same command gives the same bits, whatever else
    the machine is doing.
    """
    return Place(threads=1 if is_small_step(sizes, recipe) else None)


def is_small_step(sizes: Sequence[LayerSize], recipe: Recipe) -> bool:
    """Whether so little is multiplied in a step that beginning it counts as much."""
    return recipe.batch * sum(size.multiply_adds for size in sizes) < _SMALL_STEP


def recorded_place(environment: Mapping[str, str]) -> Place:
    """Where a run goes on: where it began, as far as there is such a card and so many threads."""
    device = environment.get("device", "cpu")
    device = device if is_here(device) else "cpu"
    recorded = environment.get("threads", "")
    here = torch.get_num_threads()
    threads = min(int(recorded), here) if recorded.isdigit() and int(recorded) else here
    return Place(device=device, threads=threads)


def environment(place: Place) -> dict[str, str]:
    """What bit-identical weights depend on beside seed, data and recipe."""
    return {
        "seethrough": __version__,
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "platform": platform.platform(),
        "cpu": _processor(),
        "device": place.device,
        "threads": str(place.num_threads()),
        **({"card": name_of(place.device)} if place.device != "cpu" else {}),
    }


def checked(dataset: Dataset, spec: Network, recipe: Recipe) -> tuple[LayerSize, ...]:
    """The network's layers, if it can learn from these images; raises as `create` does."""
    sizes = measured(spec, len(dataset.classes), is_several=dataset.is_several)
    Batches.of(dataset, recipe)
    if spec.image_px != dataset.image_px:
        raise ShapeError(
            f"The network takes {spec.image_px} px images and these have {dataset.image_px} px.",
            why="its dense layers count the cells of one image size.",
            fix=f"load the images with image_px={spec.image_px}, or give the network theirs.",
        )
    if recipe.shift_px >= dataset.image_px:
        raise RecipeError(
            f"shift_px={recipe.shift_px} does not suit images of {dataset.image_px} px.",
            why="nothing of the image would be left.",
            fix=f"write a number from 0 to {dataset.image_px - 1}, such as shift_px=2.",
        )
    if recipe.small_px:
        check_small(untrained(dataset, spec, recipe), recipe, dataset.image_px)
    return sizes


def _network(spec: Network, sizes: tuple[LayerSize, ...]) -> NetworkFacts:
    if not isinstance(spec, ModuleSpec):
        return NetworkFacts(name=spec.name, image_px=spec.image_px, text=to_text(spec))
    if spec.origin is Origin.REFERENCE:
        consent.note(spec)
    return NetworkFacts(
        name=spec.name,
        image_px=spec.image_px,
        text=spec.text,
        kind=spec.origin.value,
        layers=sizes,
        source=spec.source,
        source_sha256=spec.source_sha256,
    )


def _new_folder(runs_dir: Path) -> Path:
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        for name in names.candidates():
            folder = runs_dir / name
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise durable.refused(runs_dir, 0, error) from error
    raise AssertionError("candidates never end")


def _counts(dataset: Dataset) -> tuple[SplitCount, ...]:
    table = np.zeros((len(dataset.classes), len(Split)), dtype=np.int64)
    if dataset.is_several:
        for split in Split:
            table[:, split] = dataset.labels[dataset.indices(split)].sum(axis=0)
    else:
        np.add.at(table, (dataset.labels, dataset.splits), 1)
    return tuple(
        SplitCount(
            label=label,
            train=int(row[Split.TRAIN]),
            validation=int(row[Split.VALIDATION]),
            test=int(row[Split.TEST]),
        )
        for label, row in zip(dataset.classes, table, strict=True)
    )


def _watched(dataset: Dataset) -> tuple[int, ...]:
    """Up to eight test images, the classes in turn; chosen by content, not by file name."""
    test = dataset.indices(Split.TEST)
    test = test[np.argsort(dataset.ids[test], kind="stable")]
    of_class = [test[dataset.having(label)[test]] for label in range(len(dataset.classes))]
    longest = max((len(each) for each in of_class), default=0)
    turns = [int(each[turn]) for turn in range(longest) for each in of_class if turn < len(each)]
    return tuple(dict.fromkeys(turns))[:_WATCHED]  # each once, also with several labels


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
