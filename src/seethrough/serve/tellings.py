"""What a look tells: traces, ways back and steps of learning as messages.

Only the worker calls this; it needs torch.
"""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from seethrough.serve.wire import (
    BackwardMessage,
    GradientMessage,
    LearningStepMessage,
    Memory,
    ParameterChange,
    ParameterGradientMessage,
    Photo,
    TracedLayerMessage,
    TraceMessage,
    UpdateMessage,
)

if TYPE_CHECKING:
    from seethrough.explain.backward import Backward
    from seethrough.explain.trace import Trace
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
        loss=None if photo.label is None else _loss(trace, trace.classes.index(photo.label)),
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


def _loss(trace: "Trace", label: int) -> float | None:
    """−ln p(label), from the logits in float64; None: not finite."""
    logits = trace.logits.astype(np.float64)
    highest = logits.max()
    loss = highest - logits[label] + math.log(np.exp(logits - highest).sum())
    return float(loss) if math.isfinite(loss) else None


def step_message(
    step: "LearningStep", label: str, weights_sha256: str, memory: Memory
) -> LearningStepMessage:
    """What one step of learning does, parameter by parameter."""
    recipe = step.recipe
    return LearningStepMessage(
        weights_sha256=weights_sha256,
        label=label,
        optimizer=str(recipe.optimizer),
        learning_rate=step.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        memory=memory,
        loss=step.loss,
        loss_after=step.loss_after if math.isfinite(step.loss_after) else None,
        probabilities=step.before.trace.probabilities.tolist(),
        probabilities_after=step.after.probabilities.tolist(),
        parameters=[
            ParameterChange(
                name=name,
                shape=list(weights.shape),
                gradient_norm=float(np.linalg.norm(step.gradients[name])),
                change_norm=float(np.linalg.norm(step.new_weights[name] - weights)),
                weight_norm=float(np.linalg.norm(weights)),
            )
            for name, weights in step.weights.items()
        ],
    )


def update_message(step: "LearningStep", name: str, index: list[int]) -> UpdateMessage:
    """How one weight changes. Raises LayerError for a weight that is not there."""
    found = asdict(step.update(name, *index))
    return UpdateMessage.model_validate({**found, "name": name, "index": index})
