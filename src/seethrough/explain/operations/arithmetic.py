"""What every operation answers about one of its cells, before anything is rounded.

    sum = bias + Σ product        product = input × weight, unless the operation says otherwise

Inputs and weights are the framework's own float32 numbers; products are float64, where the product
of two float32 numbers is exact. `framework` is what the framework computed for `sum`; None stands
for the layer's own output at the cell. `own` is what the operation does with the sum afterwards.

Backwards every operation answers two more questions, again as products whose sum is the answer:

    input gradient      ∂loss/∂x[cell] = Σ ∂loss/∂y · ∂y/∂x[cell]   over all y that read the cell
    parameter gradient  ∂loss/∂w       = Σ ∂loss/∂y · ∂y/∂w         over all y that w takes part in

`upstream` is ∂loss/∂y for every cell of the operation's output, the framework's own numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from seethrough.explain.operations.region import Region, Shape, Span

Map = Float32[np.ndarray, "_c _h _w"]  # the axes of two maps in one signature may differ
Axis = Int64[np.ndarray, " _"]
Value = float | int | bool | str | tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in a layer's output; row and column are 0 in a vector."""

    unit: int
    row: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Products:
    """One entry for each factor pair, channel by channel."""

    channel: Int64[np.ndarray, " t"]
    row: Int64[np.ndarray, " t"]
    column: Int64[np.ndarray, " t"]
    input: Float64[np.ndarray, " t"]
    weight: Float64[np.ndarray, " t"]
    product: Float64[np.ndarray, " t"]
    is_padding: Bool[np.ndarray, " t"]
    is_winner: Bool[np.ndarray, " t"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """A number after one more step, and the step as it is displayed."""

    value: float
    shown: str
    shown_value: str
    magnitude: float  # of what was added up so far: what a rounding error is measured against


@runtime_checkable
class Step(Protocol):
    """Something done with one number, cell by cell."""

    @property
    def kind(self) -> str:
        """The word for it."""

    @property
    def formula(self) -> str:
        """In letters."""

    def apply(
        self, value: float, shown: str, cell: Cell, magnitude: float, decimals: int
    ) -> Stepped:
        """The number after the step; `shown` are the digits that enter it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arithmetic:
    """One cell, taken apart."""

    products: Products
    bias: float | None = None
    framework: float | None = None
    own: Step | None = None


@runtime_checkable
class Operation(Protocol):
    """What a layer computes; vectors enter and leave as maps of 1 × 1 cells."""

    @property
    def kind(self) -> str:
        """One word, the same everywhere: conv, norm, relu, …."""

    @property
    def text(self) -> str:
        """With its sizes: conv 16 k3 p1."""

    @property
    def formula(self) -> str:
        """The general form, in words and letters."""

    @property
    def options(self) -> Mapping[str, Value]:
        """What it was told, by name."""

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """The numbers it holds, by name."""

    @property
    def spans(self) -> tuple[Span, Span] | None:
        """Its window along rows and columns; None where it is not a sliding window."""

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One cell of its output, taken apart."""

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """The gradient at one cell of input number `which`, as far as it comes through here."""

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """What cells of its output read of each input."""


@runtime_checkable
class Learned(Protocol):
    """An operation with numbers that training moves."""

    def parameter_gradient(
        self, inputs: Sequence[Map], upstream: Map, name: str, index: tuple[int, ...]
    ) -> Products:
        """The gradient of one number of the parameter `name`."""


def products(
    channel: Sequence[int] | Int64[np.ndarray, " t"],
    row: Sequence[int] | Int64[np.ndarray, " t"],
    column: Sequence[int] | Int64[np.ndarray, " t"],
    input: np.ndarray | Sequence[float],  # noqa: A002, the field's name everywhere
    weight: np.ndarray | Sequence[float],
    *,
    product: np.ndarray | None = None,
    is_padding: Bool[np.ndarray, " t"] | None = None,
    is_winner: Bool[np.ndarray, " t"] | None = None,
) -> Products:
    """Input times weight in float64, exact for float32 factors."""
    inputs = np.asarray(input, np.float64)
    weights = np.asarray(weight, np.float64)
    none = np.zeros(len(inputs), bool)
    with np.errstate(invalid="ignore", over="ignore"):
        multiplied = inputs * weights
    return Products(
        channel=np.asarray(channel, np.int64),
        row=np.asarray(row, np.int64),
        column=np.asarray(column, np.int64),
        input=inputs,
        weight=weights,
        product=multiplied if product is None else product,
        is_padding=none if is_padding is None else is_padding,
        is_winner=none if is_winner is None else is_winner,
    )


def products_at(cells: Sequence[Axis], inputs: np.ndarray, weights: np.ndarray) -> Products:
    """The same for cells given as channels, rows and columns."""
    channel, row, column = cells
    return products(channel, row, column, inputs, weights)


def together(parts: Sequence[Products], first: Sequence[int]) -> Products:
    """The terms of several sums as one; each part's channels begin at its `first`."""

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    channels = [part.channel + start for part, start in zip(parts, first, strict=True)]
    names = ("row", "column", "input", "weight", "product", "is_padding", "is_winner")
    return Products(channel=np.concatenate(channels), **{name: column(name) for name in names})


def spread_places(cell: Cell, shape: tuple[int, ...], wide: tuple[int, ...]) -> list[Axis]:
    """Channels, rows and columns of all cells of a wide map that read a cell of a narrow one.

    An axis of length 1 is spread over the wide one's; along the others the place is the same.
    """
    sides = [
        np.arange(size) if narrow == 1 else np.array([place])
        for narrow, size, place in zip(shape, wide, (cell.unit, cell.row, cell.column), strict=True)
    ]
    return [side.ravel() for side in np.meshgrid(*sides, indexing="ij")]


def one_product(cell: Cell, value: float, weight: float = 1.0) -> Products:
    """The arithmetic of an operation that reads a single cell, its own."""
    return products([cell.unit], [cell.row], [cell.column], [value], [weight])
