"""Photos on their way through networks: traced once, kept while they are looked at.

A look belongs to one photo and one state of the weights. A page that asks about the state it has
on screen gets that state or a Refusal, never numbers of another one.
Only the worker calls this; it needs torch.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from jaxtyping import Float32, UInt8

from seethrough.data.sheet import SEPARATOR
from seethrough.errors import LayerError
from seethrough.serve.opened import Opened
from seethrough.serve.photos import Album
from seethrough.serve.refusal import Refusal
from seethrough.serve.shelf import Network, Shelf
from seethrough.serve.tellings import backward_message, trace_message
from seethrough.serve.trying import (
    change_of,
    question_id,
    what_if_floats,
    what_if_message,
    whole,
)
from seethrough.serve.wire import (
    BackwardMessage,
    Memory,
    TraceMessage,
    WhatIfMessage,
    WhatIfQuestion,
)

if TYPE_CHECKING:
    from torch import Tensor

    from seethrough.explain.backward import Backward
    from seethrough.explain.outcome import Outcome
    from seethrough.explain.trace import Trace
    from seethrough.explain.workbench import Workbench
    from seethrough.learning.breath import Breath
    from seethrough.learning.check import GradientCheck
    from seethrough.learning.step import LearningStep
    from seethrough.train.recipe import Recipe

LOOKS = 64
BYTES = 256_000_000
WAYS_BACK = 2  # kept for one photo: two classes can be compared
StepKey: TypeAlias = tuple[str, float | None, Memory]  # the class, the rate, the memory
TRIES = 2  # kept for one photo: the numbers of an answer are asked for after it


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
    recipe: "Recipe | None"  # None: it is no run; a step is then plain gradient descent
    remembered: "Callable[[], Mapping[str, Tensor]]"  # by the run's optimizer, with these weights
    workbench: "Workbench"
    ways_back: OrderedDict[str, WayBack] = field(default_factory=OrderedDict)
    steps: "dict[StepKey, LearningStep]" = field(default_factory=dict)  # the last one
    tries: "OrderedDict[str, Outcome]" = field(default_factory=OrderedDict)

    def label(self, label: str | None) -> str:
        """The class that is taken for the true one; None: the photo's own, or the predicted one.

        Of several labels all that are, as in a CSV: "cat|dog", and SEPARATOR alone for none.
        """
        photo = self.message.photo
        if self.trace.is_several:
            said = zip(self.trace.classes, self.trace.probabilities, strict=True)
            there = photo.labels if photo.labels is not None else [c for c, p in said if p >= 0.5]
            return label or SEPARATOR.join(there) or SEPARATOR
        label = label or photo.label or photo.predicted
        assert label is not None  # a look has a prediction
        return label

    def back(self, label: str | None) -> WayBack:
        """From the loss of a class; None: of the photo's own, or else of the predicted one."""
        label = self.label(label)
        if label not in self.ways_back:
            started = time.perf_counter()
            found = self.network.classifier.backward(self.pixels, label)
            elapsed_ms = (time.perf_counter() - started) * 1000
            sha256 = self.network.weights_sha256
            self.ways_back[label] = WayBack(
                found, backward_message(found, label, sha256, elapsed_ms)
            )
        self.ways_back.move_to_end(label)
        while len(self.ways_back) > WAYS_BACK:
            self.ways_back.popitem(last=False)
        return self.ways_back[label]

    def step(
        self, label: str | None, learning_rate: float | None, memory: Memory = "empty"
    ) -> "LearningStep":
        """One step of learning on this photo with the run's optimizer, its memory empty or not."""
        key = (self.back(label).message.label, learning_rate, memory)
        if key not in self.steps:
            remembered = self.remembered() if memory == "run" else {}
            self.steps.clear()
            self.steps[key] = self.network.classifier.learning_step(
                self.pixels, key[0], self.recipe, learning_rate=learning_rate, memory=remembered
            )
        return self.steps[key]

    def check(
        self, label: str | None, name: str, index: list[int], breath: "Breath"
    ) -> "GradientCheck":
        """The gradient of one weight, tried by moving it."""
        classifier = self.network.classifier
        return classifier.gradient_check(
            self.pixels, self.label(label), name, *index, breath=breath
        )

    def what_if(self, question: WhatIfQuestion) -> WhatIfMessage:
        """The photo through a changed copy."""
        started = time.perf_counter()
        found = self.workbench.outcome(change_of(question))
        name = question_id(question)
        self.tries[name] = found
        self.tries.move_to_end(name)
        while len(self.tries) > TRIES:
            self.tries.popitem(last=False)
        elapsed_ms = (time.perf_counter() - started) * 1000
        return what_if_message(found, name, self.network.weights_sha256, elapsed_ms)

    def what_if_whole(self, question: WhatIfQuestion) -> bytes:
        """The same answer with its numbers behind it."""
        message = self.what_if(question)
        return whole(message, self.tried_floats(message.change_id))

    def tried_floats(self, name: str) -> bytes:
        """The numbers behind an answer, while they are kept."""
        if name not in self.tries:
            raise Refusal(
                404,
                "The numbers of this change are not here any more.",
                why=f"of each photo the newest {TRIES} changes are kept.",
                fix="ask the same question again.",
            )
        return what_if_floats(self.tries[name])

    def floats(self) -> bytes:
        """Every layer's output, one after another, as the message says."""
        return floats_of(self.trace)


def floats_of(trace: "Trace") -> bytes:
    """Every layer's output, one after another."""
    outputs = [layer.output.ravel() for layer in trace.layers]
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


class Looks:
    """Bounded in photos and in bytes; what was not looked at for longest makes room."""

    def __init__(self, shelf: Shelf, *, looks: int = LOOKS, size: int = BYTES) -> None:
        self._shelf, self._looks, self._size = shelf, looks, size
        self._held: OrderedDict[tuple[str, str, str], Look] = OrderedDict()

    def look(
        self, album: Album, photo_id: str, weights_sha256: str | None, step: int | None = None
    ) -> Look:
        """The photo in the run's network, in that state of its weights; None: whichever it has.

        `step` names a moment of the run; None: as it is now.
        """
        subject = album.subject
        if weights_sha256 is not None and (subject.id, weights_sha256, photo_id) in self._held:
            return self._kept((subject.id, weights_sha256, photo_id))
        network = self._shelf.network(subject, step)
        check_same(network, weights_sha256)
        key = (subject.id, network.weights_sha256, photo_id)
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
    said = network.classifier.named(photo.path, trace.probabilities)
    told = {"predicted": said.label, "probability": said.probability}
    photo = photo.model_copy(update=told)
    message = trace_message(photo, trace, network.weights_sha256, elapsed_ms)
    bench = network.classifier.workbench(pixels, before=trace)
    subject = album.subject
    if isinstance(subject, Opened):
        return Look(trace, message, network, pixels, None, subject.optimizer_memory, bench)
    remembered = partial(subject.optimizer_memory, network.weights_sha256)
    return Look(trace, message, network, pixels, subject.manifest.recipe, remembered, bench)


def _weight(look: Look) -> int:
    """Of its arrays; a way back is about as large as the way there."""
    there = sum(layer.output.nbytes for layer in look.trace.layers)
    return there * (1 + len(look.ways_back) + 2 * len(look.steps) + len(look.tries))


def check_same(network: Network, weights_sha256: str | None) -> None:
    """Refuse what was asked about other weights than the network has now."""
    if weights_sha256 not in {None, network.weights_sha256}:
        raise Refusal(
            409,
            "The network has learned on since this was drawn.",
            why="its numbers are others now, and two states are never mixed in one picture.",
            fix="trace the photo again.",
        )
