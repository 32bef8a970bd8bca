"""How much of what this machine can compute a training uses.

    limit  operations a second of the best of some products of two 512 × 512 matrices (4,096 on a
         graphics card), of the numbers that the training multiplies (`train.precision`)
    used   3 · 2 · multiply-adds of the forward pass · training images a second
    share  used / limit

A product of matrices is what processors are best at, and a step is little else: forward, and twice
as much backward. The limit is measured once a process, in about 30 ms, with the threads that are
set then; other programs on the same cores make it smaller. It has no share in any result.
"""

from functools import cache

import torch

from seethrough.train.device import product_s
from seethrough.train.precision import SIDES, type_of
from seethrough.train.recipe import Precision

ROUNDS = 8


def matrix_product(precision: Precision = Precision.FLOAT32, device: str = "cpu") -> float:
    """The limit of a device, with the threads that are set now, in operations a second."""
    return _measured(torch.get_num_threads(), precision, device)


def share_of_limit(
    images_per_second: float | None, multiply_adds: int, limit: float
) -> float | None:
    """The share in use; None where the speed is not known or nothing is multiplied."""
    if images_per_second is None or multiply_adds == 0:
        return None
    return 3 * 2 * multiply_adds * images_per_second / limit


@cache
def _measured(threads: int, precision: Precision, device: str) -> float:
    side = SIDES[device]
    matrix = torch.ones(side, side, dtype=type_of(precision), device=device)
    best = min(product_s(matrix) for _ in range(1 + ROUNDS))  # the first one also makes room
    return 2 * side**3 / best
