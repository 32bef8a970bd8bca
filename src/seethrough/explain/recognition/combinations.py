"""Calls that read several activations, or weigh one against all others: sums, joins, softmax."""

from typing import cast

from torch import Tensor

from seethrough.explain.operations.combination import Add, Concat, Multiply
from seethrough.explain.operations.softmax import LogSoftmax, Softmax
from seethrough.explain.recognition.pointwise import lowered, scaled, shifted
from seethrough.explain.recognition.question import (
    Question,
    Recognised,
    Recogniser,
    number,
    whole,
)


def add(asked: Question) -> Recognised | None:
    """x + y, or x plus a constant."""
    both = _both(asked)
    if both is None:
        return shifted(asked)
    return Recognised(both, Add(weights=(1.0, number(asked.argument(2, "alpha", 1)))))


def subtract(asked: Question) -> Recognised | None:
    """x − y, or with a constant."""
    both = _both(asked)
    if both is None:
        return lowered(asked)
    weight = -number(asked.argument(2, "alpha", 1))
    if asked.call.name in {"rsub", "__rsub__"}:
        both = both[1], both[0]
    return Recognised(both, Add(weights=(1.0, weight)))


def multiply(asked: Question) -> Recognised | None:
    """x · y, or x times a constant."""
    both = _both(asked)
    return scaled(asked) if both is None else Recognised(both, Multiply())


def concat(asked: Question) -> Recognised | None:
    """cat(tensors, dim) along the channels."""
    parts = asked.argument(0, "tensors")
    dim = whole(asked.argument(1, "dim", asked.call.keywords.get("axis", 0)))
    if not isinstance(parts, tuple | list) or not all(asked.is_activation(part) for part in parts):
        return None
    tensors = tuple(cast(list[Tensor], parts))
    if any(tensor.ndim not in {2, 4} or dim % tensor.ndim != 1 for tensor in tensors):
        return None
    return Recognised(tensors, Concat(channels=tuple(tensor.shape[1] for tensor in tensors)))


def softmax(asked: Question) -> Recognised | None:
    """softmax over a vector."""
    vector = _over_a_vector(asked)
    return None if vector is None else Recognised((vector,), Softmax())


def log_softmax(asked: Question) -> Recognised | None:
    """log_softmax over a vector."""
    vector = _over_a_vector(asked)
    return None if vector is None else Recognised((vector,), LogSoftmax())


def _both(asked: Question) -> tuple[Tensor, Tensor] | None:
    first, second = asked.argument(0, "input"), asked.argument(1, "other")
    if not isinstance(first, Tensor) or not isinstance(second, Tensor):
        return None
    if not asked.is_activation(first) or not asked.is_activation(second):
        return None
    return (first, second) if first.ndim == second.ndim else None


def _over_a_vector(asked: Question) -> Tensor | None:
    vector, dim = asked.image, asked.argument(1, "dim")
    if vector is None or vector.ndim > 2 or dim is None:
        return None
    return vector if whole(dim) % vector.ndim == vector.ndim - 1 else None


COMBINATIONS: dict[str, Recogniser] = {
    "add": add,
    "__radd__": add,
    "sub": subtract,
    "subtract": subtract,
    "rsub": subtract,
    "__rsub__": subtract,
    "mul": multiply,
    "multiply": multiply,
    "__rmul__": multiply,
    "cat": concat,
    "concat": concat,
    "concatenate": concat,
    "softmax": softmax,
    "log_softmax": log_softmax,
}
