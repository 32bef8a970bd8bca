"""The corners of a network: where its output is continuous and its slope jumps.

    relu(x), leaky relu, |x|            at x = 0
    clamp(x, a, b), hardtanh, relu6     at x = a and x = b
    max over a window, or of two        where another number becomes the largest

Each of these functions is on one side of its corner in every cell. `sides` writes them all down
while a network runs; between two runs, `crossed` counts the cells that have changed sides. It sees
the framework's own operations, however a module calls them; other functions with corners, such as a
stranger's kernels, it does not know.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_End = int | float | Tensor


def crossed(one: Sequence[Tensor], other: Sequence[Tensor]) -> int:
    """Cells that lie on different sides of a corner in two runs of one network."""
    if [a.shape for a in one] != [b.shape for b in other]:
        return 1  # its own code has taken another way
    return sum(int((a != b).sum()) for a, b in zip(one, other, strict=True))


@contextmanager
def sides() -> Iterator[list[Tensor]]:
    """What every function with corners does in here, one tensor a call."""
    watching = _Watching()
    with watching:
        yield watching.found


class _Watching(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[Tensor] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = func.overloadpacket.__name__.rstrip("_")
        before = _BEFORE.get(name)
        if before is not None:  # the call may write over what it reads
            self.found.append(before(*args))
        out = func(*args, **(kwargs or {}))
        if name in _WINNERS and isinstance(out, tuple):
            self.found.append(out[1])
        return out


def _positive(x: Tensor, *_: object) -> Tensor:
    return x > 0


def _beyond(x: Tensor, threshold: _End, *_: object) -> Tensor:
    return x > threshold


def _between(x: Tensor, low: _End | None = None, high: _End | None = None) -> Tensor:
    place = torch.zeros_like(x, dtype=torch.int8)
    if low is not None:
        place += x > low
    if high is not None:
        place += x >= high
    return place


def _larger(x: Tensor, other: Tensor) -> Tensor:
    return x > other


_BEFORE: dict[str, Callable[..., Tensor]] = {
    **dict.fromkeys(("relu", "leaky_relu", "_prelu_kernel", "abs"), _positive),
    **dict.fromkeys(("threshold", "clamp_min", "clamp_max"), _beyond),
    "hardtanh": lambda x, low=-1.0, high=1.0: _between(x, low, high),
    "clamp": _between,
    "hardswish": lambda x: _between(x, -3.0, 3.0),
    "hardsigmoid": lambda x: _between(x, -3.0, 3.0),
    "maximum": _larger,
    "minimum": _larger,
}
_WINNERS = {"max_pool2d_with_indices", "adaptive_max_pool2d", "max", "min"}
