"""The equations of the way back: the gradient at a cell, the gradient of a learned number.

    at a cell      Σ over the layers that read it, over their cells: gradient there × slope
    at the logits  probability − 1 for the true class, probability − 0 for all others; of k
                   labels the k-th part of that, − 1 for each label that is there
    of a weight    Σ over the cells it took part in: what it was multiplied with × gradient there

A gradient that arrives behind layers that work number by number (activation function, folded
normalisation) goes on through them as steps, × one slope each, as long as nothing else reads what
lies below. The fields of `Equation` read backwards:

| direction | terms                            | input          | weight                        |
|-----------|----------------------------------|----------------|-------------------------------|
| backward  | cells of the layers that read it | gradient there | slope, or turned kernel       |
| backward  | at the logits one, the class     | probability    | 1; bias −1 for the true class |
| parameter | cells that the weight met        | what it met    | gradient of the product       |

Differences are relative to Σ |product|; behind an activation function to Σ |gradient| · max(1,
|slope|), because the slope of a function that levels off is 1 minus something close to 1.

`readers` tells which layer's units the terms' channels are. `framework` is autograd's number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from seethrough.errors import LayerError
from seethrough.explain.assembly import Chain, Subject, add, assemble
from seethrough.explain.equation import Equation
from seethrough.explain.layer import PHOTO, Layers, TracedLayer
from seethrough.explain.operations.activation import Activation
from seethrough.explain.operations.affine import Affine, Statistics
from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Learned,
    Map,
    Products,
    one_product,
    products,
    together,
)
from seethrough.explain.operations.convolution import Convolution
from seethrough.explain.operations.dropout import Dropout
from seethrough.explain.operations.factor import Factor
from seethrough.explain.place import cell_in, check_index
from seethrough.explain.precision import FLOAT32, Precision, coarsest
from seethrough.explain.sentence import gradient_sentence, parameter_sentence
from seethrough.explain.sight import sees_cell
from seethrough.explain.term import Reader
from seethrough.explain.truth import Truth

AT_LOGITS = "probability - 1 for the true class, - 0 for the others"
AT_LABELS = "(probability - 1 for a label that is there, - 0 for the others) × 1 / labels"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slopes:
    """Everything that the framework's way back computed."""

    layers: Layers
    logits: str  # the name of the layer whose output the loss was taken from
    probabilities: Float32[np.ndarray, " k"]
    truth: Truth
    outputs: Mapping[str, Float32[np.ndarray, "..."]]  # by layer, and of the photo
    parameters: Mapping[str, Mapping[str, Float32[np.ndarray, "..."]]]

    def of(self, layer: str) -> Float32[np.ndarray, "..."]:
        """At a layer's output."""
        if layer != PHOTO:
            self.layers.layer(layer)
        try:
            return self.outputs[layer]
        except KeyError:
            raise LayerError(
                f"No gradient comes back to {layer}.",
                why=f"the loss is taken from {self.logits}, and {layer} is not on the way there.",
                fix=f"choose one of: {', '.join(self.outputs)}.",
            ) from None

    def map(self, layer: str) -> Map:
        """The same as a map: a vector is a map of 1 × 1 cells."""
        output = self.of(layer)
        return output if output.ndim == 3 else output.reshape(-1, 1, 1)

    def value(self, layer: str, cell: Cell) -> float:
        """The framework's number at a cell."""
        return float(self.map(layer)[cell.unit, cell.row, cell.column])

    def readers(self, layer: str) -> list[tuple[TracedLayer, int]]:
        """Who reads a layer, and as its which input, as far as a gradient comes back from there."""
        return [
            (reader, which)
            for reader in self.layers.all
            for which, name in enumerate(reader.inputs)
            if name == layer and reader.name in self.outputs
        ]


def gradient_equation(
    slopes: Slopes, name: str, unit: int, row: int | None, column: int | None
) -> Equation:
    """Take the gradient at one cell apart."""
    shape = slopes.map(name).shape
    is_vector = slopes.of(name).ndim == 1
    cell = cell_in(name, (shape[0], shape[1], shape[2]), unit, row, column, is_vector=is_vector)
    is_at_logits = name == slopes.logits
    readers = [] if is_at_logits else slopes.readers(name)
    parts = [_part(slopes, reader, which, cell) for reader, which in readers]
    firsts = np.cumsum([0, *(reader.map_shape[0] for reader, _ in readers)])[:-1].tolist()
    if is_at_logits:
        arithmetic = _at_logits(slopes, cell)
    else:
        arithmetic = Arithmetic(products=together(parts, firsts) if parts else _nothing())
    sizes = [_size(reader, part) for (reader, _), part in zip(readers, parts, strict=True)]
    added = add(arithmetic, None if is_at_logits else sum(sizes, 0.0))
    chain = Chain(cell, added, _precision(slopes, name, readers))
    _go_down(slopes, name, cell, chain)
    who = tuple(
        Reader(reader.name, reader.kind, first, reader.map_shape[0])
        for (reader, _), first in zip(readers, firsts, strict=True)
    )
    subject = Subject(
        kind="loss" if is_at_logits else readers[0][0].kind if len(readers) == 1 else "sum",
        layer=name,
        cell=cell,
        is_vector=is_vector,
        formula=_at_logits_formula(slopes) if is_at_logits else _formula(readers),
        framework=slopes.value(name, cell),
        sees=_sees(slopes, name, cell),
        options={"kernel": _window(parts[0])} if len(parts) == 1 else {},
        direction="backward",
        readers=who,
    )
    said = gradient_sentence(
        name, None if is_vector else cell, unit, who, arithmetic, added.digits, chain.steps
    )
    return assemble(subject, arithmetic, added, chain, said)


