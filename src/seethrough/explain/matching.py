"""Which unit of one network does what a unit of another does.

Two networks that learn the same may learn it in another order: their units are matched before
anything is subtracted. Layers are paired by name and kind (where no name is shared: by their order
within each kind). The units of a pair of layers are matched in one of these ways:

    colours      red to red, green to green, blue to blue: what reads the photo
    classes      by the classes' names: the logits and the probabilities
    carried      as in the layer below: what goes unit by unit (norm, relu, pooling), what only
                 moves numbers (flatten), what puts units side by side (concat)
    correlation  everything else: one to one, so that the sum of the correlations is largest
    itself       the same instead, of one network at two moments: its units did not change places

The correlation is Pearson's, of two units' numbers over all cells of all photos given; where the
maps of both networks differ in size, of their means over each photo. It is taken behind the
normalisation that follows and before the function, where a unit that never fires still has a map.
A unit that is constant has none: NaN, which counts as 0 when units are assigned.

Knows nothing of runs. Raises LayerError where a layer or unit has no partner.
Source: Li, Yosinski, Clune, Lipson and Hopcroft, "Convergent learning: do different neural networks
learn the same representations?", ICLR 2016, arXiv:1511.07543, section 3; the assignment is
scipy's (Crouse 2016, doi:10.1109/TAES.2016.140952).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

import numpy as np
from jaxtyping import Float64, Int64

from seethrough.errors import LayerError
from seethrough.explain.answers import Answers, traced_answers
from seethrough.explain.layer import PHOTO, TracedLayer
from seethrough.explain.operations.rearrangement import Rearrangement
from seethrough.explain.pairing import Alone, alone, paired
from seethrough.explain.trace import Trace
from seethrough.explain.unit_sums import UnitSums, assigned

NONE = -1  # no partner
MOST_UNITS = 4096  # of a layer matched by correlation: the table is this number squared
AFFINE = {"norm", "scale", "dropout", "identity"}
# Units of these layers stay what they are, whatever is done to their numbers.
MIXING = {"conv", "dense", "add", "multiply", "concat", "softmax", "log_softmax", "unknown"}
MIXING |= {"normalise", "flatten", "pad", "rearrange", "matrix_product"}


class How(StrEnum):
    """How the units of two layers were matched."""

    COLOURS = "colours"
    CLASSES = "classes"
    CARRIED = "carried"
    CORRELATION = "correlation"
    ITSELF = "itself"
    NOT = "not"  # they could not be


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerMatch:
    """Two layers, and for each unit of the first its partner in the second."""

    first: str
    second: str
    kind: str
    how: How
    units: Int64[np.ndarray, " u"] = field(repr=False)  # NONE where there is no partner
    similarity: Float64[np.ndarray, " u"] = field(repr=False)  # −1..1; NaN: not measured
    measured_at: str | None  # the layer of the first network whose numbers were correlated
    num_second: int  # units of the second layer
    has_equal_maps: bool  # the same rows and columns: cell by cell they can be subtracted
    why: str | None = None  # no units were matched

    @property
    def mean_similarity(self) -> float | None:
        """Of the matched units; None where none was measured."""
        known = self.similarity[(self.units != NONE) & np.isfinite(self.similarity)]
        return float(known.mean()) if len(known) else None

    @property
    def alone_in_second(self) -> tuple[int, ...]:
        """Units of the second layer that are nobody's partner."""
        return tuple(sorted(set(range(self.num_second)) - set(self.units.tolist())))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matching:
    """Every pair of layers in the first network's order, and what has no partner."""

    layers: tuple[LayerMatch, ...]
    alone: tuple[Alone, ...]
    photos: int  # that were sent through both

    def layer(self, name: str) -> LayerMatch:
        """The pair of the first network's layer of this name."""
        for match in self.layers:
            if match.first == name:
                return match
        why = next((one.why for one in self.alone if one.is_first and one.layer == name), None)
        raise LayerError(
            f"{name[:80]} has no partner in the other network.",
            why=why or "the first network has no layer of this name.",
            fix=f"choose one of: {', '.join(match.first for match in self.layers)}.",
        )

    def unit(self, layer: str, unit: int) -> int:
        """The partner of a unit of the first network."""
        match = self.layer(layer)
        if not 0 <= unit < len(match.units) or match.units[unit] == NONE:
            raise LayerError(
                f"{layer}, unit {unit} has no partner in {match.second} of the other network.",
                why=match.why
                or f"of {len(match.units)} and {match.num_second} units each has at "
                "most one partner.",
                fix="choose a unit that has one.",
            )
        return int(match.units[unit])


