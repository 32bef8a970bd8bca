"""A run's network as it was at one of its moments, bit for bit.

Raises RunError where no moment was kept at a step, or only a part of the weights, CheckpointError
where its bytes are not those that were written.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from seethrough.classifier import Classifier
from seethrough.errors import CheckpointError, RunError
from seethrough.model import checkpoint
from seethrough.model.make import restore
from seethrough.predict.probabilities import ending_of
from seethrough.runs.folder import Run
from seethrough.runs.moments import FILE, Moment, content, listed
from seethrough.train.events import MomentDue

_SCHEMA = "1"


def packed(due: MomentDue) -> bytes:
    """A moment as it lies in the file; the same weights at the same step give the same bytes."""
    notes = {
        "schema": _SCHEMA,
        "step": str(due.step),
        "epoch": str(due.epoch),
        "whole": "true" if due.is_whole else "false",
    }
    return checkpoint.pack(due.tensors, notes)


def kept_bytes(folder: Path, *, step: int) -> tuple[int, int]:
    """How much of the file a resume after `step` keeps, and how many moments before it are lost."""
    before = [moment for moment in listed(folder) if moment.step <= step]
    for number, moment in enumerate(before):
        try:
            _unpacked(folder, moment)
        except CheckpointError:
            return moment.offset, len(before) - number
    return sum(moment.length for moment in before), 0


def tensors(run: Run, moment: Moment) -> Mapping[str, Tensor]:
    """The weights and running statistics that a moment holds."""
    return _unpacked(run.folder, moment)


def moment_at(run: Run, step: int) -> Moment:
    """The moment that was kept at this step."""
    found = run.moments
    for moment in found:
        if moment.step == step:
            return moment
    near = sorted(found, key=lambda moment: (abs(moment.step - step), moment.step))[:2]
    steps = " and ".join(str(moment.step) for moment in sorted(near, key=lambda each: each.step))
    raise RunError(
        f"{run.id} has no moment at step {step}.",
        why=f"the nearest that were kept are {steps}."
        if near
        else "it was trained before moments were kept, or has not begun.",
        fix="choose one of its moments." if near else "train it anew to watch it learn.",
    )


def first(run: Run) -> Moment:
    """The first moment; RunError where there is none."""
    found = run.moments
    return found[0] if found else moment_at(run, 0)


def classifier_at(run: Run, step: int) -> Classifier:
    """The network with its classes, as it was judged after `step`."""
    moment = moment_at(run, step)
    if not moment.is_whole:
        raise RunError(
            f"The network of {run.id} cannot be put together as it was at step {step}.",
            why="its weights are too large to keep all of them at every moment.",
            fix="look at its kernels over time, or at its newest weights.",
        )
    facts, classes = run.manifest, run.manifest.dataset.classes
    is_several = facts.dataset.is_several
    module = restore(run.buildable, len(classes), tensors(run, moment), is_several=is_several)
    return Classifier(
        module=module,
        classes=classes,
        image_px=facts.network.image_px,
        network=facts.network.text,
        trained_on=facts.dataset.fingerprint,
        ending=ending_of(module),
    )


def modules(
    run: Run, moments: Sequence[Moment] | None = None
) -> Iterator[tuple[Moment, nn.Module]]:
    """The network at all or some moments, one after the other; it is the same object each time."""
    module: nn.Module | None = None
    for moment in run.moments if moments is None else moments:
        if module is None:
            module = classifier_at(run, moment.step).module
        else:
            checkpoint.load_into(module, tensors(run, moment))
        yield moment, module


def _unpacked(folder: Path, moment: Moment) -> Mapping[str, Tensor]:
    name = f"{folder / FILE}, step {moment.step}"
    found, notes = checkpoint.unpack(content(folder, moment), name=name)
    if notes["schema"] != _SCHEMA:
        raise CheckpointError(
            f"{name} is no moment of this program.",
            why=f"its schema is {notes['schema']}, not {_SCHEMA}.",
            fix="open it with the version that wrote it.",
        )
    return found
