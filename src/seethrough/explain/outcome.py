"""The numbers of every layer with a change, beside those of the network as it is.

A unit has changed where any cell of its map is another number; one that is no number on one side
only counts as infinitely different.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from seethrough.explain.trace import Trace

Array = Float32[np.ndarray, "..."]


@dataclass(frozen=True, slots=True)
class ChangedUnit:
    """A unit whose output differs anywhere."""

    layer: str
    unit: int
    largest: float  # |after − before|, of the cell where it is largest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Outcome:
    """What became of a change."""

    before: Trace
    outputs: Mapping[str, Array]  # with the change, of the layers in their order
    logits: Float32[np.ndarray, " k"]
    probabilities: Float32[np.ndarray, " k"]
    pixels: UInt8[np.ndarray, "h w 3"]  # that the network was shown

    def changes(self) -> Iterator[tuple[str, list[int], list[float]]]:
        """By layers: the name, its units whose maps differ, and by how much each does."""
        for layer in self.before.layers:
            largest = _largest(layer.output, self.outputs[layer.name])
            units = np.flatnonzero(largest)
            if len(units):
                yield layer.name, units.tolist(), largest[units].tolist()


def _largest(before: Array, after: Array) -> Float32[np.ndarray, " units"]:
    old, new = before.reshape(len(before), -1), after.reshape(len(after), -1)
    found: Float32[np.ndarray, " units"]
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(new - old)
    found = apart.max(axis=1)
    if np.isfinite(found).all():
        return found
    same = (old == new) | (np.isnan(old) & np.isnan(new))
    found = np.where(same, 0, np.nan_to_num(apart, nan=np.inf)).max(axis=1)
    return found
