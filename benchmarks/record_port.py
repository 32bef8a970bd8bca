"""The public speed record for CIFAR-10 carried over to a CPU as it stands, to be compared with.

Its network and its arithmetic (K. Jordan, arXiv:2404.00498, and the variant with Muon that he
published beside it): batches of 2,000 at once, whole-batch normalisation, images as one tensor of
numbers, shifts by indexing and flips that alternate from epoch to epoch, kernels that begin by
passing channels on, Muon on kernels of one length, SGD with Nesterov momentum on what is left (the
first layer's bias in the first three epochs only), logits divided by the number of their inputs,
sums of losses. Channels last, in bfloat16 (autocast) where products of matrices are quicker
in it on this machine, else fp32. Written anew here, after the paper; it is only timed, never
shipped.

python -m benchmarks.record_port [--threads N] [--steps N] [--rounds N] [--json]

In turns in one process: a product of two matrices (the limit), steps of this, and steps of
`seethrough.train` by `cifar10.toml`, on the same photos with the same network. Images a second,
medians of the turns; `ratio` above 1: ours learns from more photos in the same time.
"""

import argparse
import dataclasses
import json
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import seethrough as see
from benchmarks.machine import description, matrix_product_gflops
from benchmarks.train_cifar10 import fresh, ours, shortened
from seethrough.data.dataset import Dataset, Split
from seethrough.model.presets import asked_for
from seethrough.model.recorded import measured
from seethrough.train.optimizers import orthogonal
from seethrough.train.precision import computing, quickest
from seethrough.train.recipe import Precision, Recipe
from seethrough.train.whiten import PHOTOS, whiten

BATCH, SHIFT, SMOOTHING = 2000, 2, 0.2
MUON_RATE, MUON_MOMENTUM = 0.24, 0.6
BIAS_RATE, HEAD_RATE, MOMENTUM, DECAY = 0.053, 0.67, 0.85, 2e-6 * BATCH
EPOCHS, BIAS_EPOCHS = 8, 3  # of all, and of those in which the first layer's bias learns
RECIPE = Path(__file__).with_name("cifar10.toml")


