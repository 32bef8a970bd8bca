"""Photos with several labels: a red square, a blue disc, a green bar, in any combination.

Each has its place by chance, on grey noise; later ones may lie over earlier ones a little. A small
network tells them nearly without a mistake after a few seconds.
"""

import csv
import itertools
from pathlib import Path

import numpy as np
from PIL import Image

from seethrough.data.dataset import Dataset
from seethrough.data.split import SplitPlan, assign_several

LABELS = ("blue disc", "green bar", "red square")
NETWORK = (
    "conv 8 k3 p1, norm, relu, maxpool 2, conv 12 k3 p1, norm, relu, maxpool 8, flatten, dense"
)
PX = 16


def drawn(own: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One photo with these of the labels, 0 or 1 each."""
    photo = random.integers(90, 150, (PX, PX, 3)).astype(np.uint8)
    rows, columns = np.mgrid[0:PX, 0:PX]
    top, left = random.integers(0, PX - 6, 2)
    if own[0]:
        photo[(rows - top - 3) ** 2 + (columns - left - 3) ** 2 <= 9] = (20, 40, 230)
    if own[1]:
        column = int(random.integers(0, PX - 2))
        photo[:, column : column + 2] = (20, 210, 40)
    if own[2]:
        top, left = random.integers(0, PX - 5, 2)
        photo[top : top + 5, left : left + 5] = (230, 30, 20)
    return photo


def table(count: int) -> np.ndarray:
    """All eight combinations in turn, so that some photos have no label and some have three."""
    combinations = np.array(list(itertools.product((0, 1), repeat=3)), dtype=np.uint8)
    return combinations[np.arange(count) % 8]


def shapes(count: int, *, seed: int = 0, plan: SplitPlan | None = None) -> Dataset:
    """As many photos, in memory only."""
    random = np.random.default_rng(seed)
    labels, plan = table(count), plan or SplitPlan(test=0.25)
    ids = random.integers(0, 2**63, count, dtype=np.uint64)
    return Dataset(
        name="shapes",
        source="nowhere",
        fingerprint="1" * 64,
        image_px=PX,
        classes=LABELS,
        images=np.stack([drawn(own, random) for own in labels]),
        labels=labels,
        splits=assign_several(labels, ids, plan),
        ids=ids,
        paths=tuple(f"{number:04}.png" for number in range(count)),
        sizes=np.full((count, 2), PX, dtype=np.int32),
        problems=(),
        notes=(),
        plan=plan,
        labels_file="nowhere.csv",
    )


def written(folder: Path, count: int, *, seed: int = 0, columns: bool = False) -> Path:
    """The same photos as files, and the CSV beside their folder; its path."""
    photos = folder / "photos"
    photos.mkdir(parents=True)
    dataset = shapes(count, seed=seed)
    place = folder / "labels.csv"
    with place.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["file", *LABELS] if columns else ["file", "labels"])
        for number, (name, image) in enumerate(zip(dataset.paths, dataset.images, strict=True)):
            Image.fromarray(image).save(photos / name)
            own = dataset.shown(number)
            lines.writerow([name, *dataset.labels[number]] if columns else [name, "|".join(own)])
    return place
