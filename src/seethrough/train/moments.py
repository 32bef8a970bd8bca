"""Which steps of a training are kept as moments, and which weights a moment holds.

A moment is the network as it would be judged after a step, kept so that it can be looked at later.
A pure function of steps an epoch, epochs, and the bytes of the weights:

    before anything was learned     step 0
    within the first epoch          steps 1, 2, 4, 8, …
    from then on                    4 an epoch; else 2, 1, one every 2nd, 4th, 8th, … epoch
    always                          the last step

The densest row is taken with which all moments of the run have at most MOST_BYTES, are at most
MOST, and lie APART steps from each other or further after the first epoch: copying and writing
one takes less than a step. Where even the ends of the training are too many, every second, fourth,
… of the first epoch's powers is left out.

Weights that are no numbers any more are not kept.
A moment holds the whole state where WHOLE of them fit into MOST_BYTES. Of a larger network it holds
what fits PART_BYTES: the first kernels, the last layer, then layer after layer from the photo on.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

MOST_BYTES = 200_000_000
MOST = 120
APART = 16
WHOLE = 12
PART_BYTES = 4_000_000
_HEADER, _ENTRY = 4_096, 256  # bytes that a moment's file has beside its numbers, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The moments of one training."""

    steps: frozenset[int]
    names: tuple[str, ...]  # of the weights and running statistics that are kept
    is_whole: bool  # all of them


def plan(state: Mapping[str, Tensor], *, per_epoch: int, epochs: int) -> Plan:
    """The moments of a training of `epochs` times `per_epoch` steps on these weights."""
    whole = size(state, tuple(state))
    is_whole = whole * WHOLE <= MOST_BYTES
    names = tuple(state) if is_whole else chosen(state)
    steps = planned(per_epoch, epochs, size(state, names))
    return Plan(steps=frozenset(steps), names=names, is_whole=is_whole)


def planned(per_epoch: int, epochs: int, moment_bytes: int) -> tuple[int, ...]:
    """The steps that are kept, in order, where each takes so many bytes."""
    most = min(MOST, MOST_BYTES // moment_bytes)
    for powers, apart in _densities(per_epoch, epochs):
        steps = _steps(per_epoch, epochs, powers, apart)
        if len(steps) <= most:
            return steps
    return (0, per_epoch * epochs)[-most:] if most else ()


def chosen(state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """What a moment of a large network holds, in the state's order."""
    kernels = [name for name, tensor in state.items() if tensor.ndim == 4]
    matrices = [name for name, tensor in state.items() if tensor.ndim == 2]
    ends = [*kernels[:1], *matrices[-1:]]
    layers = {name.rpartition(".")[0] for name in ends}
    first = [name for name in state if name.rpartition(".")[0] in layers]
    kept: set[str] = set()
    for name in (*first, *state):
        if size(state, (*kept, name)) <= PART_BYTES:
            kept.add(name)
    return tuple(name for name in state if name in kept)


def size(state: Mapping[str, Tensor], names: tuple[str, ...]) -> int:
    """Bytes of a moment on the disk that holds these, at most."""
    return _HEADER + sum(state[name].nbytes + _ENTRY + len(name) for name in names)


def _densities(per_epoch: int, epochs: int) -> Iterator[tuple[int, float]]:
    """From dense to sparse: factor between early steps, steps between later ones."""
    total = per_epoch * epochs
    for share in (4, 2, 1):
        if per_epoch / share >= APART:
            yield 2, per_epoch / share
    apart = float(per_epoch * math.ceil(APART / per_epoch))
    while apart < total:
        yield 2, apart
        apart *= 2
    factor = 2
    while factor < 2 * per_epoch:
        yield factor, float(total)
        factor *= factor


def _steps(per_epoch: int, epochs: int, factor: int, apart: float) -> tuple[int, ...]:
    total = per_epoch * epochs
    steps, early = {0, total}, 1
    while early < per_epoch:
        steps.add(early)
        early *= factor
    later = (math.ceil(apart * count) for count in range(1, math.floor(total / apart) + 1))
    return tuple(sorted(steps.union(later)))