def batches(photos: Dataset) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of numbers n 3 h w without an end, flipped and shifted, with their labels."""
    index = torch.from_numpy(photos.indices(Split.TRAIN))
    images = torch.from_numpy(photos.images[index]).permute(0, 3, 1, 2).float()
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(photos.labels[index]).long()
    side = photos.image_px
    is_mirrored = torch.rand(len(index)) < 0.5
    while True:
        for chosen in torch.split(torch.randperm(len(index)), BATCH):
            if len(chosen) < BATCH:
                continue
            flips = is_mirrored[chosen][:, None, None, None]
            batch = images[chosen]
            batch = torch.where(flips, batch.flip(3), batch)
            wide = functional.pad(batch, (SHIFT,) * 4, mode="reflect")
            shifts = torch.randint(0, 2 * SHIFT + 1, (len(chosen), 2))
            for top in range(2 * SHIFT + 1):
                for left in range(2 * SHIFT + 1):
                    own = (shifts == torch.tensor([top, left])).all(1)
                    batch[own] = wide[own, :, top : top + side, left : left + side]
            yield batch, labels[chosen]
        is_mirrored = ~is_mirrored


class Port:
    """Its network and optimizers; `learn` takes some of its steps."""

    def __init__(self, photos: Dataset, precision: Precision, *, steps: int, seed: int = 0) -> None:
        """`steps` are those of the whole training, over which the rates fall to 0."""
        torch.manual_seed(seed)
        spec = asked_for("cifar-small", photos.image_px)
        network = fresh(spec, photos, seed)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        whiten(self.network, photos.images[photos.indices(Split.TRAIN)][:PHOTOS])
        learning = [p for p in network.parameters() if p.requires_grad]
        self._kernels = [p for p in learning if p.ndim == 4]
        (head,) = (p for p in learning if p.ndim == 2)
        scale = network.get_submodule("scale")
        scale.factor = 1 / head.shape[1]  # type: ignore[assignment]
        with torch.no_grad():
            head.div_(head.std())
            for kernel in self._kernels:  # as many units as there are channels begin by passing on
                nn.init.dirac_(kernel[: kernel.shape[1]])
        first, *shifts = (p for p in learning if p.ndim == 1)
        rest = [
            {"params": own, "lr": rate, "rate": rate, "weight_decay": DECAY / rate, "until": until}
            for own, rate, until in (
                ([first], BIAS_RATE, BIAS_EPOCHS / EPOCHS),
                (shifts, BIAS_RATE, 1.0),
                ([head], HEAD_RATE, 1.0),
            )
        ]
        self._others = torch.optim.SGD(rest, momentum=MOMENTUM, nesterov=True)
        self._memory = [torch.zeros_like(kernel) for kernel in self._kernels]
        self._feed = batches(photos)
        self._precision, self._steps, self._taken = precision, steps, 0

    def learn(self, steps: int) -> Iterator[None]:
        """So many further steps, one at a time."""
        self.network.train()
        for images, labels in islice(self._feed, steps):
            done = self._taken / self._steps
            self.network.zero_grad()
            with computing(self._precision):
                logits = self.network(images).float()
            loss = functional.cross_entropy(
                logits, labels, label_smoothing=SMOOTHING, reduction="sum"
            )
            loss.backward()  # type: ignore[no-untyped-call]
            for group in self._others.param_groups:
                group["lr"] = group["rate"] * max(0.0, 1 - done / group["until"])
            self._others.step()
            _muon(self._kernels, self._memory, MUON_RATE * (1 - done))
            self._taken += 1
            yield


def port(photos: Dataset, steps: int, precision: Precision) -> float:
    """Images a second of some steps, the first one not counted."""
    peer = Port(photos, precision, steps=1000)
    marks = [time.perf_counter() for _ in peer.learn(steps + 1)]
    return steps * BATCH / (marks[-1] - marks[0])


@torch.no_grad()
def _muon(kernels: list[nn.Parameter], memory: list[Tensor], rate: float) -> None:
    for kernel, momentum in zip(kernels, memory, strict=True):
        assert kernel.grad is not None
        momentum.mul_(MUON_MOMENTUM).add_(kernel.grad)
        ahead = kernel.grad.add(momentum, alpha=MUON_MOMENTUM)
        kernel.mul_(len(kernel) ** 0.5 / kernel.norm())
        kernel.add_(orthogonal(ahead.flatten(1)).reshape(kernel.shape), alpha=-rate)


def run(*, rounds: int, steps: int, threads: int) -> dict[str, Any]:
    """Both in turns, on the built-in photos."""
    torch.set_num_threads(threads)
    photos = shortened(see.load("everyday", image_px=32))
    precision = quickest()
    spec = asked_for("cifar-small", 32)
    recipe = dataclasses.replace(Recipe.read(RECIPE), precision=precision)
    rates: dict[str, list[float]] = {"limit": [], "port": [], "ours": []}
    for _ in range(rounds):
        rates["limit"].append(matrix_product_gflops(precision=precision))
        rates["port"].append(port(photos, steps, precision))
        rates["ours"].append(ours(spec, photos, recipe, steps, threads))
    gflop = 6 * sum(size.multiply_adds for size in measured(spec, len(photos.classes))) / 1e9
    middle = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "machine": description(),
        "threads": threads,
        "precision": str(precision),
        "port_images_per_second": middle["port"],
        "images_per_second": middle["ours"],
        "ratio": statistics.median(
            own / other for own, other in zip(rates["ours"], rates["port"], strict=True)
        ),
        "matrix_product_gflops": middle["limit"],
        "port_share_of_limit": middle["port"] * gflop / middle["limit"],
        "share_of_limit": middle["ours"] * gflop / middle["limit"],
        "turns": {name: [round(value, 1) for value in values] for name, values in rates.items()},
    }


def main() -> None:
    """Measure, and print it."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.record_port")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--steps", type=int, default=1)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    found = run(rounds=options.rounds, steps=options.steps, threads=options.threads)
    print(json.dumps(found, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
