"""Looking at a network without changing it: evaluation mode inside a `with`, and back."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


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
