"""How exactly a step computes its products: in float32, or in bfloat16 where that is quicker.

bfloat16 has the range of float32 and 8 of its 24 binary digits. Convolutions and products of
matrices round what they read to it and add up in float32, forwards and backwards; weights, what the
optimizer remembers, losses and running statistics stay float32 (torch's autocast). Processors
with instructions for it compute several times as many such products a second; without them it is
many times slower, which `quickest` finds out in some hundredths of a second.

The untrained network, the last epoch and everything after a training are judged in float32, as
the network is used; the epochs between as they learn.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch
from torch import Tensor

from seethrough.train.device import product_s
from seethrough.train.recipe import Precision

QUICKER = 1.3  # times as many products a second, from which on a network is worth a trial
SIDES = {"cpu": 512, "cuda": 4096}  # so large that the threads' beginnings do not count
_ROUNDS = 8
_TYPES = {Precision.FLOAT32: torch.float32, Precision.BFLOAT16: torch.bfloat16}


def computing(precision: Precision, device: str = "cpu") -> AbstractContextManager[object]:
    """Forward passes inside compute their products so on this device; gradients follow."""
    if precision is Precision.FLOAT32:
        return nullcontext()
    return torch.autocast(device, dtype=_TYPES[precision])


def widened(answers: Tensor) -> Tensor:
    """What the losses are computed of: float32 where the answers are rounded."""
    return answers.float() if answers.dtype is torch.bfloat16 else answers


def type_of(precision: Precision) -> torch.dtype:
    """Of the numbers that are multiplied."""
    return _TYPES[precision]


def quickest(device: str = "cpu") -> Precision:
    """bfloat16 where this device, with these threads, multiplies matrices clearly sooner in it."""
    return _measured(torch.get_num_threads(), device)


@cache
def _measured(threads: int, device: str) -> Precision:
    """In turns, the best of some; once where bfloat16 is hopelessly slow."""
    best = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    side = SIDES[device]
    matrices = {kind: torch.ones(side, side, dtype=kind, device=device) for kind in best}
    for _ in range(1 + _ROUNDS):  # the first one also makes room
        for kind, one in matrices.items():
            best[kind] = min(best[kind], product_s(one))
        if best[torch.bfloat16] > 20 * best[torch.float32]:
            break
    is_quicker = best[torch.bfloat16] * QUICKER < best[torch.float32]
    return Precision.BFLOAT16 if is_quicker else Precision.FLOAT32
