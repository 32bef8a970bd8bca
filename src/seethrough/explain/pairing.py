"""Which layer of one network stands for which of another, and which has no partner."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seethrough.explain.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A layer without a partner."""

    layer: str
    is_first: bool  # of the first network
    why: str


def paired(first: Trace, second: Trace) -> list[tuple[str, str]]:
    """By name and kind; where no name is shared, by the order within each kind."""
    others = {(layer.name, layer.kind) for layer in second.layers}
    same = [layer.name for layer in first.layers if (layer.name, layer.kind) in others]
    ends = {"normalise", "softmax"}  # every network that is built or wrapped here has these
    if set(same) - ends:
        return [(name, name) for name in same]
    by_order = dict(zip(_places(second), (layer.name for layer in second.layers), strict=True))
    names = zip(_places(first), (layer.name for layer in first.layers), strict=True)
    return [(name, by_order[place]) for place, name in names if place in by_order]


def _places(trace: Trace) -> list[tuple[str, int]]:
    """The kind of each layer, and how many of it came before."""
    count: Counter[str] = Counter()
    places = []
    for layer in trace.layers:
        places.append((layer.kind, count[layer.kind]))
        count[layer.kind] += 1
    return places


def alone(
    trace: Trace, other: Trace, pairs: Sequence[tuple[str, str]], *, is_first: bool
) -> Iterable[Alone]:
    """The layers of `trace` without a partner, and why."""
    names = {pair[0 if is_first else 1] for pair in pairs}
    kinds = {layer.name: layer.kind for layer in other.layers}
    for layer in trace.layers:
        if layer.name not in names:
            kind = kinds.get(layer.name)
            why = (
                f"the other network's {layer.name} is {kind}, not {layer.kind}."
                if kind is not None and kind != layer.kind
                else f"the other network has no {layer.kind} that stands for it."
            )
            yield Alone(layer=layer.name, is_first=is_first, why=why)
