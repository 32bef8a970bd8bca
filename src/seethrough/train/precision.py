"""How exactly a step computes its products: in float32, or in bfloat16 where that is quicker.

bfloat16 has the range of float32 and 8 of its 24 binary digits. Convolutions and products of
matrices round what they read to it and add up in float32, forwards and backwards; weights, what the
optimizer remembers, losses and running statistics stay float32 (torch's autocast). Processors
with instructions for it compute several times as many such products a second; without them it is
many times slower, which `quickest` finds out in some hundredths of a second.

The untrained network, the last epoch and everything after a training are judged in float32, as
the network is used; the epochs between as they learn.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch
from torch import Tensor

from seethrough.train.recipe import Precision

QUICKER = 1.3  # times as many products a second, from which on a network is worth a trial
_SIDE, _ROUNDS = 512, 8  # so large that the threads' beginnings do not count
_TYPES = {Precision.FLOAT32: torch.float32, Precision.BFLOAT16: torch.bfloat16}


def computing(precision: Precision) -> AbstractContextManager[object]:
    """Forward passes inside compute their products so; gradients follow."""
    if precision is Precision.FLOAT32:
        return nullcontext()
    return torch.autocast("cpu", dtype=_TYPES[precision])


def widened(answers: Tensor) -> Tensor:
    """What the losses are computed of: float32 where the answers are rounded."""
    return answers.float() if answers.dtype is torch.bfloat16 else answers


def type_of(precision: Precision) -> torch.dtype:
    """Of the numbers that are multiplied."""
    return _TYPES[precision]


def quickest() -> Precision:
    """bfloat16 where these threads multiply matrices clearly sooner in it on this processor."""
    return _measured(torch.get_num_threads())


@cache
def _measured(threads: int) -> Precision:
    """In turns, the best of some; once where bfloat16 is hopelessly slow."""
    best = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    matrices = {kind: torch.ones(_SIDE, _SIDE, dtype=kind) for kind in best}
    for _ in range(1 + _ROUNDS):  # the first one also makes room
        for kind, one in matrices.items():
            began = time.perf_counter()
            torch.mm(one, one)
            best[kind] = min(best[kind], time.perf_counter() - began)
        if best[torch.bfloat16] > 20 * best[torch.float32]:
            break
    is_quicker = best[torch.bfloat16] * QUICKER < best[torch.float32]
    return Precision.BFLOAT16 if is_quicker else Precision.FLOAT32
