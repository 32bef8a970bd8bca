"""The whole of CIFAR-10, learned from nothing: accuracy of some seeds, and the shipped weights.

python tools/learn_cifar10.py ARCHIVE [--seeds 0 1 2] [--threads N] [--runs-dir FOLDER] [--json]
python tools/learn_cifar10.py ARCHIVE --zip FILE        only write the photos, as a zip of PNG files
python tools/learn_cifar10.py ARCHIVE --run NAME --ship src/.../weights/cifar10.safetensors

ARCHIVE is CIFAR-10 in one of the two forms that `tools/make_photos.py` reads. Each seed trains
`cifar-small` by the recipe of `benchmarks/cifar10.toml`; an epoch takes minutes on two cores. A
training that was stopped goes on with `seethrough train --resume`. With --run a finished run is
judged instead.

accuracy    share of the 10,000 test photos that are right, each judged once
6 views     the same, where the answers to six views of each photo are averaged
PFLOP       2 × multiply-adds of the forward pass × 3, times the photos that were learned from
limit       a product of two matrices, by the same threads, in the same process

--ship writes the first run's weights, kernels rounded to half precision, and judges them anew.
"""

import argparse
import dataclasses
import io
import json
import statistics
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import torch
from PIL import Image

import seethrough as see
from make_photos import NAMES, ORIGINAL, digest, from_binary, from_npm
from seethrough.classifier import Classifier
from seethrough.data.dataset import Dataset, Split
from seethrough.model.checkpoint import load_into, weights_sha256
from seethrough.model.presets import preset
from seethrough.runs import creation, shipped
from seethrough.runs.folder import Run, open_run
from seethrough.runs.record import record
from seethrough.train.limit import matrix_product
from seethrough.train.place import Place
from seethrough.train.precision import products_are_quicker
from seethrough.train.recipe import Precision, Recipe
from seethrough.train.shrink import multiply_adds

NETWORK, IMAGE_PX, VIEWS = "cifar-small", 32, 6
TRAIN = 50_000  # the first photos of the archive; the others test
RECIPE = Path(__file__).parents[1] / "benchmarks" / "cifar10.toml"


def cifar(archive: Path, place: Path) -> Dataset:
    """CIFAR-10 as a zip of PNG files at `place`, loaded as any other photos are."""
    with tarfile.open(archive) as opened:
        is_binary = "cifar-10-batches-bin/test_batch.bin" in opened.getnames()
        pixels, labels = from_binary(opened) if is_binary else from_npm(opened)
    if digest(pixels, labels) != ORIGINAL:
        sys.exit(f"{archive} is not CIFAR-10: its pixels have another SHA-256.")
    with zipfile.ZipFile(place, "x") as written:
        for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            part, own = ("train", number) if number < TRAIN else ("test", number - TRAIN)
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG", compress_level=1)
            written.writestr(f"{part}/{NAMES[int(label)]}/{own:05}.png", file.getvalue())
    return see.load(place, image_px=IMAGE_PX)


def trained(dataset: Dataset, seed: int, threads: int, runs_dir: Path | None) -> Run:
    """A run of the recipe with this seed."""
    numbers = Precision.BFLOAT16 if products_are_quicker() else Precision.FLOAT32
    recipe = dataclasses.replace(Recipe.read(RECIPE), seed=seed, precision=numbers)
    place = Place(threads=threads)
    network = preset(NETWORK, image_px=IMAGE_PX)
    run = creation.create(dataset, network, recipe, runs_dir=runs_dir, place=place)
    for line in record(run, dataset=dataset, place=place):
        if line["kind"] == "epoch":
            said = {name: line[name] for name in ("epoch", "test_accuracy", "images_per_second")}
            print(f"{run.id}  seed {seed}  {json.dumps(said)}", file=sys.stderr, flush=True)
    return run


def judged(run: Run, dataset: Dataset) -> dict[str, Any]:
    """What a finished run reached, and what it took."""
    lines = [line for _, line in run.log()]
    epochs = [line for line in lines if line["kind"] == "epoch" and line["epoch"] > 0]
    seconds = sum(sum(line["time_s"].values()) for line in epochs)
    images = len(dataset.indices(Split.TRAIN)) * len(epochs)
    sides = [line["image_px"] for line in epochs]
    products = {side: multiply_adds(run.classifier.module, side) for side in set(sides)}
    flop = 6 * sum(products[side] for side in sides) * len(dataset.indices(Split.TRAIN))
    learning = images / statistics.harmonic_mean([one["images_per_second"] for one in epochs])
    return {
        "run": run.id,
        "seed": run.manifest.recipe.seed,
        "accuracy": run.report.accuracy,
        "accuracy_6_views": accuracy(run.classifier, dataset, views=VIEWS),
        "minutes": seconds / 60,
        "images_per_second": images / learning,
        "pflop": flop / 1e15,
        "gflops": flop / learning / 1e9,
    }


def ship(run: Run, dataset: Dataset, file: Path) -> shipped.Facts:
    """Write the run's weights with rounded kernels, and what these reach on the test photos."""
    classifier = run.classifier
    before = weights_sha256(classifier.module)
    tensors = shipped.rounded(classifier.module)
    load_into(classifier.module, tensors)
    once, often = (accuracy(classifier, dataset, views=views) for views in (1, VIEWS))
    facts = shipped.Facts(
        name=file.stem,
        network=NETWORK,
        image_px=IMAGE_PX,
        classes=dataset.classes,
        recipe=run.manifest.recipe,
        weights_sha256=before,
        test_images=len(dataset.indices(Split.TEST)),
        test_accuracy=once,
        test_accuracy_6_views=often,
    )
    file.write_bytes(shipped.pack(tensors, facts))
    return facts


def accuracy(classifier: Classifier, dataset: Dataset, *, views: int) -> float:
    """Share of the test photos that are right; the training photos are not judged."""
    stranger = dataclasses.replace(classifier, trained_on=None)
    return stranger.evaluate(dataset, views=views).accuracy


def main() -> None:
    """Train, judge, print; ship where it was asked for."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("archive", type=Path)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--runs-dir", type=Path)
    arguments.add_argument("--run", action="append", help="judge this finished run instead")
    arguments.add_argument("--zip", type=Path, help="only write the photos here, as PNG files")
    arguments.add_argument("--ship", type=Path, help="write the first run's weights here")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        dataset = cifar(options.archive, options.zip or Path(folder) / "cifar10.zip")
        if options.zip is not None:
            return
        runs = [open_run(name, options.runs_dir) for name in options.run or ()]
        runs = runs or [
            trained(dataset, seed, options.threads, options.runs_dir) for seed in options.seeds
        ]
        rows = [judged(run, dataset) for run in runs]
        found = {
            "torch": torch.__version__,
            "threads": options.threads,
            "runs": rows,
            "mean_accuracy": statistics.mean(row["accuracy"] for row in rows),
            "mean_accuracy_6_views": statistics.mean(row["accuracy_6_views"] for row in rows),
            "matrix_product_gflops": matrix_product(runs[0].manifest.recipe.precision) / 1e9,
        }
        if options.ship is not None:
            facts = ship(runs[0], dataset, options.ship)
            found["shipped"] = {
                "file": str(options.ship),
                "bytes": options.ship.stat().st_size,
                "accuracy": facts.test_accuracy,
                "accuracy_6_views": facts.test_accuracy_6_views,
            }
    print(json.dumps(found, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
