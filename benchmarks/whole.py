"""All of CIFAR-10 learned from nothing, by our recipe and by the public record's, in turns.

Ours is the program itself: `torchrun -m seethrough train` with `cifar10.toml`, a process a core,
everything recorded as always. The other is `benchmarks.record_port` in this process, with as many
threads. After every epoch both are judged on the 10,000 test photos; seconds of learning count
neither that nor reading files, the seconds in all count everything until the last epoch is judged.
Which numbers products are computed in is measured, and the same for both.

limit     a product of two matrices in those numbers with all threads, just before each training
FLOP      2 × multiply-adds of the forward pass × 3, of photos of the size that was learned from
6 views   accuracy where the answers to six views of each test photo are averaged
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import seethrough as see
from benchmarks.machine import description, matrix_product_gflops
from benchmarks.record_port import BATCH, RECIPE, Port
from seethrough.data.dataset import Dataset, Split
from seethrough.predict.probabilities import answers
from seethrough.predict.views import averaged
from seethrough.runs.folder import Run, open_run
from seethrough.train.learner import LEARNING
from seethrough.train.precision import computing, quickest
from seethrough.train.recipe import Precision, Recipe
from seethrough.train.shrink import multiply_adds

NETWORK, IMAGE_PX, VIEWS = "cifar-small", 32, 6
MARKS = (0.70, 0.80, 0.90, 0.94)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a training of either took and reached."""

    name: str
    network: nn.Module
    reached: list[tuple[float, float]]  # after every epoch: seconds of learning, test accuracy
    took_s: float
    flop: int


def compared(data: Path, seeds: list[int], port_seeds: list[int], runs_dir: Path | None) -> Row:
    """A training of each for every seed, ours first; said on standard error as they end.

    A seed that is not among `port_seeds` is ours alone. Our runs are kept in `runs_dir`.
    """
    torch.set_num_threads(cores())
    photos = see.load(data, image_px=IMAGE_PX)
    precision = quickest()
    rows: list[Row] = []
    for learn, seed in _turns(data, seeds, port_seeds, runs_dir):
        limit = matrix_product_gflops(precision=precision)
        rows.append(_row(learn(photos, seed, precision), seed, photos, limit))
        print(written(rows[-1]), file=sys.stderr, flush=True)
    return {"machine": description(), "precision": str(precision), "runs": rows}


def _turns(
    data: Path, seeds: list[int], port_seeds: list[int], runs_dir: Path | None
) -> Iterator[tuple[Any, int]]:
    for seed in seeds:
        yield partial(ours, data, runs_dir), seed
        if seed in port_seeds:
            yield port, seed


def cores() -> int:
    """Those that this process may compute on."""
    return len(os.sched_getaffinity(0))


