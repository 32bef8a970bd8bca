"""Stopping a long computation between two layers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

Breath = Callable[[], None]  # called again and again; what it raises ends the computation


def go_on() -> None:
    """Nobody asks to stop."""


@contextmanager
def breathing(network: nn.Module, breath: Breath) -> Iterator[None]:
    """Call `breath` before every layer inside, forwards and on the way back."""
    if breath is go_on:
        yield
        return

    def before(_: nn.Module, inputs: Sequence[object]) -> None:
        breath()

    def after(_: nn.Module, inputs: Sequence[object], output: object) -> None:
        if isinstance(output, Tensor) and output.requires_grad:
            output.register_hook(lambda _: breath())  # type: ignore[no-untyped-call]

    handles = []
    for module in network.modules():
        if next(module.children(), None) is None:
            handles.append(module.register_forward_pre_hook(before))
            handles.append(module.register_forward_hook(after))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
