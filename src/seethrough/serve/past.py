"""A run's moments as messages and arrays. What needs torch is called by the worker only."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from seethrough.errors import LayerError
from seethrough.runs.folder import Run
from seethrough.serve.refusal import Refusal
from seethrough.serve.wire import MomentMessage, MomentsMessage, Photo, PhotoMomentsMessage

if TYPE_CHECKING:
    from seethrough.runs.film import Frame

WEIGHT = ".weight"
FRAMES_BYTES = 64_000_000  # of one layer's maps at all moments together


def moments(run: Run) -> MomentsMessage:
    """What was kept, and how good the network was then where that was measured."""
    found = run.moments
    accuracy = {
        event["step"]: event["test_accuracy"] for _, event in run.log() if event["kind"] == "epoch"
    }
    kept = {name.rpartition(".")[0] for name in (found[0].names if found else ())}
    order = [size.name for size in run.sizes if size.name in kept]
    return MomentsMessage(
        moments=[
            MomentMessage(
                step=moment.step, epoch=moment.epoch, test_accuracy=accuracy.get(moment.step)
            )
            for moment in found
        ],
        is_whole=all(moment.is_whole for moment in found),
        kept=order + sorted(kept.difference(order)),
        kept_bytes=sum(moment.length for moment in found),
    )


def kernels(run: Run, layer: str, units: list[int]) -> Float32[np.ndarray, "m ..."]:
    """A layer's weights at every moment; all units, or those that are named."""
    from seethrough.runs.past import tensors

    found = run.moments
    names = found[0].names if found else ()
    if layer + WEIGHT not in names:
        layers = [name.removesuffix(WEIGHT) for name in names if name.endswith(WEIGHT)]
        raise LayerError(
            f"No weights of the layer {layer[:80]!r} were kept over time.",
            why=f"of these they were: {', '.join(layers) or 'none'}.",
            fix="name one of them, or train anew where the run has no moments.",
        )
    frames = (tensors(run, moment)[layer + WEIGHT].float().numpy() for moment in found)
    return np.stack([_chosen(frame, layer, units, len(found)) for frame in frames])


def probabilities(
    run: Run, pixels: UInt8[np.ndarray, "h w 3"]
) -> Iterator[tuple[int, Float32[np.ndarray, " k"]]]:
    """What the network says of a photo, with the step of each moment."""
    from seethrough.predict.probabilities import ending_of, judge
    from seethrough.runs.several import one_label

    one_label(run, "When a photo was learned")
    from seethrough.runs.past import first, modules

    first(run)
    for moment, module in modules(run):
        yield moment.step, judge(module, pixels, ending=ending_of(module))


def photo_moments(
    run: Run, photo: Photo, found: list[tuple[int, Float32[np.ndarray, " k"]]]
) -> PhotoMomentsMessage:
    """The same as a message, and when the photo was learned."""
    from seethrough.explain.timeline import since

    steps, said = [step for step, _ in found], [row for _, row in found]
    classes = run.manifest.dataset.classes
    learned = None
    if photo.label is not None:
        is_right = np.stack(said).argmax(1) == classes.index(photo.label)
        (learned,) = since(steps, is_right[:, None])
    best = int(said[-1].argmax())
    told = {"predicted": classes[best], "probability": float(said[-1][best])}
    return PhotoMomentsMessage(
        photo=photo.model_copy(update=told),
        classes=list(classes),
        steps=steps,
        probabilities=[row.tolist() for row in said],
        learned=learned,
    )


def maps(
    run: Run, pixels: UInt8[np.ndarray, "h w 3"], layer: str, units: list[int]
) -> Iterator[Float32[np.ndarray, "..."]]:
    """A layer's output for a photo, moment by moment; all units, or those that are named."""
    from seethrough.explain.trace import trace
    from seethrough.model.mode import one_thread
    from seethrough.runs.past import first, modules

    first(run)
    count = len(run.moments)
    for _, module in modules(run):
        with one_thread():
            output = trace(module, pixels).layer(layer).output
        yield _chosen(output, layer, units, count)


def frames(run: Run, pixels: UInt8[np.ndarray, "h w 3"], layer: str | None) -> "Iterator[Frame]":
    """What a film shows of the run, moment by moment."""
    from seethrough.runs.film import frames

    return frames(run, pixels, layer)


def film(
    run: Run,
    pixels: UInt8[np.ndarray, "h w 3"],
    label: str | None,
    shown: "list[Frame]",
    kind: str,
) -> bytes:
    """The film as a file; a label that is none of the classes is not told."""
    from seethrough.draw.film import PER_SECOND, written
    from seethrough.runs.film import film_of

    known = label if label in run.manifest.dataset.classes else None
    return written(film_of(run, pixels, known, shown), kind=kind, per_second=PER_SECOND)


def _chosen(
    frame: Float32[np.ndarray, "..."], layer: str, units: list[int], moments: int
) -> Float32[np.ndarray, "..."]:
    """The units that are named; a Refusal where all moments of them are too much."""
    if any(unit >= len(frame) for unit in units):
        raise LayerError(
            f"{layer} has no unit {max(units)}.",
            why=f"it has {len(frame)} of them, counted from 0.",
            fix=f"choose units from 0 to {len(frame) - 1}.",
        )
    chosen = frame[units] if units else frame
    if chosen.nbytes * moments > FRAMES_BYTES:
        raise Refusal(
            422,
            f"{layer} at {moments} moments has {chosen.nbytes * moments:,} bytes.",
            why=f"at most {FRAMES_BYTES:,} are sent at once.",
            fix="name fewer of its units.",
        )
    return chosen
