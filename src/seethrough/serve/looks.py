"""Photos on their way through networks: traced once, kept while they are looked at.

A look belongs to one photo and one state of the weights. A page that asks about the state it has
on screen gets that state or a Refusal, never numbers of another one.
Only the worker calls this; it needs torch.
"""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seethrough.serve.photos import Album
from seethrough.serve.refusal import Refusal
from seethrough.serve.shelf import Network, Shelf
from seethrough.serve.wire import Photo, TracedLayerMessage, TraceMessage

if TYPE_CHECKING:
    from seethrough.explain.trace import Trace

LOOKS = 64
BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class Look:
    """One photo in one state of a network."""

    trace: "Trace"
    message: TraceMessage

    def floats(self) -> bytes:
        """Every layer's output, one after another, as the message says."""
        outputs = [layer.output.ravel() for layer in self.trace.layers]
        return np.concatenate(outputs).astype("<f4", copy=False).tobytes()


def _message(photo: Photo, trace: "Trace", weights_sha256: str, elapsed_ms: float) -> TraceMessage:
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


def _loss(trace: "Trace", label: int) -> float | None:
    """−ln p(label), from the logits in float64; None: not finite."""
    logits = trace.logits.astype(np.float64)
    highest = logits.max()
    loss = highest - logits[label] + math.log(np.exp(logits - highest).sum())
    return float(loss) if math.isfinite(loss) else None


class Looks:
    """Bounded in photos and in bytes; what was not looked at for longest makes room."""

    def __init__(self, shelf: Shelf, *, looks: int = LOOKS, size: int = BYTES) -> None:
        self._shelf, self._looks, self._size = shelf, looks, size
        self._held: OrderedDict[tuple[str, str, str], Look] = OrderedDict()

    def look(self, album: Album, photo_id: str, weights_sha256: str | None) -> Look:
        """The photo in the run's network, in that state of its weights; None: as it is now."""
        run = album.run
        if weights_sha256 is not None and (run.id, weights_sha256, photo_id) in self._held:
            return self._kept((run.id, weights_sha256, photo_id))
        network = self._shelf.network(run)
        if weights_sha256 not in {None, network.weights_sha256}:
            raise Refusal(
                409,
                "The network has learned on since this was drawn.",
                why="its numbers are others now, and two states are never mixed in one picture.",
                fix="trace the photo again.",
            )
        key = (run.id, network.weights_sha256, photo_id)
        if key not in self._held:
            self._held[key] = _looked(album, photo_id, network)
        return self._kept(key)

    def _kept(self, key: tuple[str, str, str]) -> Look:
        self._held.move_to_end(key)
        while len(self._held) > 1 and (
            len(self._held) > self._looks or sum(map(_weight, self._held.values())) > self._size
        ):
            self._held.popitem(last=False)
        return self._held[key]


def _looked(album: Album, photo_id: str, network: Network) -> Look:
    photo, pixels = album.opened(photo_id)
    started = time.perf_counter()
    trace = network.classifier.trace(pixels)
    elapsed_ms = (time.perf_counter() - started) * 1000
    best = int(trace.probabilities.argmax())
    told = {"predicted": trace.classes[best], "probability": float(trace.probabilities[best])}
    photo = photo.model_copy(update=told)
    return Look(trace, _message(photo, trace, network.weights_sha256, elapsed_ms))


def _weight(look: Look) -> int:
    return sum(layer.output.nbytes for layer in look.trace.layers)