def match(pairs: Iterable[tuple[Trace, Trace]], *, is_one_network: bool = False) -> Matching:
    """Match the units of two networks by what they answer to the same photos, one pair a photo.

    Of one network at two moments of its training, every unit is its own partner.
    """
    traced = iter(pairs)
    pair = next(traced, None)
    if pair is None:
        raise LayerError(
            "There is no photo to compare the networks on.",
            why="units are matched by what they answer to the same photos.",
            fix="give at least one photo; a few dozen make a correlation that means something.",
        )
    answers = ((traced_answers(one), traced_answers(other)) for one, other in chain([pair], traced))
    return match_answers(*pair, answers, is_one_network=is_one_network)


def match_answers(
    first: Trace,
    second: Trace,
    answers: Iterable[tuple[Answers, Answers]],
    *,
    is_one_network: bool = False,
) -> Matching:
    """The same with a trace of each network, of any photo, and what they answer to all photos."""
    pairs = paired(first, second)
    sums = _measured(first, second, pairs)
    seen = 0
    for here, there in answers:
        seen += 1
        for each in sums.values():
            each.add(here[each.first], there[each.second])
    found: dict[str, LayerMatch] = {}
    for one, other in pairs:
        found[one] = _matched(
            first, second, one, other, found, sums.get(one), is_one_network=is_one_network
        )
    left = [*alone(first, second, pairs, is_first=True)]
    left += alone(second, first, pairs, is_first=False)
    return Matching(layers=tuple(found.values()), alone=tuple(left), photos=seen)


def is_unitwise(layer: TracedLayer) -> bool:
    """Each unit is made of the same unit of the one layer before."""
    return layer.kind not in MIXING and len(layer.inputs) == 1


def _logits(trace: Trace) -> set[str]:
    """The last two layers: the probabilities, and what they are made of."""
    last = trace.layers[-1]
    return {last.name, *last.inputs}


# ---------------------------------------------------------------- which units


def _measured(first: Trace, second: Trace, pairs: Sequence[tuple[str, str]]) -> dict[str, UnitSums]:
    """What is added up over the photos, by the first network's layer that it decides on."""
    sums = {}
    for one, other in pairs:
        layer, partner = first.layer(one), second.layer(other)
        is_moved = isinstance(layer.operation, Rearrangement) or layer.kind == "concat"
        is_softmax = layer is first.layers[-1]
        if is_moved or is_softmax or layer.kind == "normalise" or is_unitwise(layer):
            continue
        if max(len(layer.map), len(partner.map)) <= MOST_UNITS:
            behind = _behind(first, second, layer, partner)
            sums[one] = UnitSums(first=behind[0].name, second=behind[1].name)
    return sums


def _behind(
    first: Trace, second: Trace, layer: TracedLayer, partner: TracedLayer
) -> tuple[TracedLayer, TracedLayer]:
    """Behind the normalisation that follows both, as far as it follows both."""
    followed = first.recorded.following(layer.name), second.recorded.following(partner.name)
    for one, other in zip(*followed, strict=False):
        if one.kind not in AFFINE or other.kind not in AFFINE:
            break
        layer, partner = one, other
    return layer, partner


def _matched(
    first: Trace,
    second: Trace,
    one: str,
    other: str,
    found: Mapping[str, LayerMatch],
    sums: UnitSums | None,
    *,
    is_one_network: bool,
) -> LayerMatch:
    layer, partner = first.layer(one), second.layer(other)
    similarity = np.full(len(layer.map), np.nan)
    measured_at, why = None, None
    if layer.kind == "normalise" and layer.inputs == partner.inputs == (PHOTO,):
        how, units = How.COLOURS, np.arange(len(layer.map))
    elif {one} <= _logits(first) and {other} <= _logits(second):
        how, units = How.CLASSES, _by_name(first.classes, second.classes)
        similarity = _picked(sums.correlation(), units) if sums else similarity
        measured_at = sums.first if sums else None
    elif sums is not None:
        table = sums.correlation()
        how, units = How.CORRELATION, assigned(table)
        if is_one_network:
            how, units = How.ITSELF, np.arange(len(units))
        similarity, measured_at = _picked(table, units), sums.first
    else:
        how, units = How.CARRIED, _carried(layer, partner, found)
        similarity, measured_at = _similarity_below(layer, found)
    if not (units != NONE).any():
        how, why = How.NOT, _why_not(layer, partner)
    return LayerMatch(
        first=one,
        second=other,
        kind=layer.kind,
        how=how,
        units=units.astype(np.int64),
        similarity=similarity,
        measured_at=measured_at,
        num_second=len(partner.map),
        has_equal_maps=layer.map_shape[1:] == partner.map_shape[1:],
        why=why,
    )


