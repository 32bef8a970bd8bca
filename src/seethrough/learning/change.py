"""What a step changed, by the names of the network's state dict, and one number of it taken apart.

Raises LayerError for a number that is not there or that the training keeps as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from seethrough.errors import LayerError
from seethrough.explain.place import check_index
from seethrough.learning.muon import MuonKernel, muon_kernel
from seethrough.learning.update import Update, update
from seethrough.train.recipe import Optimizer
from seethrough.train.way import Way

Array = Float32[np.ndarray, "..."]


@runtime_checkable
class Change(Protocol):
    """Every learned number before and after a step."""

    @property
    def ways(self) -> Mapping[str, Way]:
        """Of every parameter that learns: how the recipe's optimizer moves it."""

    @property
    def learning_rate(self) -> float:
        """Of the step; a layer may have a share of it."""

    @property
    def weights(self) -> Mapping[str, Array]:
        """Before the step."""

    @property
    def gradients(self) -> Mapping[str, Array]:
        """What the step followed."""

    @property
    def memory(self) -> Mapping[str, Array]:
        """Of the optimizer before the step, by slot: conv1.weight.momentum."""

    @property
    def new_weights(self) -> Mapping[str, Array]:
        """After the step."""

    @property
    def new_memory(self) -> Mapping[str, Array]:
        """Of the optimizer after the step."""

    @property
    def kernels(self) -> dict[str, MuonKernel]:
        """The whole kernel that was asked for last, where Muon moves it; filled when asked."""


def taken_apart(change: Change, name: str, index: Sequence[int], *, share: float = 1.0) -> Update:
    """How one number changed, line by line, at its share of the learning rate."""
    weights = learned(change, name)
    check_index(name, tuple(index), weights.shape)
    place = tuple(index)
    slots, new_slots = (
        _slots(memory, name, place) for memory in (change.memory, change.new_memory)
    )
    if not slots or share == 0:
        raise LayerError(
            f"{name} does not learn.",
            why="its training keeps it as it was when it began; only a gradient is known."
            if not slots
            else "in this epoch only the new end of the network learns.",
            fix="choose another weight.",
        )
    return update(
        change.ways[name],
        learning_rate=change.learning_rate * share * change.ways[name].rate,
        weight=float(weights[place]),
        gradient=float(change.gradients[name][place]),
        memory=slots,
        new_memory=new_slots,
        framework=float(change.new_weights[name][place]),
        muon=_muon(change, name).entry(place) if _is_muons(change, name) else None,
    )


def _is_muons(change: Change, name: str) -> bool:
    return change.ways[name].optimizer is Optimizer.MUON


def _muon(change: Change, name: str) -> MuonKernel:
    if name not in change.kernels:
        change.kernels.clear()
        change.kernels[name] = muon_kernel(
            change.ways[name],
            change.weights[name],
            change.gradients[name],
            change.memory[f"{name}.momentum"],
            change.new_memory[f"{name}.momentum"],
        )
    return change.kernels[name]


def _slots(memory: Mapping[str, Array], name: str, place: tuple[int, ...]) -> dict[str, float]:
    return {
        key.removeprefix(f"{name}."): float(array[place] if array.ndim else array)
        for key, array in memory.items()
        if key.startswith(f"{name}.")
    }


def learned(change: Change, name: str) -> Array:
    """A learned parameter before the step."""
    if name not in change.weights:
        raise LayerError(
            f"There is no weight {name[:80]!r}.",
            why="this network learns others.",
            fix=f"choose one of: {', '.join(change.weights)}.",
        )
    return change.weights[name]
