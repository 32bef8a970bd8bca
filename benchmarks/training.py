"""Images per second in training, in turns with what most people write: a plain PyTorch loop.

The peer trains the same network on the same photos with the same batch: fp32, NCHW, a DataLoader
with two workers that opens each file with Pillow, flips and shifts it, SGD with momentum.
FLOP of a step = 2 × multiply-adds of the forward pass × 3 (forward, and two products backward).
"""

import random
import statistics
import tempfile
import time
import zipfile
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import seethrough as see
from benchmarks.machine import matrix_product_gflops
from seethrough.data.dataset import Dataset as Photos
from seethrough.model.build import build
from seethrough.model.presets import preset
from seethrough.model.shapes import measure
from seethrough.train.events import EpochEnd
from seethrough.train.loop import train
from seethrough.train.recipe import DEMO, Recipe

ROUNDS = 3


class Files(Dataset[tuple[Tensor, int]]):
    """The training photos as files, opened one by one."""

    def __init__(self, folder: Path, shift_px: int) -> None:
        self.paths = sorted((folder / "train").glob("*/*"))
        self.classes = sorted({path.parent.name for path in self.paths})
        self.shift_px = shift_px

    def __len__(self) -> int:
        """Photos in the training split."""
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One photo, flipped and shifted, as 3 h w in 0..1."""
        path = self.paths[index]
        image = Image.open(path).convert("RGB")
        if random.random() < 0.5:
            image = ImageOps.mirror(image)
        size, border = image.width, self.shift_px
        left, top = random.randint(0, 2 * border), random.randint(0, 2 * border)
        image = ImageOps.expand(image, border).crop((left, top, left + size, top + size))
        pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
        return pixels, self.classes.index(path.parent.name)


def network(photos: Photos) -> nn.Sequential:
    """The demo's network with fresh weights."""
    mean, std = photos.mean_std()
    return build(preset("demo"), num_classes=len(photos.classes), mean=mean, std=std, seed=0)


def ours(photos: Photos, recipe: Recipe) -> float:
    """Images per second of the second epoch of `seethrough.train`, evaluation left out."""
    events = train(network(photos), photos, recipe)
    rates = [event.images_per_second for event in events if isinstance(event, EpochEnd)]
    assert rates[-1] is not None
    return rates[-1]


def plain(photos: Photos, files: Files, recipe: Recipe) -> float:
    """Images per second of the second epoch of the plain loop."""
    module = network(photos).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(module.parameters(), lr=recipe.peak_lr, momentum=recipe.momentum)
    loader = DataLoader(files, batch_size=recipe.batch, shuffle=True, num_workers=2)
    rate = 0.0
    for _ in range(2):
        start = time.perf_counter()
        for pixels, labels in loader:
            loss = functional.cross_entropy(module(pixels * 255), labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        rate = len(files) / (time.perf_counter() - start)
    return rate


def run(*, rounds: int = ROUNDS) -> dict[str, Any]:
    """The figures of this module, medians of some rounds in turns."""
    photos = see.load("everyday", image_px=32)
    recipe = Recipe.from_dict({**DEMO.to_dict(), "epochs": 2})
    rates: dict[str, list[float]] = {"ours": [], "plain": [], "limit": []}
    with tempfile.TemporaryDirectory() as folder:
        archive = resources.files("seethrough.data") / "photos" / "everyday.zip"
        with archive.open("rb") as file, zipfile.ZipFile(file) as photos_zip:
            photos_zip.extractall(folder)
        files = Files(Path(folder), recipe.shift_px)
        for _ in range(rounds):
            rates["limit"].append(matrix_product_gflops())
            rates["ours"].append(ours(photos, recipe))
            rates["plain"].append(plain(photos, files, recipe))
    sizes = measure(preset("demo"), len(photos.classes))
    flop = 3 * 2 * sum(size.multiply_adds for size in sizes)
    middle = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "images_per_second": middle["ours"],
        "plain_loop_images_per_second": middle["plain"],
        "ratio_median": statistics.median(
            a / b for a, b in zip(rates["ours"], rates["plain"], strict=True)
        ),
        "matrix_product_gflops": middle["limit"],
        "gflops": middle["ours"] * flop / 1e9,
        "share_of_limit": middle["ours"] * flop / 1e9 / middle["limit"],
        "rounds": {name: [round(value, 1) for value in values] for name, values in rates.items()},
    }
