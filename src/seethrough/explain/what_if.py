"""What if: one photo through a network with something changed, beside the network as it is.

    weights      single learned numbers, by name and place: ("conv1.weight", (3, 0, 1, 1)) → 0.5
    off          units whose output is 0 from there on: ("relu2", 3)
    functions    another activation function for a layer: relu1 → gelu
    photo        the pixels (`data.alter`)
    temperature  probabilities = softmax(logits / temperature), of several labels sigmoid

All of it happens on a copy, but for what needs none, the photo and the temperature: the module that
was handed in keeps its numbers, its flags and its hooks. `before` and `after` are traces with the
same layers, so that each number has its other. After, the equation of a unit that was switched off
says what it would have been; its `framework` is the 0 that was passed on. With a temperature, so
the equations of softmax.

Raises LayerError for a weight, unit or function that is not there or cannot be changed by itself,
DataError for a number that is none.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from seethrough.data.alter import Alteration, altered
from seethrough.errors import DataError, LayerError
from seethrough.explain.layer import Layers
from seethrough.explain.operations.activation import Activation
from seethrough.explain.outcome import Array, ChangedUnit, Outcome
from seethrough.explain.trace import Trace, each_of, probabilities_of, trace
from seethrough.model.build import FUNCTIONS
from seethrough.model.several import NAME as CLOSING
from seethrough.model.several import is_several
from seethrough.model.spec import Function

Place = tuple[str, tuple[int, ...]]
NO_WEIGHTS: Mapping[Place, float | int] = MappingProxyType({})
NO_FUNCTIONS: Mapping[str, str] = MappingProxyType({})
TEMPERATURES = (0.01, 100.0)  # beyond, softmax is all or nothing, or flat, in float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is changed, of the photo and of the network; the default changes nothing."""

    weights: Mapping[Place, float | int] = field(default_factory=lambda: NO_WEIGHTS)
    off: tuple[tuple[str, int], ...] = ()
    functions: Mapping[str, str] = field(default_factory=lambda: NO_FUNCTIONS)
    photo: Alteration = field(default_factory=Alteration)
    temperature: float | int = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class WhatIf:
    """The same photo twice: through the network as it is, and with the change."""

    before: Trace
    after: Trace
    pixels: UInt8[np.ndarray, "h w 3"]  # that the changed network was shown
    change: Change

    @property
    def probabilities(self) -> Float32[np.ndarray, " k"]:
        """Of each class, by the network as it is."""
        return self.before.probabilities

    @property
    def probabilities_after(self) -> Float32[np.ndarray, " k"]:
        """Of each class, with the change, its temperature included."""
        return self.after.probabilities

    @property
    def changed(self) -> tuple[ChangedUnit, ...]:
        """The units whose maps differ, in the order of the layers."""
        return tuple(
            ChangedUnit(layer, unit, largest)
            for layer, units, sizes in self.outcome.changes()
            for unit, largest in zip(units, sizes, strict=True)
        )

    @property
    def outcome(self) -> Outcome:
        """The numbers alone."""
        return Outcome(
            before=self.before,
            outputs={one.name: self.after.layer(one.name).output for one in self.before.layers},
            logits=self.after.logits,
            probabilities=self.after.probabilities,
            pixels=self.pixels,
        )

    def difference(self, layer: str) -> Float32[np.ndarray, "..."]:
        """After minus before, cell by cell."""
        found: Float32[np.ndarray, ...] = (
            self.after.layer(layer).output - self.before.layer(layer).output
        )
        return found

    def __repr__(self) -> str:
        best = int(self.probabilities.argmax())
        then = int(self.probabilities_after.argmax())
        return (
            f"WhatIf({self.before.classes[best]!r} {self.probabilities[best]:.4f} → "
            f"{self.after.classes[then]!r} {self.probabilities_after[then]:.4f})"
        )


