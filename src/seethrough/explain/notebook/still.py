"""A trace as a notebook shows it: the photo, the layers from left to right, the probabilities."""

from typing import TYPE_CHECKING

import numpy as np

from seethrough.draw import page
from seethrough.explain.layer import TracedLayer
from seethrough.explain.notebook.selection import MOST_UNITS, computing, most_active, shown

if TYPE_CHECKING:
    from seethrough.explain.trace import Trace

MOST_CLASSES = 10


def html(trace: "Trace") -> str:
    """Static HTML: every layer's most active units, each layer on its own scale around 0."""
    layers = shown(trace.layers)
    best = np.argsort(-trace.probabilities)[:MOST_CLASSES]
    pixels = np.clip(np.rint(trace.photo.transpose(1, 2, 0)), 0, 255).astype(np.uint8)
    notes = ["Colours: blue below 0, orange above; the ends of each layer's scale stand below it."]
    every = computing(trace.layers)
    if left := len(every) - len(layers):
        notes.append(f"{left} of {len(every)} layers are left out.")
    columns = [_column(layer) for layer in layers]
    if any(layer.output.ndim > 1 and len(layer.output) > MOST_UNITS for layer in layers):
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
    units = most_active(layer)
    return page.Column(
        name=layer.name,
        note=f"{channels} · {height}×{width}",
        maps=list(layer.output[units]),
        words=f"{layer.name}, units {', '.join(map(str, units))} of {channels}",
    )
