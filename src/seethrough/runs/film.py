"""What a film of a run shows: one photo and one convolution at every moment.

Raises RunError where no whole moments were kept, LayerError where the layer is no convolution.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from seethrough.draw.film import MOST_CHANNELS, MOST_UNITS, Film
from seethrough.errors import LayerError
from seethrough.explain.operations.activation import Activation
from seethrough.explain.timeline import since
from seethrough.explain.trace import Trace, trace
from seethrough.model.mode import one_thread
from seethrough.runs import past
from seethrough.runs.folder import Run
from seethrough.runs.several import one_label

_WITHIN = {"norm", "scale"}  # between a convolution and its function


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """The network at one moment, as far as a film shows it."""

    step: int
    epoch: int
    titles: tuple[str, str]  # of the kernels and of the maps
    probabilities: Float32[np.ndarray, " k"]
    kernels: Float32[np.ndarray, "u c a b"]
    maps: Float32[np.ndarray, "v y x"]


def frames(
    run: Run, pixels: UInt8[np.ndarray, "h w 3"], layer: str | None = None
) -> Iterator[Frame]:
    """One photo through every moment; without a layer, with the first convolution."""
    one_label(run, "A film")
    past.first(run)
    names: tuple[str, str] | None = None
    for moment, module in past.modules(run):
        with one_thread():
            seen = trace(module, pixels, classes=run.manifest.dataset.classes)
        names = names or _names(seen, layer)
        kernels, maps = seen.layer(names[0]).parameters["weight"], seen.layer(names[1]).map
        units, channels = slice(MOST_UNITS), slice(MOST_CHANNELS)
        yield Frame(
            step=moment.step,
            epoch=moment.epoch,
            titles=_titles(names, (len(kernels), kernels.shape[1], len(maps))),
            probabilities=seen.probabilities,
            kernels=kernels[units, channels].copy(),
            maps=maps[units].copy(),
        )


def film_of(
    run: Run, pixels: UInt8[np.ndarray, "h w 3"], label: str | None, shown: Iterable[Frame]
) -> Film:
    """What `frames` gave, as it is drawn; label: what the photo shows, where that is known."""
    classes = run.manifest.dataset.classes
    measured = {
        line["step"]: line["test_accuracy"] for _, line in run.log() if line["kind"] == "epoch"
    }
    found = list(shown)
    table = np.stack([frame.probabilities for frame in found])
    learned = None
    if label is not None:
        is_right = table.argmax(1)[:, None] == classes.index(label)
        (learned,) = since(range(len(found)), is_right)
    return Film(
        photo=pixels,
        label=label,
        classes=classes,
        captions=tuple(_caption(each.step, each.epoch, measured.get(each.step)) for each in found),
        probabilities=table,
        learned=learned,
        kernels=np.stack([frame.kernels for frame in found]),
        maps=np.stack([frame.maps for frame in found]),
        titles=found[0].titles,
    )


def _names(seen: Trace, layer: str | None) -> tuple[str, str]:
    """The convolution, and the layer whose maps are drawn: its function, where one follows."""
    convolutions = [each.name for each in seen.layers if each.kind == "conv"]
    chosen = layer or (convolutions[0] if convolutions else "")
    if chosen not in convolutions:
        raise LayerError(
            f"{chosen or 'This network'} has no kernels to draw.",
            why=f"these are convolutions: {', '.join(convolutions) or 'none'}.",
            fix="choose one of them.",
        )
    name = chosen
    for after in seen.layers:
        if after.inputs == (name,) and after.kind in _WITHIN:
            name = after.name
        elif after.inputs == (name,) and isinstance(after.operation, Activation):
            return chosen, after.name
    return chosen, chosen


def _titles(names: tuple[str, str], found: tuple[int, int, int]) -> tuple[str, str]:
    """Names, and how many of the kernels, of their channels and of the maps there is room for."""
    units, channels, maps = found
    left = [f"{MOST_UNITS} of {units} units"] if units > MOST_UNITS else []
    left += [f"{MOST_CHANNELS} of {channels} channels"] if channels > MOST_CHANNELS else []
    right = [f"{MOST_UNITS} of {maps} units"] if maps > MOST_UNITS else []
    return (
        " · ".join((f"Kernels of {names[0]}", *left)),
        " · ".join((f"Maps of {names[1]}", *right)),
    )


def _caption(step: int, epoch: int, accuracy: float | None) -> str:
    if step == 0:
        return "step 0: nothing learned yet"
    known = "" if accuracy is None else f", test accuracy {100 * accuracy:.1f} %"
    return f"step {step:,}, epoch {epoch}{known}"