def learned(data: Path, seed: int, precision: Precision, runs_dir: Path) -> Run:
    """The program, as a user starts it, a process a core; the run that it made."""
    program = [sys.executable, "-m", "torch.distributed.run"]
    program += ["--nproc-per-node", str(cores()), "-m", "seethrough", "train", str(data)]
    program += ["--model", NETWORK, "--image-px", str(IMAGE_PX), "--recipe", str(RECIPE)]
    program += ["--precision", str(precision), "--seed", str(seed), "--runs-dir", str(runs_dir)]
    subprocess.run(program, check=True, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    return open_run("last", runs_dir)


def ours(
    data: Path, runs_dir: Path | None, photos: Dataset, seed: int, precision: Precision
) -> Course:
    """The program, and what its run says."""
    with tempfile.TemporaryDirectory() as folder:
        run = learned(data, seed, precision, runs_dir or Path(folder))
        lines = [line for _, line in run.log() if line["kind"] == "epoch"]
        network = run.classifier.module
    products = {px: multiply_adds(network, px) for px in {line["image_px"] for line in lines}}
    reached, seconds, flop = [], 0.0, 0
    for line in lines[1:]:
        seconds += sum(line["time_s"][phase] for phase in LEARNING)
        flop += 6 * products[line["image_px"]] * len(photos.indices(Split.TRAIN))
        reached.append((seconds, line["test_accuracy"]))
    took = lines[-1]["elapsed_s"] - lines[0]["elapsed_s"]
    return Course(name="seethrough", network=network, reached=reached, took_s=took, flop=flop)


def port(photos: Dataset, seed: int, precision: Precision) -> Course:
    """The public recipe, for as many epochs."""
    images = len(photos.indices(Split.TRAIN))
    epochs, steps = Recipe.read(RECIPE).epochs, images // BATCH
    began = time.perf_counter()
    peer = Port(photos, precision, steps=epochs * steps, seed=seed)
    reached, seconds = [], 0.0
    for _ in range(epochs):
        start = time.perf_counter()
        for _ in peer.learn(steps):
            pass
        seconds += time.perf_counter() - start
        with computing(precision):
            reached.append((seconds, accuracy(peer.network, photos, views=1)))
    took = time.perf_counter() - began
    flop = 6 * multiply_adds(peer.network, IMAGE_PX) * images * epochs
    return Course(
        name="public recipe", network=peer.network, reached=reached, took_s=took, flop=flop
    )


def _row(course: Course, seed: int, photos: Dataset, limit_gflops: float) -> Row:
    """What a training came to; both accuracies of the network that it ended with."""
    seconds, epochs = course.reached[-1][0], len(course.reached)
    began = time.perf_counter()
    often = accuracy(course.network, photos, views=VIEWS)
    return {
        "name": course.name,
        "seed": seed,
        "images_per_second": len(photos.indices(Split.TRAIN)) * epochs / seconds,
        "pflop": course.flop / 1e15,
        "learning_s": seconds,
        "in_all_s": course.took_s,
        "seconds_to": {
            f"{mark:.0%}": next((s for s, reached in course.reached if reached >= mark), None)
            for mark in MARKS
        },
        "accuracy": accuracy(course.network, photos, views=1),
        "accuracy_6_views": often,
        "six_views_s": time.perf_counter() - began,
        "limit_gflops": limit_gflops,
        "share_of_limit": course.flop / 1e9 / seconds / limit_gflops,
    }


def accuracy(network: nn.Module, photos: Dataset, *, views: int) -> float:
    """Share of the test photos that are right."""
    index = photos.indices(Split.TEST)
    said = averaged(partial(answers, network), photos.images[index], views)
    return float(np.mean(said.argmax(1) == photos.labels[index]))


TITLES = ("", "seed", "photos/s", "PFLOP", "s learning", "s in all", *(f"{m:.0%}" for m in MARKS))
TITLES += ("accuracy", "6 views", "of the limit")


def written(row: Row) -> str:
    """A row of the table, in Markdown."""
    cells = [row["name"], str(row["seed"]), f"{row['images_per_second']:.0f}"]
    cells += [f"{row['pflop']:.3f}", f"{row['learning_s']:,.0f}", f"{row['in_all_s']:,.0f}"]
    cells += ["–" if s is None else f"{s:,.0f}" for s in row["seconds_to"].values()]
    cells += [f"{row['accuracy']:.2%}", f"{row['accuracy_6_views']:.2%}"]
    return f"| {' | '.join(cells)} | {row['share_of_limit']:.0%} |"


def table(found: Row) -> str:
    """Everything that was found, in Markdown."""
    head = [f"| {' | '.join(TITLES)} |", "|" + "---|" * len(TITLES)]
    rows = [written(row) for row in found["runs"]]
    means = []
    for name in dict.fromkeys(row["name"] for row in found["runs"]):
        own = [row for row in found["runs"] if row["name"] == name]
        once, often, took = (
            np.mean([row[what] for row in own])
            for what in ("accuracy", "accuracy_6_views", "in_all_s")
        )
        means.append(
            f"{name}: mean of {len(own)}: {once:.2%}, {often:.2%} with six views, {took:,.0f} s"
        )
    return "\n".join([f"{found['machine']}, {found['precision']}", "", *head, *rows, "", *means])
