"""What keeping moments costs: their share of the training time, and their room on the disk.

    python -m benchmarks.moments

A moment is copied, packed and appended, and the file is made durable at each checkpoint, as while a
run is recorded; the median of some rounds counts. The training's seconds are those of `forecast`.
"""

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.machine import description
from seethrough.data.dataset import Dataset
from seethrough.data.load import load
from seethrough.model.make import make
from seethrough.model.presets import asked_for
from seethrough.runs.moments import MomentFile
from seethrough.runs.past import packed
from seethrough.train.events import MomentDue
from seethrough.train.forecast import forecast
from seethrough.train.learner import Learner
from seethrough.train.moments import Plan, plan
from seethrough.train.recipe import DEMO, Recipe

ROUNDS = 7
NETWORKS = (
    ("demo", DEMO),
    ("cifar-small", DEMO),
    ("resnet-18", dataclasses.replace(DEMO, batch=64)),
)


def measured(name: str, recipe: Recipe, dataset: Dataset) -> Iterator[str]:
    """One row of the table."""
    mean, std = dataset.mean_std()
    spec = asked_for(name, dataset.image_px)
    network = make(spec, num_classes=len(dataset.classes), mean=mean, std=std, seed=0)
    learner = Learner(network, recipe)
    said = forecast(network, dataset, recipe)
    per_epoch = -(-said.images // recipe.batch)
    found = plan(learner.judged(), per_epoch=per_epoch, epochs=recipe.epochs)
    moment_s, sync_s, size = _costs(learner, found)
    whole_s = said.total_s(recipe.epochs)
    kept_s = len(found.steps) * moment_s + recipe.epochs * sync_s
    yield f"{name}, {dataset.image_px} px"
    yield f"{sum(each.numel() for each in network.parameters()):,}"
    yield "all" if found.is_whole else f"{len(found.names)} tensors"
    yield f"{len(found.steps)} of {per_epoch * recipe.epochs:,} steps"
    yield f"{1000 * moment_s:.2f} ms"
    yield f"{len(found.steps) * size / 1e6:.1f} MB"
    yield f"{whole_s:.0f} s"
    yield f"{100 * kept_s / whole_s:.2f} %"


def _costs(learner: Learner, found: Plan) -> tuple[float, float, int]:
    """Median seconds of a moment and of a sync, and the bytes of a moment."""
    moments, syncs, size = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        file = MomentFile(Path(folder), keep=0)
        for step in range(ROUNDS):
            start = time.perf_counter()
            learner.is_finite()
            state = learner.judged()
            tensors = {name: state[name].detach().clone() for name in found.names}
            content = packed(
                MomentDue(step=step, epoch=1, tensors=tensors, is_whole=found.is_whole)
            )
            file.append(content)
            moments.append(time.perf_counter() - start)
            start = time.perf_counter()
            file.sync()
            syncs.append(time.perf_counter() - start)
            size = len(content)
        file.close()
    return statistics.median(moments), statistics.median(syncs), size


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(description(), "\n")
    print("| network | weights | kept | moments | one takes | on the disk | training | share |")
    print("|---|---|---|---|---|---|---|---|")
    dataset = load("everyday", image_px=32)
    for name, recipe in NETWORKS:
        print("|", " | ".join(measured(name, recipe, dataset)), "|")


if __name__ == "__main__":
    main()
