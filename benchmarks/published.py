"""What weights in the form that others publish are worth where photos are few.

    python -m benchmarks.published [SEEDS]

A small ResNet of the library transformers learns three classes of the built-in photos and is saved
as the library saves networks: config.json and model.safetensors, and beside them how its photos
were standardised. Then three other classes are learned from 20 photos of each: once with
`--from hf:./folder`, once by the same network from nothing; the same photos, epochs, recipe and
seed for both, other ones each time. Needs the extra `hf` and no network access.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import transformers

import seethrough as see
from benchmarks.transfer import EPOCHS, FEW, KNOWN, NEW, interval, unpack
from seethrough.model.reference import seeded
from seethrough.runs.pretrained import published
from seethrough.train.recipe import Recipe

SEEDS = 8
EPOCHS_BEFORE = 8
SIZES = {"embedding_size": 16, "hidden_sizes": [16, 32, 64], "depths": [1, 1, 1]}


def run(seeds: int = SEEDS) -> dict[str, Any]:
    """Accuracy on photos of the new classes, 0..1, with and without the published weights."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        runs = folder / "runs"
        known_accuracy = _publish(folder, runs)
        scores: dict[str, list[float]] = {"from_nothing": [], "from_hf": []}
        for seed in range(seeds):
            few = folder / f"few-{seed}"
            unpack(few, NEW, range(1 + FEW * seed, 1 + FEW * (seed + 1)))
            photos = see.load(few, image_px=32)
            recipe = Recipe.default_for(train_images=FEW * len(NEW), image_px=32, seed=seed)
            recipe = Recipe.from_dict({**recipe.to_dict(), "epochs": EPOCHS})
            reference = f"hf:{folder / 'published'}"
            network = published(reference).network
            for name, start in (("from_nothing", None), ("from_hf", reference)):
                done = see.train(photos, network=network, recipe=recipe, runs_dir=runs, start=start)
                scores[name].append(done.report.accuracy)
    gains = [b - a for a, b in zip(scores["from_nothing"], scores["from_hf"], strict=True)]
    low, high = interval(gains)
    return {
        "seeds": seeds,
        "accuracy_on_known_classes": known_accuracy,
        "mean_from_nothing": statistics.mean(scores["from_nothing"]),
        "mean_from_hf": statistics.mean(scores["from_hf"]),
        "mean_gain": statistics.mean(gains),
        "gain_low_95": low,
        "gain_high_95": high,
        "smallest_gain": min(gains),
        "seconds": time.perf_counter() - began,
    }


def _publish(folder: Path, runs: Path) -> float:
    """Train on the known classes, save as the library does; its accuracy on them."""
    unpack(folder / "known", KNOWN, range(1, 2001))
    photos = see.load(folder / "known", image_px=32)
    names = dict(enumerate(photos.classes))
    config = transformers.ResNetConfig(
        layer_type="basic", **SIZES, id2label=names, label2id={v: k for k, v in names.items()}
    )
    untrained = folder / "untrained"
    with seeded(0):
        _save(untrained, transformers.ResNetForImageClassification(config), photos)
    recipe = Recipe(epochs=EPOCHS_BEFORE, batch=128, peak_lr=0.1, seed=0)
    done = see.train(photos, start=f"hf:{untrained}", recipe=recipe, runs_dir=runs)
    _save(folder / "published", done.classifier.module.get_submodule("network"), photos)
    return done.report.accuracy


def _save(folder: Path, module: Any, photos: see.Dataset) -> None:
    module.save_pretrained(folder)
    mean, std = ([float(value) for value in each] for each in photos.mean_std())
    said = {"image_mean": mean, "image_std": std, "size": 32}
    (folder / "preprocessor_config.json").write_text(json.dumps(said))


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:])), indent=1))
