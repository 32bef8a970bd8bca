"""The pieces of an equation: products, channel sums, steps; fields as in the server's messages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One product: a cell of the window times a weight of the kernel."""

    channel: int
    row: int
    column: int
    input: float
    weight: float
    product: float
    shown_input: str
    shown_weight: str
    shown_product: str
    is_padding: bool
    is_winner: bool


@dataclass(frozen=True, slots=True)
class ChannelSum:
    """All products of one input channel together."""

    channel: int
    sum: float
    shown: str


@dataclass(frozen=True, slots=True)
class EquationStep:
    """What is done with the sum afterwards."""

    layer: str
    kind: str
    formula: str
    shown: str
    value: float
    framework: float
    difference: float


@dataclass(frozen=True, slots=True)
class Reader:
    """A layer that read the cell: the terms' channels `first` … are its units 0 …."""

    layer: str
    kind: str
    first: int
    units: int
