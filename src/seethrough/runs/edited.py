"""A copy of a run's network with changes by hand, as a run of its own: what was tried, kept.

    edited.safetensors   in the new run's folder: the weights after the change

Nothing is trained. Recording such a run judges the network on the test photos of the run that it
was copied from, and makes the same results as a training does. That run stays as it is.
Raises RunError, beside what `explain.keeping` raises.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from torch import nn

from seethrough.classifier import Classifier
from seethrough.data.dataset import Dataset, Split
from seethrough.errors import RunError
from seethrough.explain.keeping import kept, of_network
from seethrough.explain.trace import Trace, trace
from seethrough.explain.what_if import Change, what_if
from seethrough.model import checkpoint, spec
from seethrough.model.checkpoint import weights_sha256
from seethrough.model.coded import ModuleSpec, Network
from seethrough.model.make import restore
from seethrough.runs import creation
from seethrough.runs.folder import Run
from seethrough.runs.manifest import Edited
from seethrough.runs.several import one_label
from seethrough.runs.start import EDITED

_COMPARED = 4  # photos on which the kept network must say what the tried one said
_TOLD = 24  # changes that are written out


def edited(
    run: Run,
    change: Change,
    *,
    step: int | None = None,
    dataset: Dataset | None = None,
    runs_dir: Path | None = None,
) -> Run:
    """A run that waits to be judged; the change's photo and temperature are left out.

    `step` names one of the run's moments, `dataset` its images where they are at hand.
    """
    change = of_network(change)
    if change == Change():
        raise RunError(
            "Nothing of the network was changed.",
            why="a photo and a temperature are no part of it, and all else is as it was.",
            fix="type a weight, switch a unit off, or take another activation function.",
        )
    one_label(run, "Changing a network by hand")
    classifier = run.classifier if step is None else run.classifier_at(step)
    images = dataset or run.dataset()
    photos = images.images[_some(images)]
    known = trace(classifier.module, photos[0], classes=classifier.classes)
    module = kept(classifier.module, known, change)
    network = _with_functions(run.buildable, change.functions)
    tensors = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    _check(restore(network, len(classifier.classes), tensors), classifier, photos, change)
    made = Edited(
        run=run.id,
        step=step,
        weights_sha256=weights_sha256(classifier.module),
        changes=tuple(sentences(known, classifier.module, change)),
    )
    content = checkpoint.pack(tensors, {"schema": "1", "run": run.id})
    return creation.keep(
        images,
        network,
        run.manifest.recipe,
        runs_dir=runs_dir or run.folder.parent,
        edited=made,
        files={EDITED: content},
    )


def sentences(known: Trace, module: nn.Module, change: Change) -> Iterator[str]:
    """What was changed, one sentence each; of very many weights the number."""
    before = dict(module.named_parameters())
    weights = list(change.weights.items())
    for (name, index), value in weights[:_TOLD]:
        at = ", ".join(map(str, index))
        yield f"{name}[{at}]: {before[name][index].item():.6g} → {np.float32(value):.6g}"
    if len(weights) > _TOLD:
        yield f"{len(weights) - _TOLD} weights more"
    for name, unit in change.off[:_TOLD]:
        yield f"unit {unit} of {name} switched off"
    if len(change.off) > _TOLD:
        yield f"{len(change.off) - _TOLD} units more switched off"
    for name, function in change.functions.items():
        yield f"{name}: {known.layer(name).kind} → {function}"


def _some(images: Dataset) -> np.ndarray:
    """A few photos, those that it never learned from first."""
    order = [images.indices(split) for split in (Split.TEST, Split.VALIDATION, Split.TRAIN)]
    return np.concatenate(order)[:_COMPARED]


def _with_functions(network: Network, functions: Mapping[str, str]) -> Network:
    """The network with other activation functions in its text."""
    if not functions:
        return network
    if isinstance(network, ModuleSpec):
        raise RunError(
            "Another activation function cannot be kept here.",
            why=f"{network.name} is code, which only its author changes.",
            fix="put the old function back, or change the code and train that.",
        )
    layers = [
        spec.Activation(spec.Function(functions[name])) if name in functions else layer
        for name, layer in zip(spec.layer_names(network.layers), network.layers, strict=True)
    ]
    return dataclasses.replace(network, layers=tuple(layers))


def _check(network: nn.Module, classifier: Classifier, photos: np.ndarray, change: Change) -> None:
    """The kept network must say, to the last bit, what was seen when it was tried."""
    for photo in photos:
        tried = what_if(classifier.module, photo, change).after.logits
        said = trace(network, photo).logits
        if not np.array_equal(said, tried, equal_nan=True):
            raise RunError(
                "This change cannot be kept.",
                why="the network with the change in its weights answers differently from the one "
                f"that was tried, by {np.abs(said - tried).max():.2g} in a logit.",
                fix="keep it in smaller parts, to find which of them it is.",
            )
