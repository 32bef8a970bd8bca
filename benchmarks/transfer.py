"""What weights learned on other classes are worth where photos are few.

The demo's network learns three classes of the built-in photos, then is asked to learn the three
others from 20 photos of each, once from nothing and once with `--from` the first run; the same
photos, epochs and recipe for both, other photos and other weights with every seed. Half of the
classes were never seen before; all test photos of these count.

Then all six classes from 20 photos of each, with `--from cifar10` and without. The shipped network
has learned these classes, from other photos: what it is worth for others is what the first half
shows, this is the most that it can be worth.
"""

import dataclasses
import math
import statistics
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from scipy.stats import t as student

import seethrough as see
from seethrough.data.builtin import builtin_path
from seethrough.train.recipe import Recipe

KNOWN = ("airplane", "automobile", "horse")
NEW = ("frog", "ship", "truck")
FEW = 20
TEST = 100  # photos of each class, so that the evaluations after each epoch stay short
SEEDS = 8
EPOCHS_BEFORE = 8
EPOCHS = 30
SHIPPED_SEEDS, SHIPPED_EPOCHS, SHIPPED_TEST = 5, 12, 50


def run(seeds: int = SEEDS) -> dict[str, Any]:
    """Accuracy on photos of the new classes, 0..1, with and without the other run's weights."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        unpack(folder / "known", KNOWN, range(1, 2001))
        recipe = Recipe(epochs=EPOCHS_BEFORE, batch=128, peak_lr=0.2, seed=0)
        runs = folder / "runs"
        source = see.train(see.load(folder / "known"), recipe=recipe, runs_dir=runs)
        scores: dict[str, list[float]] = {"from_nothing": [], "from_a_run": []}
        for seed in range(seeds):
            few = folder / f"few-{seed}"
            unpack(few, NEW, range(1 + FEW * seed, 1 + FEW * (seed + 1)))
            photos = see.load(few)
            small = Recipe.default_for(train_images=FEW * len(NEW), image_px=32, seed=seed)
            small = Recipe.from_dict({**small.to_dict(), "epochs": EPOCHS})
            for name, start in (("from_nothing", None), ("from_a_run", source)):
                done = see.train(photos, recipe=small, runs_dir=runs, start=start)
                scores[name].append(done.report.accuracy)
        known_accuracy = source.report.accuracy
    gains = [b - a for a, b in zip(scores["from_nothing"], scores["from_a_run"], strict=True)]
    low, high = interval(gains)
    return {
        "seeds": seeds,
        "accuracy_on_known_classes": known_accuracy,
        "mean_from_nothing": statistics.mean(scores["from_nothing"]),
        "mean_from_a_run": statistics.mean(scores["from_a_run"]),
        "mean_gain": statistics.mean(gains),
        "gain_low_95": low,
        "gain_high_95": high,
        "smallest_gain": min(gains),
        "seconds": time.perf_counter() - began,
    }


def interval(gains: list[float]) -> tuple[float, float]:
    """95 % of the mean of paired differences, by Student's t."""
    mean, half = statistics.mean(gains), 0.0
    if len(gains) > 1:
        error = statistics.stdev(gains) / math.sqrt(len(gains))
        half = float(student.ppf(0.975, len(gains) - 1)) * error
    return mean - half, mean + half


def run_shipped(seeds: int = SHIPPED_SEEDS) -> dict[str, Any]:
    """Accuracy on all six classes, 0..1: from nothing, twice, and with the shipped weights.

    The demo's network has the recipe that the program would choose, 60 epochs; the two others the
    same with fewer epochs.
    """
    began, classes = time.perf_counter(), tuple(sorted((*KNOWN, *NEW)))
    ways: dict[str, tuple[str | None, str | None, int | None]] = {
        "demo_from_nothing": ("demo", None, None),
        "cifar_small_from_nothing": ("cifar-small", None, SHIPPED_EPOCHS),
        "from_cifar10": (None, "cifar10", SHIPPED_EPOCHS),
    }
    scores: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as place:
        for seed in range(seeds):
            few = Path(place) / f"few-{seed}"
            unpack(few, classes, range(1 + FEW * seed, 1 + FEW * (seed + 1)), SHIPPED_TEST)
            photos = see.load(few)
            chosen = Recipe.default_for(train_images=FEW * len(classes), image_px=32, seed=seed)
            for name, (network, start, epochs) in ways.items():
                recipe = dataclasses.replace(chosen, epochs=epochs or chosen.epochs)
                done = see.train(
                    photos,
                    network=network,
                    recipe=recipe,
                    runs_dir=Path(place) / "runs",
                    start=start,
                )
                scores[name].append(done.report.accuracy)
    pairs = zip(scores["demo_from_nothing"], scores["from_cifar10"], strict=True)
    gains = [after - before for before, after in pairs]
    low, high = interval(gains)
    return {
        "seeds": seeds,
        **{f"mean_{name}": statistics.mean(found) for name, found in scores.items()},
        "mean_gain": statistics.mean(gains),
        "gain_low_95": low,
        "gain_high_95": high,
        "smallest_gain": min(gains),
        "seconds": time.perf_counter() - began,
    }


def unpack(folder: Path, classes: tuple[str, ...], numbers: range, test: int = TEST) -> None:
    """Some training photos and the first test photos of these classes."""
    with zipfile.ZipFile(builtin_path("everyday")) as archive:
        for label in classes:
            for part, chosen in (("train", numbers), ("test", range(1, test + 1))):
                place = folder / part / label
                place.mkdir(parents=True)
                for number in chosen:
                    name = f"{number:04}.jpg"
                    (place / name).write_bytes(archive.read(f"{part}/{label}/{name}"))
