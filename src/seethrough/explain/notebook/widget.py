"""A trace as a page to click in: what the page is given, and the answers to what it asks.

The page (studio/src/notebook, built into `built/`) is given once, as the state of an anywidget:

    sheet    names, sizes and scales of the layers, classes, probabilities: JSON
    pixels   the photo, uint8 h w 3
    maps     float32, little-endian: each layer's shown units, or its vector, beginning at `first`

and then asks by message; `id` comes back as it was sent:

    {id, ask: "equation", layer, unit, row, column}  → {id, equation} with the fields of `Equation`
    {id, ask: "map", layer, unit}                    → {id} and one buffer, float32 h w
    what cannot be answered                          → {id, error: {what, why, fix}}

Numbers that are not finite are null in JSON; their digits are shown as they are. Importing this
module raises ImportError where the extra `notebook` is not installed.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import anywidget
import numpy as np
import traitlets
from jaxtyping import Float32

from seethrough.draw.colour import extent
from seethrough.errors import LayerError
from seethrough.explain.equation import Json
from seethrough.explain.layer import TracedLayer
from seethrough.explain.notebook.selection import computing, most_active, shown
from seethrough.explain.notebook.still import html
from seethrough.explain.place import cell_of

if TYPE_CHECKING:
    from seethrough.explain.trace import Trace

_BUILT = Path(__file__).parent / "built"  # from studio/src/notebook
_FLOAT = np.dtype("<f4")


class Question(TypedDict):
    """What the page asks; row and column are null for a vector and for a whole map."""

    id: int
    ask: str
    layer: str
    unit: int
    row: int | None
    column: int | None


class Widget(anywidget.AnyWidget):  # type: ignore[misc]  # untyped where the extra is missing
    """The page of one trace; it keeps the trace as long as the notebook keeps the page."""

    _esm = _BUILT / "widget.js"
    _css = _BUILT / "widget.css"
    sheet = traitlets.Dict().tag(sync=True)
    pixels = traitlets.Bytes().tag(sync=True)
    maps = traitlets.Bytes().tag(sync=True)

    def __init__(self, trace: "Trace") -> None:
        photo = np.clip(np.rint(trace.photo.transpose(1, 2, 0)), 0, 255).astype(np.uint8)
        super().__init__(sheet=sheet(trace), pixels=photo.tobytes(), maps=maps(trace))
        self._trace = trace
        self.on_msg(self._asked)

    def _repr_html_(self) -> str:
        """The picture, for those who read the notebook's file where no kernel runs."""
        return html(self._trace)

    def _asked(self, _: object, question: Question, __: object) -> None:
        content, buffers = answer(self._trace, question)
        self.send(content, buffers)


def answer(trace: "Trace", question: Question) -> tuple[dict[str, Json], list[bytes]]:
    """One question of the page: the message that answers it, and its buffers."""
    number, layer, unit = question["id"], question["layer"], question["unit"]
    try:
        if question["ask"] == "map":
            found = trace.layer(layer)
            cell_of(found, unit, 0, 0)
            return {"id": number}, [found.map[unit].astype(_FLOAT).tobytes()]
        equation = trace.equation(layer, unit, question["row"], question["column"])
    except LayerError as error:
        parts: dict[str, Json] = {"what": error.what, "why": error.why, "fix": error.fix}
        return {"id": number, "error": parts}, []
    return {"id": number, "equation": _finite(equation.to_dict())}, []


def sheet(trace: "Trace") -> dict[str, Json]:
    """Names, sizes and scales; `first` counts float32 numbers of `maps`."""
    layers = shown(trace.layers)
    first = 0
    described: list[Json] = []
    for layer in layers:
        described.append({**_described(layer), "first": first})
        first += _numbers(layer).size
    last = trace.layers[-1]
    height, width = trace.photo.shape[1:]
    return {
        "photo": {"height": height, "width": width},
        "layers": described,
        "num_left_out": len(computing(trace.layers)) - len(layers),
        "classes": list(trace.classes),
        "probabilities": [_finite(float(share)) for share in trace.probabilities],
        "softmax": {"name": last.name, "inputs": list(last.inputs), "kind": last.kind},
    }


def maps(trace: "Trace") -> bytes:
    """The numbers of all shown layers, one after the other."""
    numbers = [_numbers(layer).ravel() for layer in shown(trace.layers)]
    return np.concatenate(numbers).astype(_FLOAT).tobytes()


def _described(layer: TracedLayer) -> dict[str, Json]:
    is_vector = layer.output.ndim == 1
    return {
        "name": layer.name,
        "kind": layer.kind,
        "text": layer.text,
        "known": layer.known,
        "inputs": list(layer.inputs),
        "shape": list(layer.shape),
        "units": [] if is_vector else [int(unit) for unit in most_active(layer)],
        "extent": extent(layer.output),
        "receptive_field_px": layer.receptive_field_px,
    }


def _numbers(layer: TracedLayer) -> Float32[np.ndarray, "..."]:
    return layer.output if layer.output.ndim == 1 else layer.output[most_active(layer)]


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    return value