def what_if(
    module: nn.Module,
    image: UInt8[np.ndarray, "h w 3"],
    change: Change,
    *,
    classes: Sequence[str] = (),
    before: Trace | None = None,
) -> WhatIf:
    """Change a copy and the photo, and trace both; `before` where its trace is there already."""
    module = getattr(module, "_orig_mod", module)  # what torch.compile wraps
    check_temperature(change)
    pixels = altered(image, change.photo)
    known = trace(module, image, classes=classes) if before is None else before
    is_written = bool(change.weights or change.off or change.functions)
    own = copied(module, {name for name, _ in change.weights}) if is_written else module
    weights = dict(own.named_parameters())
    for (name, index), value in change.weights.items():
        write_weight(weights, name, index, value)
    off = grouped(known, own, change.off)
    for name, function in change.functions.items():
        set_function(known, own, name, function)
    with _switched_off(own, known, off):
        seen = trace(own, pixels, classes=classes)
    return WhatIf(
        before=known,
        after=_as_passed_on(seen, off, change.temperature),
        pixels=pixels,
        change=change,
    )


def check_temperature(change: Change) -> None:
    """Raises DataError where it is none."""
    low, high = TEMPERATURES
    if not low <= change.temperature <= high:
        raise DataError(
            f"The temperature is {change.temperature}.",
            why=f"logits are divided by it; it goes from {low} to {high}.",
            fix="choose 1 for the probabilities as they are, more for flatter ones.",
        )


def copied(module: nn.Module, written: set[str]) -> nn.Module:
    """A copy in which only the parameters that will be written have memory of their own."""
    shared = {id(p): p for name, p in module.named_parameters() if name not in written}
    return copy.deepcopy(module, dict(shared))


# ---------------------------------------------------------------- weights and functions


def write_weight(
    weights: Mapping[str, Tensor], name: str, index: tuple[int, ...], value: float | int
) -> None:
    """One number of one of these tensors."""
    if name not in weights:
        raise LayerError(
            f"There is no weight {name[:80]!r}.",
            why="this network learns others.",
            fix=f"choose one of: {', '.join(weights)}.",
        )
    weight = weights[name]
    fits = len(index) == weight.ndim and all(
        0 <= place < size for place, size in zip(index, weight.shape, strict=True)
    )
    if not fits:
        raise LayerError(
            f"{name} has no number at {', '.join(map(str, index)) or 'no place'}.",
            why=f"its shape is {' × '.join(map(str, weight.shape))}.",
            fix="give one place for each axis, counted from 0.",
        )
    if not abs(value) <= torch.finfo(weight.dtype).max:
        raise DataError(
            f"{value} cannot be a weight.",
            why="a weight is a finite float32.",
            fix="choose a smaller number.",
        )
    with torch.no_grad():
        weight[index] = value


def set_function(known: Trace, module: nn.Module, name: str, function: str) -> None:
    """Put another activation function in the place of a layer."""
    layer = known.layer(name)
    if not isinstance(layer.operation, Activation):
        raise LayerError(
            f"{name} has no activation function.",
            why=f"it is {layer.kind}.",
            fix=f"choose one of: {_names(known, module, Activation)}.",
        )
    if is_several(module) and name == known.layers[-1].name:
        raise LayerError(
            f"{name} stays as it is.",
            why="it makes the probabilities of the labels.",
            fix=f"choose one of: {_names(known, module, Activation)}.",
        )
    _check_alone(known, module, name, "Its function cannot be exchanged")
    if function not in set(Function):
        raise LayerError(
            f"There is no function {function[:80]!r} to put in.",
            why="it is not among those that networks are written with.",
            fix=f"choose one of: {', '.join(Function)}.",
        )
    module.set_submodule(name, FUNCTIONS[Function(function)]())


# ---------------------------------------------------------------- units that are off


def grouped(
    known: Trace, module: nn.Module, off: Sequence[tuple[str, int]]
) -> dict[str, list[int]]:
    """By layer, after every check that can be made before the network runs."""
    found: dict[str, list[int]] = {}
    for name, unit in off:
        units = known.layer(name).map_shape[0]
        if not 0 <= unit < units:
            raise LayerError(
                f"{name} has no unit {unit}.",
                why=f"it has {units} of them, counted from 0.",
                fix=f"choose a unit from 0 to {units - 1}.",
            )
        _check_alone(known, module, name, "Its units cannot be switched off")
        found.setdefault(name, []).append(unit)
    return found


