"""What a film of a run shows: one photo and one convolution at every moment.

Raises RunError where no whole moments were kept, LayerError where the layer is no convolution.
"""

import numpy as np
from jaxtyping import UInt8

from seethrough.draw.film import Film
from seethrough.errors import LayerError
from seethrough.explain.operations.activation import Activation
from seethrough.explain.timeline import since
from seethrough.explain.trace import Trace, trace
from seethrough.model.mode import one_thread
from seethrough.runs import past
from seethrough.runs.folder import Run

_WITHIN = {"norm", "scale"}  # between a convolution and its function


def film_of(
    run: Run, pixels: UInt8[np.ndarray, "h w 3"], label: str | None, layer: str | None = None
) -> Film:
    """One photo through every moment; without a layer, with the first convolution."""
    past.first(run)
    classes = run.manifest.dataset.classes
    measured = {
        line["step"]: line["test_accuracy"] for _, line in run.log() if line["kind"] == "epoch"
    }
    steps, captions, said, kernels, maps = [], [], [], [], []
    names: tuple[str, str] | None = None
    for moment, module in past.modules(run):
        with one_thread():
            seen = trace(module, pixels, classes=classes)
        names = names or _names(seen, layer)
        steps.append(moment.step)
        captions.append(_caption(moment.step, moment.epoch, measured.get(moment.step)))
        said.append(seen.probabilities)
        kernels.append(seen.layer(names[0]).parameters["weight"])
        maps.append(seen.layer(names[1]).map)
    assert names is not None
    table = np.stack(said)
    learned = None
    if label is not None:
        (found,) = since(range(len(steps)), table.argmax(1)[:, None] == classes.index(label))
        learned = found
    return Film(
        photo=pixels,
        label=label,
        classes=classes,
        captions=tuple(captions),
        probabilities=table,
        learned=learned,
        kernels=np.stack(kernels),
        maps=np.stack(maps),
        titles=(f"Kernels of {names[0]}", f"Maps of {names[1]}"),
    )


def _names(seen: Trace, layer: str | None) -> tuple[str, str]:
    """The convolution, and the layer whose maps are drawn: its function, where one follows."""
    convolutions = [each.name for each in seen.layers if each.kind == "conv"]
    chosen = layer or (convolutions[0] if convolutions else "")
    if chosen not in convolutions:
        raise LayerError(
            f"{chosen or 'This network'} has no kernels to draw.",
            why=f"these are convolutions: {', '.join(convolutions) or 'none'}.",
            fix="choose one of them with --layer.",
        )
    name = chosen
    for after in seen.layers:
        if after.inputs == (name,) and after.kind in _WITHIN:
            name = after.name
        elif after.inputs == (name,) and isinstance(after.operation, Activation):
            return chosen, after.name
    return chosen, chosen


def _caption(step: int, epoch: int, accuracy: float | None) -> str:
    if step == 0:
        return "step 0: nothing learned yet"
    known = "" if accuracy is None else f", test accuracy {100 * accuracy:.1f} %"
    return f"step {step:,}, epoch {epoch}{known}"
