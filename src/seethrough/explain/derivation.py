"""From a cell of a trace to its equation, forwards: the layer's sum and the layers that follow it.

The operation takes the cell apart, `assembly` does the arithmetic that all equations share.
"""

from dataclasses import replace

from seethrough.explain.assembly import Added, Chain, Subject, add, assemble, terms_of
from seethrough.explain.equation import Equation
from seethrough.explain.layer import Layers, TracedLayer
from seethrough.explain.operations.activation import Activation
from seethrough.explain.operations.affine import Affine
from seethrough.explain.operations.arithmetic import Arithmetic, Cell
from seethrough.explain.operations.convolution import Convolution
from seethrough.explain.operations.dense import Dense
from seethrough.explain.operations.dropout import Dropout
from seethrough.explain.operations.softmax import Share
from seethrough.explain.place import cell_of
from seethrough.explain.sentence import sentence
from seethrough.explain.sight import sees_cell


def equation(
    layers: Layers, name: str, unit: int, row: int | None = None, column: int | None = None
) -> Equation:
    """Take one cell apart. Raises LayerError where there is no such cell or no arithmetic."""
    layer = layers.layer(name)
    cell = cell_of(layer, unit, row, column)
    arithmetic = layer.operation.arithmetic(layers.maps_below(name), cell)
    added = add(arithmetic)
    chain = _chain(layers, layer, cell, arithmetic, added)
    framework = layer.value(cell) if arithmetic.framework is None else arithmetic.framework
    subject = Subject(
        kind=layer.kind,
        layer=name,
        cell=cell,
        is_vector=layer.output.ndim == 1,
        formula=layer.operation.formula,
        framework=framework,
        sees=sees_cell(layers, layer, cell),
        options=layer.options,
    )
    terms = terms_of(arithmetic.products, added)
    said = sentence(layer, cell, terms, added.digits, chain.steps)
    return assemble(subject, arithmetic, added, chain, said)


def _chain(
    layers: Layers, layer: TracedLayer, cell: Cell, arithmetic: Arithmetic, added: Added
) -> Chain:
    """The layer's own step, or the layers that follow a sum of products."""
    chain = Chain(cell, added, layer.precision)
    if isinstance(arithmetic.own, Share):
        own = replace(arithmetic.own, shown=added.digits.products[cell.unit][0])
        chain.go(layer.name, own, layer.value(cell), layer.precision)
    elif arithmetic.own is not None:
        chain.go(layer.name, arithmetic.own, layer.value(cell), layer.precision)
    if isinstance(layer.operation, Convolution | Dense):
        for following in layers.following(layer.name):
            if not isinstance(following.operation, Affine | Activation | Dropout):
                break
            chain.go(
                following.name, following.operation, following.value(cell), following.precision
            )
    return chain
