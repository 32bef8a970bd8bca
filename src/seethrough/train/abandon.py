"""A wish to stop that is heard within a step: between two layers, forwards and backwards.

A step of a large network on large images may take longer than anybody waits for a stop. While
`hearing`, after two seconds and then a few times a second at most, the wish is asked for whenever
a layer has answered and whenever a gradient has come back to what it answered. `Abandoned` then
leaves the step from there; whoever took the step undoes what it changed.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

PATIENCE_S = 2.0  # that a stop waits for the end of a step, or of an evaluation
ASKED_EVERY_S = 0.25  # from then on


class Abandoned(Exception):  # noqa: N818 - not an error: somebody wanted it
    """Somebody wants to stop, and did not wait for the end of what was being computed."""


@contextmanager
def hearing(should_stop: Callable[[], bool]) -> Iterator[None]:
    """Abandoned is raised by what this thread computes inside, soon after the wish."""
    own, next_s = threading.get_ident(), time.monotonic() + PATIENCE_S

    def ask() -> None:
        nonlocal next_s
        now = time.monotonic()
        if now < next_s:
            return
        next_s = now + ASKED_EVERY_S
        if should_stop():
            raise Abandoned

    def answered(module: nn.Module, given: object, answer: object) -> None:
        if threading.get_ident() != own:  # another network, computed beside this one
            return
        ask()
        for each in answer if isinstance(answer, tuple | list) else (answer,):
            if isinstance(each, Tensor) and each.requires_grad:
                each.register_hook(came_back)  # type: ignore[no-untyped-call]

    def came_back(gradient: Tensor) -> None:
        ask()

    hook = register_module_forward_hook(answered)
    try:
        yield
    finally:
        hook.remove()
