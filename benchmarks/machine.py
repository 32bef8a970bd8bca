"""What the machine can do at most: the limit that every other figure is read against."""

import platform
import time
from pathlib import Path

import torch

from seethrough.train.precision import type_of
from seethrough.train.recipe import Precision

SIDE = 2048


def matrix_product_gflops(rounds: int = 5, precision: Precision = Precision.FLOAT32) -> float:
    """Best of some products of two SIDE × SIDE matrices, in 10⁹ operations a second."""
    left, right = (torch.randn(SIDE, SIDE).to(type_of(precision)) for _ in range(2))
    _ = left @ right
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        _ = left @ right
        best = min(best, time.perf_counter() - start)
    return 2 * SIDE**3 / best / 1e9


def description() -> str:
    """Processor, threads and versions, in a line."""
    model = platform.processor() or "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return (
        f"{model}, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )
