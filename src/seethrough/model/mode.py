"""How a network is looked at: evaluation mode, one thread; and afterwards all is as it was."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Every sum in one order. Split over threads it is added up in another one, and its last bit
    may differ: a photo would get other numbers on a server than in a terminal.
    """
    with _ONE_AT_A_TIME:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Every part in evaluation mode, and afterwards each in the mode that it had.

    The flags are set directly: a stranger's own `train()` or `eval()` is not called.
    """
    flags = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in flags:
            part.training = False
        yield
    finally:
        for part, was_training in flags:
            part.training = was_training


def place_of(module: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Where the network's numbers are and of which type; float32 on the CPU if it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return tensor.device, tensor.dtype
    return torch.device("cpu"), torch.float32
