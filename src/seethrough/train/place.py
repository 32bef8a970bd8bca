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


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A device and a number of threads; `None` takes what torch chose for this machine."""

    device: str = "cpu"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.device != "cpu":
            raise RecipeError(
                f"The device {self.device!r} cannot train yet.",
                why="training runs on the processor in this version.",
                fix='leave the device out, or write "cpu".',
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
    was_exact = torch.get_deterministic_debug_mode()
    was_filling = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.set_num_threads(place.num_threads())
    # `use_deterministic_algorithms` would load torch's compiler, which takes more than a second.
    torch.set_deterministic_debug_mode("error")
    # Filling every new tensor with NaN finds bugs in kernels; it costs time and changes no result.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        deterministic.fill_uninitialized_memory = was_filling  # type: ignore[attr-defined]
        torch.set_deterministic_debug_mode(was_exact)
        torch.set_num_threads(threads)
