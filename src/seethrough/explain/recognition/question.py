"""A call of the framework, asked for its meaning; and how its arguments are read.

Activations are the tensors that come from the photo; all others are constants of the network.
Arrays are copies in float32. A map is the one image of a batch: 1 c h w, 1 n or n.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from seethrough.explain.operations.arithmetic import Operation
from seethrough.explain.operations.region import Shape
from seethrough.explain.recording import Argument, Call


@dataclass(frozen=True, slots=True)
class Recognised:
    """The activations that are read, in order, and what is done with them."""

    inputs: tuple[Tensor, ...]
    operation: Operation
    learned: Mapping[str, Tensor] = field(default_factory=dict)
    """The tensors behind the operation's learned parameters, by name."""
    is_turned: bool = False  # the weight's tensor has its axes the other way round


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A call, its result, and which of the tensors in it are activations (by identity)."""

    call: Call
    result: Tensor
    activations: Container[int]

    def argument(self, place: int, name: str, default: Argument = None) -> Argument:
        """By position or by name."""
        return self.call.argument(place, name, default)

    def is_activation(self, value: Argument) -> bool:
        """Whether this comes from the photo."""
        return isinstance(value, Tensor) and id(value) in self.activations

    @property
    def image(self) -> Tensor | None:
        """The first argument, if it is an activation."""
        first = self.argument(0, "input")
        return first if isinstance(first, Tensor) and self.is_activation(first) else None

    @property
    def shape(self) -> Shape | None:
        """The shape of the result as a map."""
        return map_shape(self.result)


Recogniser = Callable[[Question], Recognised | None]


def values(tensor: Tensor) -> Float32[np.ndarray, "..."]:
    """A copy of a tensor's numbers, in the order of its axes."""
    on_cpu = tensor.detach().to("cpu", torch.float32)
    return np.array(on_cpu.numpy(), order="C", copy=True)


def map_shape(tensor: Tensor) -> Shape | None:
    """Channels, rows, columns of the one image in a batch; None for any other arrangement."""
    shape = tensor.shape
    if len(shape) == 4 and shape[0] == 1:
        return shape[1], shape[2], shape[3]
    if len(shape) == 2 and shape[0] == 1:
        return shape[1], 1, 1
    if len(shape) == 1:
        return shape[0], 1, 1
    return None


def is_learned(value: Argument) -> bool:
    """Whether training would move it: a parameter, or something that stands in for one."""
    return isinstance(value, nn.Parameter) or (isinstance(value, Tensor) and value.requires_grad)


def tensors(**named: Argument) -> dict[str, Tensor]:
    """Those of the named values that are learned tensors."""
    return {
        name: value
        for name, value in named.items()
        if isinstance(value, Tensor) and is_learned(value)
    }


def pair(value: Argument) -> tuple[int, int]:
    """Rows and columns, from one number for both or two."""
    if isinstance(value, tuple | list):
        numbers = [whole(number) for number in value]
        return numbers[0], numbers[-1]
    return whole(value), whole(value)


def whole(value: Argument) -> int:
    """A number that is an integer by the framework's own signature."""
    return int(cast(int, value))


def number(value: Argument) -> float:
    """A number by the framework's own signature."""
    return float(cast(float, value))


def optional(value: Argument) -> Float32[np.ndarray, "..."] | None:
    """A copy of a tensor's numbers, if there is one."""
    return values(value) if isinstance(value, Tensor) else None
