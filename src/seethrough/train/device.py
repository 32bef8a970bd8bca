"""What a graphics card does otherwise than a processor, as far as a training has to know.

A card (torch calls it "cuda") begins what it is told and goes on by itself: times are true only
after waiting for it. It has its own dice for dropout and its own memory. Everything else is the
same code; tensors lie where the network lies.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

DEVICES = ("cpu", "cuda")
_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # without it cuBLAS adds up in changing orders


def is_here(device: str) -> bool:
    """Whether this machine, and this torch, can compute on it."""
    return device == "cpu" or (device == "cuda" and torch.cuda.is_available())


def name_of(device: str) -> str:
    """The card's name; of the processor none is asked for here."""
    return torch.cuda.get_device_name() if device == "cuda" else ""


def wait(device: str) -> None:
    """Until all that was begun there is done."""
    if device == "cuda":
        torch.cuda.synchronize()


def dice(device: torch.device) -> torch.Generator:
    """The generator that dropout draws from there."""
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    return torch.default_generator


def product_s(matrix: torch.Tensor) -> float:
    """Seconds of the product of a square matrix with itself."""
    wait(matrix.device.type)
    began = time.perf_counter()
    torch.mm(matrix, matrix)
    wait(matrix.device.type)
    return time.perf_counter() - began


@contextmanager
def repeatable(device: str) -> Iterator[None]:
    """The same numbers every time inside; torch's settings come back after.

    On a card some layers have no such way (adaptive pooling, backwards): torch warns of each, and
    last digits may differ. float32 means float32 there too, not the shorter TF32.
    """
    was_exact = torch.get_deterministic_debug_mode()
    # `use_deterministic_algorithms` would load torch's compiler, which takes more than a second.
    torch.set_deterministic_debug_mode("error" if device == "cpu" else "warn")
    try:
        with _unshortened() if device == "cuda" else nullcontext():
            yield
    finally:
        torch.set_deterministic_debug_mode(was_exact)


@contextmanager
def _unshortened() -> Iterator[None]:
    os.environ.setdefault(_WORKSPACE, ":4096:8")
    was_short = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = was_short
