"""The check that anyone may run on any network: do the equations hold, as computed and as shown.

Random cells of random photos, every known layer in turn. For each, the equation's own terms are
added up anew (`math.fsum`) and compared with the framework's tensor; the steps that follow too:

    relative difference  |Σ products + bias − framework| / (Σ |product| + |bias|)

In float32 it stays below 1e-5; what other number types explain stands in `precision`. Numbers that
are not finite cannot be compared: float16 ends at 65,504. The displayed digits are read as a reader
would (`reading`).

Backwards the same: for each photo a random class is called the true one, and random cells of every
gradient map and random learned numbers of every layer are held against the framework's autograd.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from torch import nn

from seethrough.errors import LayerError
from seethrough.explain.assembly import relative
from seethrough.explain.backward import Backward, backward
from seethrough.explain.equation import Equation
from seethrough.explain.layer import TracedLayer
from seethrough.explain.precision import FLOAT32
from seethrough.explain.reading import reads_true
from seethrough.explain.trace import Trace, trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was checked and how far off the worst of it was."""

    cells: int
    layers: Mapping[str, float]  # worst relative difference of each layer, forwards
    kinds: Mapping[str, float]  # and of each kind of layer
    forward_worst: float
    worst: str  # where that was
    gradients: int  # cells and learned numbers whose gradient was checked
    backward_layers: Mapping[str, float]  # worst relative difference of each layer, backwards
    backward_worst: float  # 0 where no gradient can be taken
    worst_gradient: str  # where that was, or why there is none
    adds_up: float  # share of the equations whose displayed digits add up exactly, 0..1
    wrong: tuple[str, ...]  # where they do not
    precision: str  # the coarsest number type that was met
    tolerance: float  # the relative difference that it explains
    beyond: tuple[str, ...]  # where a difference is larger than its own number type explains
    not_finite: tuple[str, ...]  # those of them where the framework has inf or nan
    unknown: tuple[str, ...]  # layers that have no equation

    @property
    def holds(self) -> bool:
        """Whether rounding explains every difference, and all displayed digits add up."""
        return not self.beyond and not self.wrong

    def to_dict(self) -> dict[str, int | float | str | list[str] | dict[str, float]]:
        """The same, ready for JSON."""
        return {
            "cells": self.cells,
            "layers": dict(self.layers),
            "kinds": dict(self.kinds),
            "forward_worst": self.forward_worst,
            "worst": self.worst,
            "gradients": self.gradients,
            "backward_layers": dict(self.backward_layers),
            "backward_worst": self.backward_worst,
            "worst_gradient": self.worst_gradient,
            "adds_up": self.adds_up,
            "wrong": list(self.wrong),
            "precision": self.precision,
            "tolerance": self.tolerance,
            "beyond": list(self.beyond),
            "not_finite": list(self.not_finite),
            "unknown": list(self.unknown),
        }

    def __str__(self) -> str:
        width = max(len(kind) for kind in self.kinds)
        lines = [f"{kind:<{width}}  {worst:.1e}" for kind, worst in sorted(self.kinds.items())]
        unknown = f"; not known: {', '.join(self.unknown)}" if self.unknown else ""
        return "\n".join(
            [
                f"{self.cells} cells of {len(self.layers)} layers, worst relative difference:",
                *(f"  {line}" for line in lines),
                f"worst of all: {self.forward_worst:.1e} at {self.worst}",
                f"{self.gradients} gradients, worst: {self.backward_worst:.1e} at "
                f"{self.worst_gradient}",
                f"{self.precision} explains up to {self.tolerance:.1e}; beyond that: "
                f"{len(self.beyond)}, of which not finite: {len(self.not_finite)}",
                f"digits that add up as displayed: {100 * self.adds_up:.6g} %{unknown}",
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One equation, held against the framework and read as it is displayed."""

    equation: Equation
    place: str  # in words
    of: tuple[TracedLayer, ...]  # whose arithmetic it is; backwards at a cell: all that read it
    difference: float  # relative, the worst of the sum and the steps
    adds_up: bool


def verify(
    module: nn.Module,
    images: Sequence[UInt8[np.ndarray, "h w 3"]] | UInt8[np.ndarray, "n h w 3"],
    *,
    cells: int = 200,
    seed: int = 0,
) -> Verification:
    """Check random cells, at least one of every layer; more than `cells` where there are more."""
    random = np.random.default_rng(seed)
    forwards, backwards = _Findings(), _Findings()
    unknown: set[str] = set()
    why_not = ""
    for index, image in enumerate(images):
        share = _share(cells, index, len(images))
        seen = trace(module, image)
        unknown.update(layer.name for layer in seen.layers if not layer.known)
        for check in forward_checks(seen, random, share, start=forwards.count, photo=index):
            forwards.add(check)
        try:
            back = backward(module, image, int(random.integers(len(seen.classes))))
        except LayerError as error:
            why_not = error.what
            continue
        for check in backward_checks(back, random, share, start=backwards.count, photo=index):
            backwards.add(check)
    if not forwards.count:
        raise _nothing()
    wrong = (*forwards.wrong, *backwards.wrong)
    coarsest = max(forwards.coarsest, backwards.coarsest)
    return Verification(
        cells=forwards.count,
        layers=forwards.layers,
        kinds=forwards.kinds,
        forward_worst=forwards.worst,
        worst=forwards.where,
        gradients=backwards.count,
        backward_layers=backwards.layers,
        backward_worst=max(backwards.worst, 0.0),
        worst_gradient=backwards.where or why_not,
        adds_up=1 - len(wrong) / (forwards.count + backwards.count),
        wrong=wrong,
        precision=coarsest[1],
        tolerance=coarsest[0],
        beyond=(*forwards.beyond, *backwards.beyond),
        not_finite=(*forwards.not_finite, *backwards.not_finite),
        unknown=tuple(sorted(unknown)),
    )


def _nothing() -> LayerError:
    return LayerError(
        "There is nothing to check.",
        why="no photo was given, or no layer of the network has an equation.",
        fix="give at least one photo and a network with convolutions or dense layers.",
    )


class _Findings:
    """The worst of many equations."""

    def __init__(self) -> None:
        self.layers: dict[str, float] = {}
        self.kinds: dict[str, float] = {}
        self.wrong: list[str] = []
        self.beyond: list[str] = []
        self.not_finite: list[str] = []
        self.coarsest = (FLOAT32.tolerance, FLOAT32.name)
        self.count, self.worst, self.where = 0, -1.0, ""

    def add(self, check: Check) -> None:
        """Count one in."""
        self.count += 1
        difference, layer, kind = check.difference, check.equation.layer, check.equation.kind
        self.layers[layer] = max(self.layers.get(layer, 0.0), difference)
        self.kinds[kind] = max(self.kinds.get(kind, 0.0), difference)
        if difference > self.worst:
            self.worst, self.where = difference, check.place
        equation = check.equation
        self.coarsest = max(self.coarsest, (equation.tolerance, equation.precision))
        if not difference <= equation.tolerance:
            self.beyond.append(check.place)
        if not math.isfinite(difference):
            self.not_finite.append(check.place)
        if not check.adds_up:
            self.wrong.append(check.place)


def difference_of(equation: Equation) -> float:
    """The worst relative difference of one equation, its terms added up anew."""
    parts = [term.product for term in equation.terms]
    parts += [] if equation.bias is None else [equation.bias]
    try:
        difference = abs(math.fsum(parts) - equation.framework)
        size = max(math.fsum(map(abs, parts)), equation.magnitude)
    except (OverflowError, ValueError):
        return math.inf
    own = relative(difference, size, equation.tiny)
    worst = max(own, *equation.step_differences, 0.0)
    return math.inf if any(map(math.isnan, (own, worst))) else worst


def _share(cells: int, index: int, count: int) -> int:
    return cells * (index + 1) // count - cells * index // count


def forward_checks(
    seen: Trace, random: np.random.Generator, cells: int, *, start: int = 0, photo: int = 0
) -> Iterator[Check]:
    """Random cells, layer after layer; from `start` 0 each of them at least once."""
    known = [layer for layer in seen.layers if layer.known]
    count = max(cells, len(known)) if start == 0 else cells
    for index in range(count if known else 0):
        layer = known[(start + index) % len(known)]
        unit, row, column = (int(random.integers(size)) for size in layer.map_shape)
        is_vector = layer.output.ndim == 1
        equation = seen.equation(
            layer.name, unit, None if is_vector else row, None if is_vector else column
        )
        yield _checked(equation, _place(equation, photo), (layer,))


def backward_checks(
    back: Backward, random: np.random.Generator, count: int, *, start: int = 0, photo: int = 0
) -> Iterator[Check]:
    """In turn at a cell of a layer and at a learned number, as far as they have equations."""
    layers = [name for name in back.layers if all(map(_is_known, back.slopes.readers(name)))]
    numbers = [(layer, name) for layer, own in back.parameters.items() for name in own]
    places: list[tuple[str, str]] = [(layer, "") for layer in layers] + numbers
    count = max(count, len(places)) if start == 0 else count
    for index in range(count if places else 0):
        layer, name = places[(start + index) % len(places)]
        shape = back.parameters[layer][name].shape if name else back.gradient(layer).shape
        at = [int(random.integers(size)) for size in shape]
        what = f"{layer} {name}".rstrip() + f" {', '.join(map(str, at))}, photo {photo}"
        if name:
            own = back.trace.layer(layer)
            yield _checked(back.parameter_equation(layer, name, *at), what, (own,))
        else:
            readers = tuple(reader for reader, _ in back.slopes.readers(layer))
            yield _checked(back.equation(layer, *at), what, readers)


def _checked(equation: Equation, place: str, of: tuple[TracedLayer, ...]) -> Check:
    return Check(
        equation=equation,
        place=place,
        of=of,
        difference=difference_of(equation),
        adds_up=reads_true(equation),
    )


def _is_known(reader: tuple[TracedLayer, int]) -> bool:
    return reader[0].known


def _place(equation: Equation, photo: int) -> str:
    cell = "" if equation.row is None else f", row {equation.row}, column {equation.column}"
    return f"{equation.layer}, unit {equation.unit}{cell}, photo {photo}"
