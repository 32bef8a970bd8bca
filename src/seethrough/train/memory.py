"""How much memory a step takes, and in which parts a batch fits where there is less.

    bytes of a step ≈ 3 · 4 · images · numbers that all layers give for an image

Each number is kept three times in float32: as it is, as what the next layer keeps of it, and as its
gradient. Weights and photos are left out; half of what is free is left to everything else.
Where a step finds less than that, it is taken again in parts of half the size.
"""

from pathlib import Path

import torch

_COPIES = 3
_BYTES = 4
_SHARE = 0.5  # of the free memory


def step_bytes(images: int, numbers: int) -> int:
    """What a step on so many images takes; `numbers` are those of all layers for one image."""
    return _COPIES * _BYTES * images * numbers


def free_bytes(device: str = "cpu") -> int | None:
    """What the card has free, or the system without swapping; None where it does not say."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def suitable_part(batch: int, numbers: int, free: int | None) -> int:
    """How many images are computed at once: 0 for the whole batch, else a power of two from 2."""
    if free is None or step_bytes(batch, numbers) <= _SHARE * free:
        return 0
    fitting = int(_SHARE * free // step_bytes(1, numbers))
    return max(2, 1 << max(1, fitting.bit_length() - 1))


def is_short(error: Exception) -> bool:
    """Whether this error says that there is no memory left; torch says so in several ways."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return any(words in said for words in ("can't allocate memory", "out of memory", "bad_alloc"))
