"""A run's training, gone on with on a copy: its next steps, and nothing on the disk changes.

From the newest checkpoint it goes on with all that was kept there: after every step its weights are
those that a resumed training has, bit for bit. From an earlier moment the weights are known and
what the optimizer remembered is not; only before the first step there was nothing to remember.
Raises RunError where a run does not hold what it takes.
"""

import itertools
import statistics
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from seethrough.data.dataset import Dataset
from seethrough.errors import RunError
from seethrough.learning.continuation import Continuation, Origin
from seethrough.runs import checkpoints, steering
from seethrough.runs.folder import Run
from seethrough.runs.several import one_label
from seethrough.runs.start import pace_of
from seethrough.train.batches import Batches
from seethrough.train.events import TrainState
from seethrough.train.pace import Pace
from seethrough.train.place import Place

_OPTIMIZER = "optimizer."
_NEWEST = 20  # steps by which the time of one is told


def continuation(
    run: Run,
    *,
    step: int | None = None,
    remembers: bool | None = None,
    dataset: Dataset | None = None,
    network: nn.Module | None = None,
    weights_sha256: str | None = None,
) -> Continuation:
    """From the newest checkpoint, or from the moment after `step`.

    `remembers` says whether the optimizer begins with what it remembered; without it, where that is
    known. `dataset` and `network` are the run's own where they are at hand; the newest weights must
    be those of `weights_sha256`, if it is given.
    """
    one_label(run, "Going on step by step")
    if step is not None:
        state, is_whole = None, step == 0
        _check_moment(run, step, remembers=bool(remembers))
        module = network or run.classifier_at(step).module
    else:
        state = _newest(run, weights_sha256)
        step, is_whole = state.step, remembers is not False
        state = state if is_whole else _forgetful(state)
        module = network or run.classifier.module
    manifest = run.manifest
    batches = Batches.of(dataset or run.dataset(), manifest.recipe)
    threads = manifest.environment.get("threads", "")
    start = manifest.start
    return Continuation(
        module,
        Origin(
            batches=batches,
            step=step,
            state=state,
            is_whole=is_whole,
            pace=Pace() if start is None else pace_of(module, start, manifest.recipe),
            rate_factor=partial(steering.factor_at, steering.turns(run.folder)),
            place=Place(threads=int(threads) if threads.isdigit() else None),
        ),
    )


def step_seconds(run: Run) -> float | None:
    """How long a step takes by the run's log; None where that is not known.

    On average in the newest epoch; in the first one the median of the newest steps.
    """
    lines = [line for _, line in run.log()]
    for line in reversed(lines):
        if line["kind"] == "epoch" and line.get("images_per_second"):
            return run.manifest.recipe.batch / float(line["images_per_second"])
    ends = [float(line["elapsed_s"]) for line in lines if line["kind"] == "step"][-_NEWEST:]
    times = [end - begin for begin, end in itertools.pairwise(ends)]
    return statistics.median(times) if times else None


def _newest(run: Run, weights_sha256: str | None) -> TrainState:
    kept = checkpoints.newest(run.folder)
    if kept is None or weights_sha256 not in {None, kept.weights_sha256}:
        raise RunError(
            f"{run.id} does not hold what its training had then.",
            why="that is kept in its newest checkpoint only, for the weights that lie there.",
            fix="look at the newest weights, or take a step on one photo.",
        )
    return kept.state


def _forgetful(state: TrainState) -> TrainState:
    """The same with an optimizer that remembers nothing yet."""
    tensors = {
        name: torch.zeros_like(tensor) if name.startswith(_OPTIMIZER) else tensor
        for name, tensor in state.tensors.items()
    }
    return replace(state, tensors=tensors)


def _check_moment(run: Run, step: int, *, remembers: bool) -> None:
    if remembers and step:
        raise RunError(
            f"{run.id} does not hold what its optimizer remembered at step {step}.",
            why="moments keep weights; all else is kept in the newest checkpoint only.",
            fix="look at the newest weights, or begin with an empty memory.",
        )
    if step and run.manifest.recipe.ema:
        raise RunError(
            f"{run.id} does not hold the weights that learned at step {step}.",
            why="its recipe averages them, and a moment keeps the average, which does not learn.",
            fix="look at the newest weights: their checkpoint has both.",
        )
