"""A short training that is recorded on one thread, and its undisturbed run."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.train.tinted import tinted

from seethrough.data.dataset import Dataset
from seethrough.model.spec import parse
from seethrough.runs.creation import create
from seethrough.runs.folder import Run
from seethrough.runs.record import record
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

PLACE = Place(threads=1)


@pytest.fixture(scope="session")
def photos() -> Dataset:
    """40 training images, 3 steps an epoch, and 9 test images."""
    return tinted(40, 9)


@pytest.fixture
def photo_folder(photos: Dataset, tmp_path: Path) -> Path:
    """The same images as files, one folder a class."""
    for path, image in zip(photos.paths, photos.images, strict=True):
        place = tmp_path / "photos" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place)
    return tmp_path / "photos"


@pytest.fixture
def make_run(photos: Dataset, tmp_path: Path) -> Callable[..., Run]:
    """Creates a run of 3 epochs, 9 steps."""

    def make(*, runs_dir: Path | None = None, place: Place = PLACE, **changes: object) -> Run:
        recipe = dataclasses.replace(
            Recipe(epochs=3, batch=16, peak_lr=0.05, shift_px=1, seed=4), **changes
        )
        spec = parse("conv 4 k3 p1, norm, relu, maxpool 3, flatten, dense", image_px=12)
        return create(photos, spec, recipe, runs_dir=runs_dir or tmp_path / "runs", place=place)

    return make


@pytest.fixture
def go(photos: Dataset) -> Callable[..., list[dict]]:
    """Records a run to its end, or until `stop_after` more steps were taken; its new lines."""

    def record_all(run: Run, *, stop_after: int | None = None, place: Place = PLACE) -> list[dict]:
        seen: list[dict] = []

        def should_stop() -> bool:
            taken = sum(line["kind"] == "step" for line in seen)
            return stop_after is not None and taken >= stop_after

        for line in record(run, dataset=photos, place=place, should_stop=should_stop):
            seen.append(line)
        return seen

    return record_all


@pytest.fixture
def finished(make_run: Callable[..., Run], go: Callable[..., list[dict]]) -> Run:
    """A run that nobody disturbed."""
    run = make_run()
    go(run)
    return run
