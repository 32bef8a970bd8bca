"""What an operator is: attributes in, a function of the node's inputs out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

Attributes = Mapping[str, Any]  # numbers, texts, lists of numbers, tensors
Inputs = Tensor | None
Operator = Callable[..., Tensor | tuple[Tensor, ...]]


def ints(values: Tensor | Sequence[int] | None) -> list[int]:
    """Axes, shapes and pads as a list, wherever the opset keeps them."""
    if values is None:
        return []
    return [int(v) for v in (values.tolist() if isinstance(values, Tensor) else values)]
