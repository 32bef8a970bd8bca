"""What a notebook has room for: which layers of a trace, and which units of a layer."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from seethrough.explain.layer import TracedLayer

MOST_UNITS = 16  # of a layer, its most active
MOST_LAYERS = 32
# Left out first where there are too many layers: what only passes numbers on.
_PASSING = ("dropout", "identity", "flatten", "norm", "normalise", "scale", "relu")


def computing(layers: Sequence[TracedLayer]) -> list[TracedLayer]:
    """All but the softmax, which is shown as probabilities."""
    return [layer for layer in layers if layer.kind != "softmax"]


def shown(layers: Sequence[TracedLayer]) -> list[TracedLayer]:
    """At most so many: those that compute, then of these every so manieth, the last included."""
    found = computing(layers)
    for kind in _PASSING:
        if len(found) > MOST_LAYERS:
            found = [layer for layer in found if layer.kind != kind]
    if len(found) > MOST_LAYERS:
        places = np.linspace(0, len(found) - 1, MOST_LAYERS).round().astype(int)
        found = [found[place] for place in places]
    return found


def most_active(layer: TracedLayer) -> Int64[np.ndarray, " u"]:
    """The units of a map whose mean size is largest, in their own order."""
    activity = np.abs(layer.map).mean(axis=(1, 2))
    return np.sort(np.argsort(-activity)[:MOST_UNITS])
