"""Photos on their way through networks: traced once, kept while they are looked at.

A look belongs to one photo and one state of the weights. A page that asks about the state it has
on screen gets that state or a Refusal, never numbers of another one.
Only the worker calls this; it needs torch.
"""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from seethrough.errors import LayerError
from seethrough.serve.photos import Album
from seethrough.serve.refusal import Refusal
from seethrough.serve.shelf import Network, Shelf
from seethrough.serve.wire import (
    BackwardMessage,
    GradientMessage,
    ParameterGradientMessage,
    Photo,
    TracedLayerMessage,
    TraceMessage,
)

if TYPE_CHECKING:
    from seethrough.explain.backward import Backward
    from seethrough.explain.trace import Trace

LOOKS = 64
BYTES = 256_000_000
WAYS_BACK = 2  # kept for one photo: two classes can be compared


@dataclass(frozen=True, slots=True)
class WayBack:
    """What came back from the loss of one class."""

    backward: "Backward"
    message: BackwardMessage

    def floats(self) -> bytes:
        """The gradients at the photo and at every layer, one after another."""
        gradients = [self.backward.gradient(name).ravel() for name in self.backward.layers]
        return np.concatenate(gradients).astype("<f4", copy=False).tobytes()


@dataclass(frozen=True, slots=True)
class Look:
    """One photo in one state of a network."""

    trace: "Trace"
    message: TraceMessage
    network: Network
    pixels: UInt8[np.ndarray, "h w 3"]
    ways_back: OrderedDict[str, WayBack] = field(default_factory=OrderedDict)

    def back(self, label: str | None) -> WayBack:
        """From the loss of a class; None: of the photo's own, or else of the predicted one."""
        photo = self.message.photo
        label = label or photo.label or photo.predicted
        assert label is not None  # a look has a prediction
        if label not in self.ways_back:
            started = time.perf_counter()
            found = self.network.classifier.backward(self.pixels, label)
            elapsed_ms = (time.perf_counter() - started) * 1000
            sha256 = self.network.weights_sha256
            self.ways_back[label] = WayBack(found, _back_message(found, label, sha256, elapsed_ms))
        self.ways_back.move_to_end(label)
        while len(self.ways_back) > WAYS_BACK:
            self.ways_back.popitem(last=False)
        return self.ways_back[label]

    def floats(self) -> bytes:
        """Every layer's output, one after another, as the message says."""
        outputs = [layer.output.ravel() for layer in self.trace.layers]
        return np.concatenate(outputs).astype("<f4", copy=False).tobytes()


def gradients_of(way: WayBack, layer: str, name: str) -> Float32[np.ndarray, "..."]:
    """What came back to a learned parameter. Raises LayerError where there is none."""
    own = way.backward.parameters.get(layer, {})
    if name not in own:
        having = sorted(layer for layer, own in way.backward.parameters.items() if name in own)
        raise LayerError(
            f"The layer {layer[:80]!r} has no learned {name[:80]!r}.",
            why=f"these have: {', '.join(having) or 'none'}.",
            fix="name one of them, and weight or bias.",
        )
    return own[name]


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


def _back_message(
    back: "Backward", label: str, weights_sha256: str, elapsed_ms: float
) -> BackwardMessage:
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
    message = _message(photo, trace, network.weights_sha256, elapsed_ms)
    return Look(trace, message, network, pixels)


def _weight(look: Look) -> int:
    """Of its arrays; a way back is about as large as the way there."""
    there = sum(layer.output.nbytes for layer in look.trace.layers)
    return there * (1 + len(look.ways_back))
