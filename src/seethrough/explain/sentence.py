"""An equation as sentences, for screen readers: what was read, what was done, the result.

The digits are those that are displayed, so what is heard is what is seen.
"""

from collections.abc import Sequence

from seethrough.explain.layer import TracedLayer
from seethrough.explain.operations.arithmetic import Arithmetic, Cell
from seethrough.explain.operations.combination import Concat
from seethrough.explain.rounding import Shown
from seethrough.explain.term import EquationStep, Reader, Term


def sentence(
    layer: TracedLayer,
    cell: Cell,
    terms: Sequence[Term],
    digits: Shown,
    steps: Sequence[EquationStep],
) -> str:
    """The whole equation, steps included."""
    place = "" if layer.output.ndim == 1 else f", row {cell.row}, column {cell.column}"
    said = f"{layer.name}, unit {cell.unit}{place}: {_sum(layer, cell, terms, digits)}."
    for step in steps:
        said += f" Then {step.layer}: {step.shown}."
    return said


def gradient_sentence(
    name: str,
    cell: Cell | None,
    unit: int,
    readers: Sequence[Reader],
    arithmetic: Arithmetic,
    digits: Shown,
    steps: Sequence[EquationStep],
) -> str:
    """The gradient at one cell; None: of a vector, which has no rows."""
    place = "" if cell is None else f", row {cell.row}, column {cell.column}"
    count = len(arithmetic.products.channel)
    if arithmetic.bias is not None:
        (probability,), wanted = digits.products[0], digits.bias
        is_shared = arithmetic.products.weight[0] != 1  # by the number of labels
        what = "probability divided by the number of labels," if is_shared else "probability"
        made = f"the {what} {probability} plus {wanted} is {digits.sum}"
    else:
        where = " and ".join(dict.fromkeys(reader.layer for reader in readers)) or "nothing"
        made = f"{_counted(count, 'product')} of gradients at {where} make {digits.sum}"
    said = f"Gradient of the loss at {name}, unit {unit}{place}: {made}."
    for step in steps:
        said += f" Then back through {step.layer}: {step.shown}."
    return said


def parameter_sentence(
    layer: str, name: str, index: tuple[int, ...], arithmetic: Arithmetic, digits: Shown
) -> str:
    """The gradient of one learned number."""
    place = ", ".join(map(str, index))
    count = len(arithmetic.products.channel)
    made = f"{_counted(count, 'product')} of what it met and the gradient there"
    return f"Gradient of the loss for the {name} {place} of {layer}: {made} make {digits.sum}."


def _sum(layer: TracedLayer, cell: Cell, terms: Sequence[Term], digits: Shown) -> str:
    inputs = layer.inputs
    if isinstance(layer.operation, Concat):
        inputs = (inputs[layer.operation.source(cell.unit)[0]],)
    read = " and ".join(dict.fromkeys(inputs))
    one, count = terms[0], len(terms)
    match layer.kind:
        case "max_pool" | "adaptive_max_pool" | "global_max_pool":
            inside = sum(not term.is_padding for term in terms)  # the border never wins
            return f"the largest of {_counted(inside, 'number')} of {read} is {digits.sum}"
        case "avg_pool" | "adaptive_avg_pool" | "global_avg_pool":
            each = f"{_counted(count, 'number')} of {read}, each × {one.shown_weight}"
            return f"{each}, make {digits.sum}"
        case "norm" | "scale":
            shift = "" if digits.bias is None else f", plus {digits.bias},"
            return f"{one.shown_input} of {read} × {one.shown_weight}{shift} is {digits.sum}"
        case "normalise":
            return f"the pixel's {one.shown_input} / 255 is {digits.sum}"
        case "softmax":
            largest = max(terms, key=lambda term: term.input).shown_input
            powers = f"e^(logit - {largest}) of all {count} logits"
            return f"{powers} make {digits.sum}"
        case "add":
            return f"the same cell of {read} together: {digits.sum}"
        case "multiply":
            return f"{one.shown_input} × {one.shown_weight} of {read} is {digits.sum}"
        case "flatten" | "pad" | "rearrange" | "concat":
            if one.is_padding:
                return f"a border of {digits.sum} beside {read}"
            there = f"channel {one.channel}, row {one.row}, column {one.column}"
            return f"{there} of {read}, which is {digits.sum}"
    if count == 1 and digits.bias is None and layer.kind not in {"conv", "dense"}:
        return f"{digits.sum} of {read}"
    products = f"{_counted(count, 'product')} over {_counted(len(digits.channels), 'channel')}"
    bias = "" if digits.bias is None else f" and the bias {digits.bias}"
    return f"{products}{bias} make {digits.sum}"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" + "s" * (count != 1)
