"""Training on CIFAR-10 in images a second, beside a plain PyTorch loop and the machine's limit.

python -m benchmarks.train_cifar10 [--data FOLDER] [--threads N] [--quick] [--json]
python -m benchmarks.train_cifar10 --data FOLDER --whole [--seeds 0 1 2] [--json]

FOLDER is CIFAR-10 as a folder or a zip of images, one sub-folder a class. Without it the built-in
photos are taken, which are CIFAR-10's images of six classes. Two networks: the demo's, of 16 units
a layer, and `cifar-small`, up to 256. For each, in turns: a product of two matrices (the limit),
some steps of `seethrough.train`, and as many of a plain loop on the same photos with the same
network and batch: fp32, NCHW, SGD, a DataLoader with two workers that opens files with Pillow.
Ours and the limit are in bfloat16 where the network learns clearly sooner in it on this machine.
Everything computes with the same number of threads; medians of the turns.
FLOP of a step = 2 × multiply-adds of the forward pass × 3 (forward, and two products backward).
--whole learns all of it instead, ours and the public record's recipe in turns: `benchmarks.whole`.
"""

import argparse
import dataclasses
import json
import statistics
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import seethrough as see
from benchmarks.machine import description, matrix_product_gflops
from seethrough.data.builtin import BUILTIN, builtin_path
from seethrough.data.dataset import Dataset as Photos
from seethrough.data.split import Split
from seethrough.model.coded import Network
from seethrough.model.make import make
from seethrough.model.presets import asked_for
from seethrough.model.recorded import measured
from seethrough.runs.duration import in_numbers
from seethrough.train.events import Step
from seethrough.train.loop import train
from seethrough.train.place import Place
from seethrough.train.recipe import DEMO, Recipe

BUILT_IN = "everyday"
ROUNDS, QUICK_ROUNDS = 7, 3
WARM_UP = 1  # step that is not counted: buffers, workers and caches begin cold
TEST_PHOTOS = 64  # judged before the first step, which is not counted
WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is trained, and for how many steps that are counted."""

    network: str
    batch: int
    steps: int


COURSES = (
    Course(network="demo", batch=128, steps=30),
    Course(network="cifar-small", batch=64, steps=3),
)


class Files(Dataset[tuple[Tensor, int]]):
    """The same training photos as files, opened, flipped and shifted one by one."""

    def __init__(self, folder: Path, photos: Photos, shift_px: int) -> None:
        index = photos.indices(Split.TRAIN)
        self.paths = [folder / photos.paths[place] for place in index]
        self.labels = [int(photos.labels[place]) for place in index]
        self.side, self.shift_px = photos.image_px, shift_px

    def __len__(self) -> int:
        """Photos to learn from."""
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One photo as 3 h w in 0..1."""
        image = Image.open(self.paths[index]).convert("RGB").resize((self.side, self.side))
        if torch.rand(()) < 0.5:
            image = ImageOps.mirror(image)
        border = self.shift_px
        left, top = torch.randint(0, 2 * border + 1, (2,)).tolist()
        box = (left, top, left + self.side, top + self.side)
        image = ImageOps.expand(image, border).crop(box)
        pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
        return pixels, self.labels[index]


def fresh(spec: Network, photos: Photos, seed: int = 0) -> nn.Sequential:
    """The network with untrained weights."""
    mean, std = photos.mean_std()
    return make(spec, num_classes=len(photos.classes), mean=mean, std=std, seed=seed)


def ours(spec: Network, photos: Photos, recipe: Recipe, steps: int, threads: int) -> float:
    """Images a second of some steps of `seethrough.train`, from reading to update."""
    marks: list[float] = []
    events = train(fresh(spec, photos), photos, recipe, place=Place(threads=threads))
    for event in events:
        if isinstance(event, Step):
            marks.append(time.perf_counter())
            if len(marks) == WARM_UP + steps:
                events.close()  # type: ignore[attr-defined]
                break
    return steps * recipe.batch / (marks[-1] - marks[WARM_UP - 1])