def _check_alone(known: Trace, module: nn.Module, name: str, cannot: str) -> None:
    """The layer is a module of its own that is used once."""
    parts = dict(module.named_modules())
    if name not in parts or isinstance(parts[name], torch.jit.ScriptModule):
        raise LayerError(
            f"{name} stands in the code of a forward. {cannot}.",
            why="only a layer that is a module of its own can be changed by itself.",
            fix=f"choose one of: {_names(known, module)}.",
        )
    if any(layer.name == f"{name}:2" for layer in known.layers):
        raise LayerError(
            f"{name} is used more than once. {cannot}.",
            why="a change would be one at every place that uses it.",
            fix="choose another layer, or give the network a module for each use.",
        )


def _names(known: Trace, module: nn.Module, kind: type = object) -> str:
    parts = dict(module.named_modules())
    fitting = [
        layer.name
        for layer in known.layers
        if layer.name in parts and isinstance(layer.operation, kind)
    ]
    return ", ".join(fitting) or "none here"


@contextmanager
def _switched_off(module: nn.Module, known: Trace, off: Mapping[str, list[int]]) -> Iterator[None]:
    """Inside, those units put out 0."""
    handles = []
    try:
        for name, units in off.items():
            shape = known.layer(name).shape
            part = module.get_submodule(name)
            silence = silencer(name, units, shape)
            handles.append(
                part.register_forward_hook(
                    lambda _, inputs, output, act=silence: act(inputs, output)
                )
            )
        yield
    finally:
        for handle in handles:
            handle.remove()


def silencer(
    name: str, units: list[int], shape: tuple[int, ...]
) -> Callable[[tuple[object, ...], object], None]:
    """Writes 0 into those units of what a module returned; it is told what that read."""

    def silence(inputs: tuple[object, ...], output: object) -> None:
        given = [item for item in inputs if isinstance(item, Tensor)]
        if not isinstance(output, Tensor) or tuple(output.shape[1:]) != shape:
            raise _cannot(name, "its units do not lie one behind the other, channels first")
        place = output.untyped_storage().data_ptr()
        if any(item is not output and item.untyped_storage().data_ptr() == place for item in given):
            raise _cannot(name, "it only passes on the numbers of the layer that it reads")
        # Through `data`: the recorder takes a counted write for a layer that nobody named.
        output.data[:, units] = 0

    return silence


def _cannot(name: str, why: str) -> LayerError:
    return LayerError(
        f"A unit of {name} cannot be switched off.",
        why=f"{why}.",
        fix="switch off a unit of another layer: a convolution, a normalisation, a function.",
    )


def _as_passed_on(seen: Trace, off: Mapping[str, list[int]], temperature: float | int) -> Trace:
    """What the recorder saw a moment before the units were silenced, as it went on."""
    outputs = {layer.name: layer.output for layer in seen.layers}
    logits, probabilities = pass_on(seen, outputs, off, temperature)
    layers = tuple(dataclasses.replace(layer, output=outputs[layer.name]) for layer in seen.layers)
    recorded = Layers(photo=seen.photo, all=layers, by_name={one.name: one for one in layers})
    return dataclasses.replace(seen, recorded=recorded, logits=logits, probabilities=probabilities)


def pass_on(
    seen: Trace, outputs: dict[str, Array], off: Mapping[str, list[int]], temperature: float | int
) -> tuple[Float32[np.ndarray, " k"], Float32[np.ndarray, " k"]]:
    """Write the zeros into the outputs of a network with these layers; logits, probabilities."""
    for name, units in off.items():
        outputs[name] = outputs[name].copy()
        outputs[name][units] = 0
    last = seen.layers[-1]
    (below,) = last.inputs  # softmax, or the sigmoid of several labels, reads the logits
    if last.kind == CLOSING:
        if temperature != 1:
            outputs[last.name] = each_of(outputs[below], temperature)
    elif below in off or temperature != 1:
        outputs[last.name] = probabilities_of(outputs[below], temperature)
    return outputs[below], outputs[last.name]
