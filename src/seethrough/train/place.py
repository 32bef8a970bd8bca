"""Where a network is trained. Never part of a run's identity: it changes speed, not the recipe.

The number of threads splits sums differently, so two thread counts may differ in the last bit:
`runs` records it and says so when a run goes on elsewhere.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.utils import deterministic

from seethrough.errors import RecipeError
from seethrough.train.device import DEVICES, is_here, repeatable


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A device and a number of threads; `None` takes what torch chose for this machine."""

    device: str = "cpu"  # or "cuda": a graphics card
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise RecipeError(
                f"There is no device {self.device!r}.",
                why=f"a network trains on one of these: {', '.join(DEVICES)}.",
                fix='leave the device out, or write "cpu".',
            )
        if not is_here(self.device):
            raise RecipeError(
                f"There is no graphics card for the device {self.device!r}.",
                why="torch finds none: it is missing, or its driver is, or this torch was "
                "installed without CUDA.",
                fix="leave the device out, or install torch with CUDA as pytorch.org says.",
            )
        if self.threads is not None and self.threads < 1:
            raise RecipeError(
                f"{self.threads} threads cannot compute anything.",
                why="the number of threads is a whole number from 1.",
                fix=f"write a number from 1 to {os.cpu_count() or 1}, or leave it out.",
            )

    def num_threads(self) -> int:
        """Threads that training here computes with."""
        return self.threads or torch.get_num_threads()


@contextmanager
def exact(place: Place) -> Iterator[None]:
    """Torch computes repeatably with the place's threads inside; its settings come back after."""
    threads = torch.get_num_threads()
    was_filling = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.set_num_threads(place.num_threads())
    # Filling every new tensor with NaN finds bugs in kernels; it costs time and changes no result.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with repeatable(place.device):
            yield
    finally:
        deterministic.fill_uninitialized_memory = was_filling  # type: ignore[attr-defined]
        torch.set_num_threads(threads)
