"""What was tried on a photo, written into a network for good: into a copy of it.

    weights     the changed numbers
    off         a unit that puts out 0 whatever it reads: all weights of its convolution, dense
                layer or normalisation are 0, of that unit alone
    functions   other activation functions in the places of the old ones

A unit of a layer without weights of its own (an activation function, a pooling) is 0 where what it
reads is 0: then the layer below is silenced in its place, if nothing else reads that. What cannot
be said in weights is refused. The photo and the temperature are no part of a network.
Raises LayerError, beside what `what_if` raises.
"""

import dataclasses
from collections.abc import Mapping

import torch
from torch import nn

from seethrough.data.alter import Alteration
from seethrough.errors import LayerError
from seethrough.explain.trace import Trace
from seethrough.explain.what_if import Change, copied, grouped, set_function, write_weight

# Functions that make 0 of 0; so does every pooling.
_PASSING = {
    *("relu", "relu6", "leaky_relu", "prelu", "gelu", "gelu_tanh", "silu", "mish", "tanh"),
    *("elu", "celu", "selu", "hardswish", "dropout", "identity"),
}


def of_network(change: Change) -> Change:
    """The part of a change that a network can keep."""
    return dataclasses.replace(change, photo=Alteration(), temperature=1.0)


def kept(module: nn.Module, known: Trace, change: Change) -> nn.Module:
    """A copy with the change in its weights and functions; `known` is a trace of `module`."""
    module = getattr(module, "_orig_mod", module)  # what torch.compile wraps
    off = grouped(known, module, change.off)
    sources = [
        (_source(known, module, name, unit, change.functions), unit)
        for name, units in off.items()
        for unit in units
    ]
    written = {name for name, _ in change.weights}
    written |= {f"{name}.{kind}" for name, _ in sources for kind in ("weight", "bias")}
    own = copied(module, written)
    weights = dict(own.named_parameters())
    for (name, index), value in change.weights.items():
        write_weight(weights, name, index, value)
    with torch.no_grad():
        for name, unit in sources:
            for kind in ("weight", "bias"):
                if f"{name}.{kind}" in weights:
                    weights[f"{name}.{kind}"][unit] = 0
    for name, function in change.functions.items():
        set_function(known, own, name, function)
    return own


def _source(
    known: Trace, module: nn.Module, name: str, unit: int, functions: Mapping[str, str]
) -> str:
    """The layer whose weights make this unit 0."""
    parts, names = dict(module.named_modules()), {each.name for each in known.layers}
    layer, asked = known.layer(name), name
    while True:
        part = parts.get(layer.name)
        has_weights = isinstance(part, nn.Conv2d | nn.Linear) or (
            isinstance(part, nn.BatchNorm2d) and part.affine
        )
        if has_weights and f"{layer.name}:2" not in names:
            return layer.name
        kind = functions.get(layer.name, layer.kind)
        if has_weights or not (kind in _PASSING or kind.endswith("_pool")):
            raise _cannot(asked, unit, f"{layer.name} ({kind}) has none that make this unit 0")
        (below,) = layer.inputs
        readers = [each.name for each in known.layers if below in each.inputs]
        if len(readers) > 1:
            raise _cannot(asked, unit, f"{below} is read by {' and '.join(readers)}")
        layer = known.layer(below)


def _cannot(name: str, unit: int, why: str) -> LayerError:
    return LayerError(
        f"Unit {unit} of {name} cannot be kept switched off.",
        why=f"a network keeps only weights, and {why}.",
        fix="switch it on again, or switch off a unit of a convolution or a normalisation.",
    )
