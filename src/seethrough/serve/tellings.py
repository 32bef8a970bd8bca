"""What a look tells: traces, ways back and steps of learning as messages.

Only the worker calls this; it needs torch.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from seethrough.data.sheet import names_in
from seethrough.serve.question import StepQuestion
from seethrough.serve.wire import (
    BackwardMessage,
    BatchMessage,
    GradientCheckMessage,
    GradientMessage,
    LearningStepMessage,
    ParameterChange,
    ParameterGradientMessage,
    Photo,
    PullMessage,
    PullsMessage,
    TracedLayerMessage,
    TraceMessage,
    UpdateMessage,
)

if TYPE_CHECKING:
    from seethrough.data.dataset import Dataset
    from seethrough.explain.backward import Backward
    from seethrough.explain.trace import Trace
    from seethrough.learning.batch_step import BatchStep
    from seethrough.learning.check import GradientCheck
    from seethrough.learning.pull import Pulls
    from seethrough.learning.step import LearningStep


def trace_message(
    photo: Photo, trace: "Trace", weights_sha256: str, elapsed_ms: float
) -> TraceMessage:
    """What each layer is, and where its numbers lie."""
    layers, offset = [], 0
    for layer in trace.layers:
        layers.append(
            TracedLayerMessage(
                name=layer.name,
                kind=layer.kind,
                text=layer.text,
                shape=list(layer.shape),
                offset=offset,
                minimum=layer.minimum,
                maximum=layer.maximum,
                inputs=list(layer.inputs),
                parameters=layer.num_parameters,
                receptive_field_px=layer.receptive_field_px,
                known=layer.known,
                active_units=list(layer.active_units),
            )
        )
        offset += layer.output.size
    return TraceMessage(
        photo=photo,
        weights_sha256=weights_sha256,
        layers=layers,
        floats=offset,
        classes=list(trace.classes),
        logits=trace.logits.tolist(),
        probabilities=trace.probabilities.tolist(),
        is_several=trace.is_several,
        loss=_loss_of(trace, photo),
        elapsed_ms=elapsed_ms,
    )


def backward_message(
    back: "Backward", label: str, weights_sha256: str, elapsed_ms: float
) -> BackwardMessage:
    """To which layers and parameters something came back, and where it lies."""
    layers, offset = [], 0
    for name in back.layers:
        gradient = back.gradient(name)
        layers.append(
            GradientMessage(
                name=name,
                shape=list(gradient.shape),
                offset=offset,
                minimum=float(gradient.min()),
                maximum=float(gradient.max()),
            )
        )
        offset += gradient.size
    parameters = [
        ParameterGradientMessage(
            layer=layer,
            name=name,
            shape=list(gradient.shape),
            minimum=float(gradient.min()),
            maximum=float(gradient.max()),
        )
        for layer, own in back.parameters.items()
        for name, gradient in own.items()
    ]
    return BackwardMessage(
        weights_sha256=weights_sha256,
        label=label,
        loss=back.loss,
        layers=layers,
        floats=offset,
        parameters=parameters,
        elapsed_ms=elapsed_ms,
    )


def _loss_of(trace: "Trace", photo: Photo) -> float | None:
    """Of what the photo shows; None: not finite, or nobody said it."""
    if photo.label is None or trace.is_several != (photo.labels is not None):
        return None
    return _loss(trace, [photo.label] if photo.labels is None else photo.labels)


def _loss(trace: "Trace", names: Sequence[str]) -> float | None:
    """Of these classes, from the logits in float64; None: not finite."""
    import torch

    from seethrough.explain.truth import Truth

    labels = tuple(trace.classes.index(name) for name in names)
    truth = Truth(labels=labels, num_classes=len(trace.classes), is_several=trace.is_several)
    loss = float(truth.loss(torch.from_numpy(trace.logits).double()[None]))
    return loss if math.isfinite(loss) else None


@dataclass(frozen=True, slots=True)
class Told:
    """Some steps of learning, and the photo before the first and after the last."""

    change: "LearningStep | BatchStep"  # the last
    before: "Trace"
    after: "Trace"
    losses: Sequence[float]
    batch: BatchMessage | None


def step_message(
    told: Told, label: str, weights_sha256: str, asked: StepQuestion
) -> LearningStepMessage:
    """What the steps do to the photo, and the last one to every parameter."""
    change, recipe = told.change, told.change.recipe
    names = names_in(label) if told.before.is_several else [label]
    loss = _loss(told.before, names)
    assert loss is not None  # a way back was found for it
    return LearningStepMessage(
        weights_sha256=weights_sha256,
        label=label,
        optimizer=str(recipe.optimizer),
        learning_rate=change.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        memory=asked.memory,
        steps=asked.steps,
        losses=list(told.losses),
        batch=told.batch,
        loss=loss,
        loss_after=_loss(told.after, names),
        probabilities=told.before.probabilities.tolist(),
        probabilities_after=told.after.probabilities.tolist(),
        parameters=[
            ParameterChange(
                name=name,
                shape=list(weights.shape),
                gradient_norm=float(np.linalg.norm(change.gradients[name])),
                change_norm=float(np.linalg.norm(change.new_weights[name] - weights)),
                weight_norm=float(np.linalg.norm(weights)),
            )
            for name, weights in change.weights.items()
        ],
    )


def batch_message(step: "BatchStep", *, is_exact: bool) -> BatchMessage:
    """The photos that a step learned from, together."""
    batch, after = step.batch, step.loss_after
    return BatchMessage(
        step=batch.step,
        epoch=batch.epoch,
        number=batch.number,
        of=batch.of,
        photos=len(batch),
        photo_ids=[f"t{photo}" for photo in batch.photos],
        is_mixed=batch.is_mixed,
        loss=step.loss,
        loss_after=after if after is not None and math.isfinite(after) else None,
        is_exact=is_exact,
    )


def pulls_message(pulls: "Pulls", dataset: "Dataset") -> PullsMessage:
    """How much each photo of a batch pulls at one weight, by its id in the data set."""
    found = asdict(pulls)
    found["largest"] = [
        PullMessage(
            place=pull.place,
            photo=f"t{pull.photo}",
            label=", ".join(dataset.shown(pull.photo)),
            mixed_with=None if pull.mixed_with is None else f"t{pull.mixed_with}",
            value=pull.value,
            shown=pull.shown,
        )
        for pull in pulls.largest
    ]
    return PullsMessage.model_validate(found)


def parameter_floats(change: "LearningStep | BatchStep", name: str) -> Float32[np.ndarray, "2 ..."]:
    """One learned parameter before the step, and behind it its gradient."""
    from seethrough.learning.change import learned

    return np.stack([learned(change, name), change.gradients[name]])


def check_message(check: "GradientCheck") -> GradientCheckMessage:
    """One weight's gradient beside what moving the weight gives."""
    return GradientCheckMessage.model_validate(
        asdict(check) | {"index": list(check.index), "trials": [asdict(t) for t in check.trials]}
    )


def update_message(step: "LearningStep | BatchStep", name: str, index: list[int]) -> UpdateMessage:
    """How one weight changes. Raises LayerError for a weight that is not there."""
    found = asdict(step.update(name, *index))
    return UpdateMessage.model_validate({**found, "name": name, "index": index})
