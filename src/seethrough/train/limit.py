"""How much of what this machine can compute a training uses.

    limit  operations a second of the best of some products of two 512 × 512 matrices, of the
         numbers that the training multiplies (`train.precision`)
    used   3 · 2 · multiply-adds of the forward pass · training images a second
    share  used / limit

A product of matrices is what processors are best at, and a step is little else: forward, and twice
as much backward. The limit is measured once a process, in about 30 ms, with the threads that are
set then; other programs on the same cores make it smaller. It has no share in any result.
"""

import time
from functools import cache

import torch

from seethrough.train.precision import type_of
from seethrough.train.recipe import Precision

SIDE = 512
ROUNDS = 8


def matrix_product(precision: Precision = Precision.FLOAT32) -> float:
    """The limit with the threads that are set now, in operations a second."""
    return _measured(torch.get_num_threads(), precision)


def share_of_limit(
    images_per_second: float | None, multiply_adds: int, limit: float
) -> float | None:
    """The share in use; None where the speed is not known or nothing is multiplied."""
    if images_per_second is None or multiply_adds == 0:
        return None
    return 3 * 2 * multiply_adds * images_per_second / limit


@cache
def _measured(threads: int, precision: Precision) -> float:
    left, right = (torch.ones(SIDE, SIDE, dtype=type_of(precision)) for _ in range(2))
    best = float("inf")
    for _ in range(1 + ROUNDS):  # the first one also makes room
        began = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - began)
    return 2 * SIDE**3 / best