def plain(spec: Network, photos: Photos, recipe: Recipe, steps: int, files: Files) -> float:
    """Images a second of as many steps of the plain loop."""
    module = fresh(spec, photos).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(module.parameters(), lr=recipe.peak_lr, momentum=recipe.momentum)
    loader = DataLoader(files, batch_size=recipe.batch, shuffle=True, num_workers=WORKERS)
    marks: list[float] = []
    for pixels, labels in loader:
        loss = functional.cross_entropy(module(pixels * 255), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        marks.append(time.perf_counter())
        if len(marks) == WARM_UP + steps:
            break
    return steps * recipe.batch / (marks[-1] - marks[WARM_UP - 1])


def shortened(photos: Photos) -> Photos:
    """With a few test photos; the others are kept out of the way."""
    splits = photos.splits.copy()
    splits[photos.indices(Split.TEST)[TEST_PHOTOS:]] = Split.VALIDATION
    return dataclasses.replace(photos, splits=splits)


@contextmanager
def as_files(source: str) -> Iterator[Path]:
    """The folder in which the photos lie as files; a zip is unpacked for as long."""
    path = builtin_path(source) if source in BUILTIN else Path(source).expanduser()
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        yield Path(folder)


def turns(
    course: Course, photos: Photos, folder: Path, rounds: int, threads: int
) -> dict[str, Any]:
    """One network: the medians of its turns, and every turn."""
    spec = asked_for(course.network, photos.image_px)
    recipe = Recipe.from_dict({**DEMO.to_dict(), "batch": course.batch, "epochs": 100})
    recipe = in_numbers(photos, spec, recipe, place=Place(threads=threads))
    files = Files(folder, photos, recipe.shift_px)
    rates: dict[str, list[float]] = {"ours": [], "plain": [], "limit": []}
    for _ in range(rounds):
        rates["limit"].append(matrix_product_gflops(precision=recipe.precision))
        rates["ours"].append(ours(spec, photos, recipe, course.steps, threads))
        rates["plain"].append(plain(spec, photos, recipe, course.steps, files))
    forward = sum(size.multiply_adds for size in measured(spec, len(photos.classes)))
    gflop = 3 * 2 * forward / 1e9
    middle = {name: statistics.median(values) for name, values in rates.items()}
    pairs = zip(rates["ours"], rates["limit"], strict=True)
    ratios = zip(rates["ours"], rates["plain"], strict=True)
    return {
        "images_per_second": middle["ours"],
        "plain_loop_images_per_second": middle["plain"],
        "ratio_median": statistics.median(own / other for own, other in ratios),
        "matrix_product_gflops": middle["limit"],
        "share_of_limit": statistics.median(own * gflop / limit for own, limit in pairs),
        "precision": str(recipe.precision),
        "batch": course.batch,
        "gflop_per_image": gflop,
        "turns": {name: [round(value, 1) for value in values] for name, values in rates.items()},
    }


def run(data: str | None, *, rounds: int, threads: int) -> dict[str, Any]:
    """Both networks; the figures of the demo's stand at the top too."""
    source = data or BUILT_IN
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        photos = shortened(see.load(source, image_px=32))
        with as_files(source) as folder:
            found = {
                course.network: turns(course, photos, folder, rounds, threads) for course in COURSES
            }
    finally:
        torch.set_num_threads(before)
    demo = found[COURSES[0].network]
    top = ("images_per_second", "plain_loop_images_per_second", "matrix_product_gflops")
    return {
        "machine": description(),
        "photos": f"{photos.name}, {len(photos.indices(Split.TRAIN)):,} to learn from, 32 px"
        + ("" if data else " (built in: CIFAR-10 itself was not given with --data)"),
        "threads": threads,
        **{name: demo[name] for name in (*top, "share_of_limit")},
        "networks": found,
    }


def main() -> None:
    """Measure, and print it."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.train_cifar10")
    arguments.add_argument("--data", metavar="FOLDER", help="CIFAR-10 as a folder or zip of images")
    arguments.add_argument("--threads", type=int, default=1, metavar="N", help="1 if left out")
    arguments.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} turns")
    arguments.add_argument("--json", action="store_true", help="one object on standard output")
    arguments.add_argument("--whole", action="store_true", help="to the end, beside the record")
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of --whole")
    arguments.add_argument("--port-seeds", type=int, nargs="*", help="those of the record only")
    arguments.add_argument("--runs-dir", type=Path, help="keep our runs of --whole here")
    options = arguments.parse_args()
    if options.whole:
        if not options.data:
            arguments.error("--whole learns CIFAR-10 itself: give it with --data FOLDER")
        from benchmarks.whole import compared, table

        peers = options.seeds if options.port_seeds is None else options.port_seeds
        rows = compared(Path(options.data), options.seeds, peers, options.runs_dir)
        print(json.dumps(rows, indent=1) if options.json else table(rows))
        return
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    found = run(options.data, rounds=rounds, threads=options.threads)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(f"{found['machine']}\n{found['photos']}; computing with {found['threads']} thread(s)")
    for name, each in found["networks"].items():
        print(
            f"{name}: {each['images_per_second']:,.0f} images/s, plain loop "
            f"{each['plain_loop_images_per_second']:,.0f}, ratio {each['ratio_median']:.2f}; "
            f"{each['share_of_limit']:.0%} of {each['matrix_product_gflops']:.0f} GFLOP/s"
        )


if __name__ == "__main__":
    main()
