"""A trace as a notebook shows it: the photo, the layers from left to right, the probabilities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seethrough.draw import page
from seethrough.explain.layer import TracedLayer

if TYPE_CHECKING:
    from seethrough.explain.trace import Trace

MOST_UNITS = 16  # of a layer, its most active
MOST_LAYERS = 32
MOST_CLASSES = 10
# Left out first where there are too many layers: what only passes numbers on.
_PASSING = ("dropout", "identity", "flatten", "norm", "normalise", "scale", "relu")


def html(trace: "Trace") -> str:
    """Static HTML: every layer's most active units, each layer on its own scale around 0."""
    shown = _shown(trace.layers)
    best = np.argsort(-trace.probabilities)[:MOST_CLASSES]
    pixels = np.clip(np.rint(trace.photo.transpose(1, 2, 0)), 0, 255).astype(np.uint8)
    notes = ["Colours: blue below 0, orange above; the ends of each layer's scale stand below it."]
    computing = [layer for layer in trace.layers if layer.kind != "softmax"]
    if left := len(computing) - len(shown):
        notes.append(f"{left} of {len(computing)} layers are left out.")
    columns = [_column(layer) for layer in shown]
    if any(layer.output.ndim > 1 and len(layer.output) > MOST_UNITS for layer in shown):
        notes.append(f"Of each layer its {MOST_UNITS} most active units, by the mean size.")
    return page.html(
        page.Sheet(
            photo=pixels,
            columns=columns,
            classes=[trace.classes[index] for index in best],
            probabilities=[float(trace.probabilities[index]) for index in best],
            notes=notes,
        )
    )


def _shown(layers: Sequence[TracedLayer]) -> list[TracedLayer]:
    """At most so many: those that compute, then of these every so manieth, the last included."""
    found = [layer for layer in layers if layer.kind != "softmax"]  # its bars say it all
    for kind in _PASSING:
        if len(found) > MOST_LAYERS:
            found = [layer for layer in found if layer.kind != kind]
    if len(found) > MOST_LAYERS:
        places = np.linspace(0, len(found) - 1, MOST_LAYERS).round().astype(int)
        found = [found[place] for place in places]
    return found


def _column(layer: TracedLayer) -> page.Column:
    if layer.output.ndim == 1:  # a vector is one picture, its numbers below each other
        size = len(layer.output)
        return page.Column(
            name=layer.name,
            note=str(size),
            maps=[layer.output[:, None]],
            words=f"{layer.name}: {size} numbers",
        )
    channels, height, width = layer.output.shape
    activity = np.abs(layer.output).mean(axis=(1, 2))
    units = np.sort(np.argsort(-activity)[:MOST_UNITS])
    return page.Column(
        name=layer.name,
        note=f"{channels} · {height}×{width}",
        maps=list(layer.output[units]),
        words=f"{layer.name}, units {', '.join(map(str, units))} of {channels}",
    )
