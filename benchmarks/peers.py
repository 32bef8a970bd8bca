"""The demo's network trained by other libraries in turns with ours, in photos a second.

pip install fastai keras -c constraints.txt
python -m benchmarks.peers [--threads N] [--rounds N] [--steps N] [--json]

In turns in one process, on the built-in photos, the same layers and the same batch: a product of
two matrices (the limit), ours, the plain loop of `benchmarks.train_cifar10`, fastai as its own
quick start has it (files, Pillow, flips by its batch transforms, Adam) and Keras on torch (numbers
that lie in memory already, flips by its own layer, SGD). All in fp32 with as many threads. A
library that is not there, or cannot be loaded, is a row that says why.
FLOP of a step = 2 × multiply-adds of the forward pass × 3.
"""

import argparse
import contextlib
import importlib
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import seethrough as see
from benchmarks.machine import description, matrix_product_gflops
from benchmarks.train_cifar10 import (
    BUILT_IN,
    WARM_UP,
    WORKERS,
    Files,
    as_files,
    fresh,
    ours,
    plain,
    shortened,
)
from seethrough.data.dataset import Dataset, Split
from seethrough.model.coded import Network
from seethrough.model.presets import asked_for
from seethrough.model.recorded import measured
from seethrough.train.recipe import DEMO, Recipe

os.environ.setdefault("KERAS_BACKEND", "torch")


