"""One layer of a trace: its operation, its output, and how much of the photo one cell depends on.

The receptive field follows the windows upwards, exactly: a cell i of a layer depends on the pixels
[jump·i + first, jump·i + last) along an axis, and a window (extent, stride, pad) on top of it gives

    first' = first − pad·jump     last' = last + (extent − 1 − pad)·jump     jump' = jump·stride

Where paths meet, the outer bounds count. It ends where a layer reads a whole map (None).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from seethrough.errors import LayerError
from seethrough.explain.operations.arithmetic import Cell, Map, Operation, Value
from seethrough.explain.operations.region import Shape
from seethrough.explain.precision import FLOAT32, Precision

PHOTO = "photo"  # what the first layers read


@dataclass(frozen=True, slots=True)
class View:
    """What a layer's cells depend on along one axis, in pixels, photo's border ignored."""

    first: int = 0
    last: int = 1
    jump: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TracedLayer:
    """What a layer is, what it read and what it wrote."""

    name: str
    operation: Operation = field(repr=False)
    inputs: tuple[str, ...]  # names of layers, or "photo"
    output: Float32[np.ndarray, "..."] = field(repr=False)  # c h w or n
    view: tuple[View, View] | None  # rows, columns
    precision: Precision = field(default=FLOAT32, repr=False)  # of the framework's output
    owned: int = field(default=0, repr=False)  # learned numbers of a layer that is not known

    @property
    def kind(self) -> str:
        """One word: conv, norm, relu, …."""
        return self.operation.kind

    @property
    def text(self) -> str:
        """With its sizes: conv 16 k3 p1."""
        return self.operation.text

    @property
    def known(self) -> bool:
        """Whether it has an equation."""
        return self.operation.kind != "unknown"

    @property
    def options(self) -> Mapping[str, Value]:
        """Kernel, stride, padding, …, as far as it has any."""
        return self.operation.options

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """Weight, bias, …, as far as it has any."""
        return self.operation.parameters

    @property
    def num_parameters(self) -> int:
        """Learned numbers; running means and variances are not among them.

        Of a layer that is not known, all that the module owns, or that the function was given.
        """
        if not self.known:
            return self.owned
        learned = ("weight", "bias")
        return sum(self.parameters[name].size for name in learned if name in self.parameters)

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, rows, columns of a map, or the length of a vector."""
        return self.output.shape

    @property
    def map(self) -> Map:
        """The output as a map: a vector is a map of 1 × 1 cells."""
        return self.output if self.output.ndim == 3 else self.output.reshape(-1, 1, 1)

    def value(self, cell: Cell) -> float:
        """The framework's number at a cell."""
        return float(self.map[cell.unit, cell.row, cell.column])

    @property
    def map_shape(self) -> Shape:
        """Channels, rows and columns of `map`."""
        channels, rows, columns = self.map.shape
        return channels, rows, columns

    @property
    def receptive_field_px(self) -> int | None:
        """Pixels along one axis, the longer one, that one cell depends on; None: all of them."""
        return None if self.view is None else max(side.last - side.first for side in self.view)

    @property
    def active_units(self) -> tuple[bool, ...]:
        """For each unit, whether any of its cells differs from zero."""
        active: list[bool] = np.any(self.map, axis=(1, 2)).tolist()
        return tuple(active)

    @property
    def minimum(self) -> float:
        """The smallest number of the output."""
        return float(self.output.min())

    @property
    def maximum(self) -> float:
        """The largest number of the output."""
        return float(self.output.max())

    def line(self, names: int, texts: int) -> str:
        """One line of a table; the widths of its first columns are given."""
        shape = " × ".join(map(str, self.shape))
        known = "" if self.known else "  (not known)"
        return (
            f"{self.name:<{names}}  {self.text:<{texts}}  {shape:<14}  "
            f"{self.minimum:>10.4f} … {self.maximum:<10.4f} reads {', '.join(self.inputs)}{known}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layers:
    """Everything one forward computed, in order, and the photo that went in."""

    photo: Float32[np.ndarray, "c h w"]  # pixel values, as the module got them
    all: tuple[TracedLayer, ...]
    by_name: Mapping[str, TracedLayer]

    def layer(self, name: str) -> TracedLayer:
        """The layer of this name."""
        try:
            return self.by_name[name]
        except KeyError:
            raise LayerError(
                f"There is no layer {name!r}.",
                why="this network's layers have other names.",
                fix=f"choose one of: {', '.join(self.by_name)}.",
            ) from None

    def maps_below(self, name: str) -> tuple[Map, ...]:
        """The outputs that a layer reads, in its order, as maps."""
        return tuple(
            self.photo if below == PHOTO else self.by_name[below].map
            for below in self.layer(name).inputs
        )

    def following(self, name: str) -> Iterator[TracedLayer]:
        """The layers after this one, while each reads only the one before, and alone reads it."""
        while True:
            readers = [layer for layer in self.all if name in layer.inputs]
            if len(readers) != 1 or readers[0].inputs != (name,):
                return
            yield readers[0]
            name = readers[0].name


def field_of_view(
    operation: Operation, below: Sequence[TracedLayer | None]
) -> tuple[View, View] | None:
    """How far the cells of a new layer look; `None` in `below` is the photo itself."""
    spans = operation.spans
    if spans is None or not below:
        return None
    views = [(View(), View()) if layer is None else layer.view for layer in below]
    sides = []
    for axis, span in enumerate(spans):
        seen = [view[axis] for view in views if view is not None]
        if len(seen) < len(views) or len({view.jump for view in seen}) > 1:
            return None
        jump = seen[0].jump
        first = min(view.first for view in seen) - span.pad * jump
        last = max(view.last for view in seen) + (span.extent - 1 - span.pad) * jump
        sides.append(View(first, last, jump * span.stride))
    return sides[0], sides[1]
