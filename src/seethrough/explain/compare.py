"""Two networks beside each other: probabilities, maps and kernels of matched units, subtracted.

Everything of the second network is put into the first one's order: its units, and the channels that
its kernels read, by `matching`. A difference is the second minus the first. NaN stands where the
second has no partner for it.

    distance   ‖second − first‖ / √(‖first‖² + ‖second‖²) of two layers' weights, over what has a
               partner: 0 where they are equal, 1 where they are at right angles, √2 where opposite

Takes traces and what `matching.match` made of them; arrays out. Knows nothing of runs and files.
Raises LayerError where something cannot be compared, and says why.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from seethrough.errors import LayerError
from seethrough.explain.layer import TracedLayer
from seethrough.explain.matching import NONE, LayerMatch, Matching, below
from seethrough.explain.trace import Trace

WEIGHTED = ("conv", "dense")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beside:
    """The same numbers of both networks, in the first one's order."""

    first: Float32[np.ndarray, "..."]
    second: Float32[np.ndarray, "..."]  # NaN where it has no partner

    @property
    def difference(self) -> Float32[np.ndarray, "..."]:
        """Second minus first."""
        return np.asarray(self.second - self.first)

    @property
    def largest(self) -> float:
        """The largest |difference|; NaN where nothing has a partner."""
        sizes = np.abs(self.difference[np.isfinite(self.difference)])
        return float(sizes.max()) if len(sizes) else math.nan

    @property
    def distance(self) -> float:
        """As in the module's table; NaN where nothing has a partner."""
        known = np.isfinite(self.difference)
        first, second = (each[known].astype(np.float64) for each in (self.first, self.second))
        size = math.sqrt(float((first**2).sum() + (second**2).sum()))
        if not known.any():
            return math.nan
        return float(np.linalg.norm(second - first)) / size if size else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassBeside:
    """What both networks say of one class; None: it is no class of that network."""

    label: str
    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        """Second minus first."""
        if self.first is None or self.second is None:
            return None
        return self.second - self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDifference:
    """How far two layers with weights lie apart."""

    first: str
    second: str
    kind: str
    units: int  # of the first
    matched: int
    similarity: float | None  # mean correlation of the matched units; None: not measured
    distance: float | None  # of their weights; None: cannot be compared
    largest: float | None  # |difference| of a weight
    why: str | None  # the weights cannot be compared, or not all of them


def probabilities(first: Trace, second: Trace) -> tuple[ClassBeside, ...]:
    """The classes of the first network, then those that only the second knows."""
    said = [
        dict(zip(trace.classes, map(float, trace.probabilities), strict=True))
        for trace in (first, second)
    ]
    labels = dict.fromkeys([*first.classes, *second.classes])
    return tuple(
        ClassBeside(label=label, first=said[0].get(label), second=said[1].get(label))
        for label in labels
    )


def maps(first: Trace, second: Trace, matching: Matching, layer: str) -> Beside:
    """A layer's maps (units, rows, columns) for one photo."""
    match = matching.layer(layer)
    if not match.has_equal_maps:
        sizes = [
            " × ".join(map(str, trace.layer(name).map_shape[1:]))
            for trace, name in ((first, match.first), (second, match.second))
        ]
        raise LayerError(
            f"The maps of {match.first} and {match.second} differ in size.",
            why=f"one has {sizes[0]} cells, the other {sizes[1]}.",
            fix="look at them side by side; a cell of one is no cell of the other.",
        )
    return Beside(
        first=first.layer(match.first).map,
        second=_in_order(second.layer(match.second).map, match.units),
    )