def parameter_equation(slopes: Slopes, layer: str, name: str, index: tuple[int, ...]) -> Equation:
    """Take the gradient of one learned number apart."""
    found = slopes.layers.layer(layer)
    gradients = slopes.parameters.get(layer, {})
    if name not in gradients or not isinstance(found.operation, Learned):
        raise LayerError(
            f"{layer} has no learned {name}.",
            why=f"what it learns: {', '.join(gradients) or 'nothing'}.",
            fix="choose a layer and a parameter that training moves.",
        )
    check_index(name, index, gradients[name].shape, of=layer)
    below, upstream = slopes.layers.maps_below(layer), slopes.map(layer)
    terms = found.operation.parameter_gradient(below, upstream, name, index)
    arithmetic = Arithmetic(products=terms)
    added = add(arithmetic)
    cell = Cell(index[0] if index else 0)
    subject = Subject(
        kind=found.kind,
        layer=layer,
        cell=cell,
        is_vector=True,
        formula=f"sum of ({'gradient' if name == 'bias' else 'what the weight met × gradient'})",
        framework=float(gradients[name][index]),
        sees=(0, 0, *slopes.layers.photo.shape[1:]),
        options={"kernel": upstream.shape[1:]} if isinstance(found.operation, Convolution) else {},
        direction="parameter",
        readers=(Reader(layer, found.kind, 0, found.map_shape[0]),),
        parameter=name,
        index=index,
    )
    said = parameter_sentence(layer, name, index, arithmetic, added.digits)
    return assemble(subject, arithmetic, added, Chain(cell, added, found.precision), said)


def _precision(slopes: Slopes, name: str, readers: Sequence[tuple[TracedLayer, int]]) -> Precision:
    """Of the layer's gradient, and of those that it is added up from."""
    own = FLOAT32 if name == PHOTO else slopes.layers.layer(name).precision
    return coarsest(own, *(reader.precision for reader, _ in readers))


def _part(slopes: Slopes, reader: TracedLayer, which: int, cell: Cell) -> Products:
    below, upstream = slopes.layers.maps_below(reader.name), slopes.map(reader.name)
    return reader.operation.input_gradient(below, upstream, which, cell)


def _size(reader: TracedLayer, part: Products) -> float:
    """Of what was added up: a slope that levels off is 1 minus something close to 1."""
    if isinstance(reader.operation, Activation):
        return float(np.abs(part.input * np.maximum(1, np.abs(part.weight))).sum())
    return float(np.abs(part.product).sum())


def _at_logits(slopes: Slopes, cell: Cell) -> Arithmetic:
    probability = float(slopes.probabilities[cell.unit])
    share = slopes.truth.share
    wanted = share * float(cell.unit in slopes.truth.labels)
    return Arithmetic(products=one_product(cell, probability, share), bias=-wanted)


def _at_logits_formula(slopes: Slopes) -> str:
    return AT_LABELS if slopes.truth.is_several else AT_LOGITS


def _nothing() -> Products:
    return products([], [], [], [], [])


def _go_down(slopes: Slopes, name: str, cell: Cell, chain: Chain) -> None:
    """Through the layers below that work number by number and are read by this one alone."""
    while name != PHOTO:
        layer = slopes.layers.layer(name)
        operation = layer.operation
        if not isinstance(operation, Activation | Affine | Dropout) or len(layer.inputs) != 1:
            return
        if isinstance(operation, Affine) and operation.statistics is not Statistics.TRAINING:
            return
        (below,) = layer.inputs
        if len(slopes.readers(below)) != 1 or slopes.map(below).shape != layer.map_shape:
            return
        (read,) = slopes.layers.maps_below(name)
        slope = operation.slope(cell, float(read[cell.unit, cell.row, cell.column]))
        size = max(1.0, abs(slope)) if isinstance(operation, Activation) else abs(slope)
        factor = Factor(slope, layer.kind, size)
        chain.go(name, factor, slopes.value(below, cell), layer.precision)
        name = below


def _formula(readers: list[tuple[TracedLayer, int]]) -> str:
    if not readers:
        return "nothing reads it: no gradient comes back"
    names = _and(list(dict.fromkeys(reader.name for reader, _ in readers)))
    if len(readers) == 1 and isinstance(readers[0][0].operation, Convolution):
        return f"sum over all units of {names} of (gradient × turned kernel)"
    return f"sum over all cells of {names} that read it of (gradient × slope)"


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _window(part: Products) -> tuple[int, int]:
    """Rows and columns of the window that the terms of one channel make."""
    first = part.channel == part.channel[0] if len(part.channel) else np.zeros(0, bool)
    return len(np.unique(part.row[first])) or 1, len(np.unique(part.column[first])) or 1


def _sees(slopes: Slopes, name: str, cell: Cell) -> tuple[int, int, int, int]:
    if name == PHOTO:
        return cell.row, cell.column, cell.row + 1, cell.column + 1
    return sees_cell(slopes.layers, slopes.layers.layer(name), cell)