class Numbers(nn.Module):
    """Takes 0..1, as fastai gives it, to a network that takes 0..255."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.network(pixels * 255)
        return logits


def speed(marks: list[float], batch: int) -> float:
    """Photos a second between the first mark that counts and the last one."""
    return (len(marks) - WARM_UP) * batch / (marks[-1] - marks[WARM_UP - 1])


def fastai(spec: Network, photos: Dataset, recipe: Recipe, steps: int, folder: Path) -> float:
    """A Learner on files in folders, with the transforms of its quick start but for the size."""
    vision = importlib.import_module("fastai.vision.all")
    loaders = vision.ImageDataLoaders.from_folder(
        folder,
        valid_pct=0.2,
        bs=recipe.batch,
        item_tfms=vision.Resize(photos.image_px),
        batch_tfms=[vision.Flip()],
        num_workers=WORKERS,
        shuffle=True,
    )
    marks: list[float] = []

    class Marks(vision.Callback):  # type: ignore[misc, name-defined]
        """When each step ended; gives up after as many as are counted."""

        def after_batch(self) -> None:
            """As fastai calls it."""
            marks.append(time.perf_counter())
            if len(marks) == WARM_UP + steps:
                raise vision.CancelFitException

    network = Numbers(fresh(spec, photos))
    learner = vision.Learner(
        loaders, network, loss_func=nn.CrossEntropyLoss(), cbs=[Marks()], path=folder
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit(1000, lr=0.003)
    return speed(marks, recipe.batch)


def keras(spec: Network, photos: Dataset, recipe: Recipe, steps: int, folder: Path) -> float:
    """`fit` of a Sequential with the same layers on arrays."""
    library = importlib.import_module("keras")
    library.config.set_image_data_format("channels_first")
    layers = library.layers
    shape = (3, photos.image_px, photos.image_px)
    made = [layers.Rescaling(1 / 255), layers.RandomFlip("horizontal")]
    for module in fresh(spec, photos):
        made += _same(module, layers)
    model = library.Sequential([library.Input(shape), *made])
    marks: list[float] = []

    class Marks(library.callbacks.Callback):  # type: ignore[misc, name-defined]
        """When each step ended; gives up after as many as are counted."""

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            """As Keras calls it."""
            marks.append(time.perf_counter())
            if len(marks) == WARM_UP + steps:
                raise StopIteration

    model.compile(
        optimizer=library.optimizers.SGD(recipe.peak_lr, momentum=recipe.momentum),
        loss=library.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    index = photos.indices(Split.TRAIN)
    pixels = photos.images[index].transpose(0, 3, 1, 2).astype("float32")
    with contextlib.suppress(StopIteration):
        model.fit(
            pixels,
            photos.labels[index],
            batch_size=recipe.batch,
            epochs=1000,
            verbose=0,
            callbacks=[Marks()],
        )
    return speed(marks, recipe.batch)


def _same(module: nn.Module, layers: Any) -> list[Any]:
    """Keras' layer for one of the demo's network; its input layers are added before."""
    match module:
        case nn.Conv2d():
            pads = [layers.ZeroPadding2D(module.padding)] if module.padding[0] else []
            kernel = layers.Conv2D(
                module.out_channels, module.kernel_size, module.stride, use_bias=False
            )
            return [*pads, kernel]
        case nn.BatchNorm2d():
            return [layers.BatchNormalization(axis=1, momentum=0.9, epsilon=module.eps)]
        case nn.ReLU():
            return [layers.ReLU()]
        case nn.MaxPool2d():
            return [layers.MaxPooling2D(module.kernel_size)]
        case nn.Flatten():
            return [layers.Flatten()]
        case nn.Linear():
            return [layers.Dense(module.out_features)]
    return []  # the pixels' own standardisation: Rescaling stands for it


Turn = Callable[[], float]


def run(*, rounds: int, steps: int, threads: int) -> dict[str, Any]:
    """Medians of the turns; a peer that failed has its reason instead."""
    torch.set_num_threads(threads)
    photos = shortened(see.load(BUILT_IN, image_px=32))
    spec = asked_for("demo", photos.image_px)
    recipe = Recipe.from_dict({**DEMO.to_dict(), "epochs": 100})
    rates: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    with as_files(BUILT_IN) as folder:
        files = Files(folder, photos, recipe.shift_px)
        turns: dict[str, Turn] = {
            "limit": lambda: matrix_product_gflops(precision=recipe.precision),
            "ours": lambda: ours(spec, photos, recipe, steps, threads),
            "plain": lambda: plain(spec, photos, recipe, steps, files),
            "fastai": lambda: fastai(spec, photos, recipe, steps, folder),
            "keras": lambda: keras(spec, photos, recipe, steps, folder),
        }
        for _ in range(rounds):
            for name, turn in turns.items():
                if name in failed:
                    continue
                try:
                    rates.setdefault(name, []).append(turn())
                except Exception as error:  # whatever a library does here is what is told of it
                    if name in {"limit", "ours", "plain"}:
                        raise
                    failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    gflop = 6 * sum(size.multiply_adds for size in measured(spec, len(photos.classes))) / 1e9
    middle = {name: statistics.median(each) for name, each in rates.items() if each}
    return {
        "machine": description(),
        "threads": threads,
        "matrix_product_gflops": middle["limit"],
        "gflop_per_photo": gflop,
        "photos_per_second": {
            name: middle[name] for name in turns if name in middle and name != "limit"
        },
        "share_of_limit": {
            name: middle[name] * gflop / middle["limit"] for name in middle if name != "limit"
        },
        "failed": failed,
        "turns": {name: [round(value, 1) for value in each] for name, each in rates.items()},
    }


def main() -> None:
    """Measure, and print it."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    arguments.add_argument("--threads", type=int, default=1, metavar="N", help="1 if left out")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--steps", type=int, default=30)
    arguments.add_argument("--json", action="store_true", help="one object on standard output")
    options = arguments.parse_args()
    found = run(rounds=options.rounds, steps=options.steps, threads=options.threads)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(f"{found['machine']}; computing with {found['threads']} thread(s)")
    for name, rate in found["photos_per_second"].items():
        print(
            f"{name}: {rate:,.0f} photos/s, {rate / found['photos_per_second']['ours']:.2f} of "
            f"ours; {found['share_of_limit'][name]:.0%} of "
            f"{found['matrix_product_gflops']:.0f} GFLOP/s"
        )
    for name, reason in found["failed"].items():
        print(f"{name}: {reason}")


if __name__ == "__main__":
    main()