def kernels(first: Trace, second: Trace, matching: Matching, layer: str) -> Beside:
    """A layer's weights (unit, channel, row, column; of a dense layer unit, input)."""
    match = matching.layer(layer)
    one, other = first.layer(match.first), second.layer(match.second)
    why = why_no_kernels(one, other, match, matching)
    if why is not None:
        raise LayerError(
            f"The weights of {match.first} and {match.second} cannot be compared.",
            why=why,
            fix=f"choose one of: {', '.join(weighted(first, second, matching)) or 'none'}.",
        )
    weight = _in_order(other.parameters["weight"], match.units)
    channels = channels_of(one, other, matching)
    if channels is not None:
        weight = np.swapaxes(_in_order(np.swapaxes(weight, 0, 1), channels), 0, 1)
    return Beside(first=one.parameters["weight"], second=weight)


def weighted(first: Trace, second: Trace, matching: Matching) -> list[str]:
    """The first network's layers whose weights can be compared."""
    return [
        match.first
        for match in matching.layers
        if match.kind in WEIGHTED
        and why_no_kernels(first.layer(match.first), second.layer(match.second), match, matching)
        is None
    ]


def why_no_kernels(
    one: TracedLayer, other: TracedLayer, match: LayerMatch, matching: Matching
) -> str | None:
    """Why the weights of a pair cannot be subtracted; None: they can."""
    if match.kind not in WEIGHTED:
        return f"{match.first} is {match.kind}, which has no kernels."
    if match.why is not None:
        return match.why
    sizes = [layer.parameters["weight"].shape[2:] for layer in (one, other)]
    if sizes[0] != sizes[1]:
        first, second = (" × ".join(map(str, size)) for size in sizes)
        return f"the kernels differ in size: {first} and {second}."
    groups = [layer.options.get("groups", 1) for layer in (one, other)]
    if groups == [1, 1] or one.kind != "conv":
        read = channels_of(one, other, matching)
        return None if read is not None else "what they read could not be matched."
    depth = [layer.parameters["weight"].shape[1] for layer in (one, other)]
    if depth == [1, 1]:
        return None  # each unit reads one channel, its own
    return "their channels are read in groups."


def channels_of(
    one: TracedLayer, other: TracedLayer, matching: Matching
) -> Int64[np.ndarray, " c"] | None:
    """For each channel or number that a kernel reads, the second's; None: not matched."""
    if one.options.get("groups", 1) != 1:
        return None  # of a depthwise one each unit reads its own
    found = {match.first: match for match in matching.layers}
    read = below(one, other, found)
    if read is None or len(read) != 1:
        return None
    fits = len(read[0]) == one.parameters["weight"].shape[1]
    return read[0] if fits and (read[0] != NONE).any() else None


def layer_differences(
    first: Trace, second: Trace, matching: Matching
) -> tuple[LayerDifference, ...]:
    """Every pair of layers with weights, in their order."""
    return tuple(
        _layer_difference(first, second, matching, match)
        for match in matching.layers
        if match.kind in WEIGHTED
    )


def most_different(layers: Sequence[LayerDifference]) -> tuple[LayerDifference, ...]:
    """The least alike first: by the mean correlation of matched units; not measured ones last."""
    return tuple(
        sorted(layers, key=lambda each: math.inf if each.similarity is None else each.similarity)
    )


def _layer_difference(
    first: Trace, second: Trace, matching: Matching, match: LayerMatch
) -> LayerDifference:
    one, other = first.layer(match.first), second.layer(match.second)
    why = why_no_kernels(one, other, match, matching)
    beside = None if why is not None else kernels(first, second, matching, match.first)
    if beside is not None and np.isnan(beside.second).any():
        why = "over the weights of which both have one: their widths differ."
    return LayerDifference(
        first=match.first,
        second=match.second,
        kind=match.kind,
        units=len(match.units),
        matched=int((match.units != NONE).sum()),
        similarity=match.mean_similarity,
        distance=None if beside is None else beside.distance,
        largest=None if beside is None else beside.largest,
        why=why,
    )


def _in_order(
    array: Float32[np.ndarray, "..."], units: Int64[np.ndarray, " u"]
) -> Float32[np.ndarray, "..."]:
    """Along the first axis; NaN where there is no partner."""
    picked = np.array(array[np.maximum(units, 0)], dtype=np.float32)
    picked[units == NONE] = np.nan
    return picked