def _picked(
    table: Float64[np.ndarray, "u v"], units: Int64[np.ndarray, " u"]
) -> Float64[np.ndarray, " u"]:
    """The similarity of every unit to its partner."""
    return np.where(units == NONE, np.nan, table[np.arange(len(units)), units])


def _by_name(names: Sequence[str], others: Sequence[str]) -> Int64[np.ndarray, " u"]:
    place = {name: index for index, name in enumerate(others)}
    return np.array([place.get(name, NONE) for name in names], dtype=np.int64)


def _why_not(layer: TracedLayer, partner: TracedLayer) -> str:
    if max(len(layer.map), len(partner.map)) > MOST_UNITS:
        return f"more than {MOST_UNITS:,} units of a layer are not matched."
    return f"what {layer.name} reads could not be matched, or is put together in another way."


# ---------------------------------------------------------------- carried from below


def below(
    layer: TracedLayer, partner: TracedLayer, found: Mapping[str, LayerMatch]
) -> list[Int64[np.ndarray, " u"]] | None:
    """The partners of the units that a layer reads, for each of its inputs; None: unknown.

    The pixels' colours stand for themselves.
    """
    if len(layer.inputs) != len(partner.inputs):
        return None
    read = []
    for name, other in zip(layer.inputs, partner.inputs, strict=True):
        if name == other == PHOTO:
            read.append(np.arange(3))
        elif name in found and found[name].second == other:
            read.append(found[name].units)
        else:
            return None
    return read


def _carried(
    layer: TracedLayer, partner: TracedLayer, found: Mapping[str, LayerMatch]
) -> Int64[np.ndarray, " u"]:
    """What the layers below say of this one's units."""
    read, nothing = below(layer, partner, found), np.full(len(layer.map), NONE)
    if read is None:
        return nothing
    if layer.kind == "concat":
        return _side_by_side(read, [found[name].num_second for name in layer.inputs])
    here, there = layer.operation, partner.operation
    if isinstance(here, Rearrangement) and isinstance(there, Rearrangement):
        return _moved(here, there, read[0])
    return read[0] if len(read[0]) == len(layer.map) else nothing


def _side_by_side(
    read: Sequence[Int64[np.ndarray, " _"]], others: Sequence[int]
) -> Int64[np.ndarray, " u"]:
    starts = np.cumsum([0, *others[:-1]])
    return np.concatenate(
        [
            np.where(units == NONE, NONE, units + start)
            for units, start in zip(read, starts, strict=True)
        ]
    )


def _moved(
    here: Rearrangement, there: Rearrangement, units: Int64[np.ndarray, " c"]
) -> Int64[np.ndarray, " u"]:
    """A unit goes where the first of its numbers comes from, in the partner's channel."""
    nothing = np.full(len(here.index), NONE)
    if here.shape[1:] != there.shape[1:]:
        return nothing
    cells = here.shape[1] * here.shape[2]
    comes_from, goes_to = _origin(here), _origin(there)
    place = np.full(there.shape[0] * cells, NONE)
    place[goes_to[goes_to != NONE]] = np.flatnonzero(goes_to != NONE)
    channel, cell = np.divmod(comes_from, cells)
    partner = np.where(comes_from == NONE, NONE, units[channel])
    return np.where(partner == NONE, NONE, place[partner * cells + cell])


def _origin(moved: Rearrangement) -> Int64[np.ndarray, " u"]:
    """For each unit, the place in the input of the first number that comes from there."""
    flat = moved.index.reshape(len(moved.index), -1)
    first = (flat != NONE).argmax(axis=1)
    return np.asarray(flat[np.arange(len(flat)), first])


def _similarity_below(
    layer: TracedLayer, found: Mapping[str, LayerMatch]
) -> tuple[Float64[np.ndarray, " u"], str | None]:
    """That of the units which these are made of."""
    known = [found[name] for name in layer.inputs if name in found]
    nothing = np.full(len(layer.map), np.nan)
    if not known or len(known) != len(layer.inputs):
        return nothing, None
    if layer.kind == "concat":
        return np.concatenate([match.similarity for match in known]), known[0].measured_at
    if isinstance(layer.operation, Rearrangement):
        cells = layer.operation.shape[1] * layer.operation.shape[2]
        origin = _origin(layer.operation)
        picked = known[0].similarity[np.maximum(origin, 0) // cells]
        return np.where(origin == NONE, np.nan, picked), known[0].measured_at
    equal = len(known[0].similarity) == len(layer.map)
    return (known[0].similarity, known[0].measured_at) if equal else (nothing, None)
