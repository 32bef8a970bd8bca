"""How finely the framework's numbers are rounded, and what that explains of a difference.

A number type keeps x as x·(1 + δ) with |δ| ≤ u, as long as x is not smaller than `tiny`, its
smallest normal number; below that steps are fixed, and what is smaller than one becomes 0.

| type     | u     | tiny   | largest | tolerance |
|----------|-------|--------|---------|-----------|
| float32  | 2^-24 | 2^-126 | 3e38    | 1e-5      |
| bfloat16 | 2^-8  | 2^-126 | 3e38    | 4 u       |
| float16  | 2^-11 | 2^-14  | 65,504  | 4 u       |

Differences are relative to what was added up, but never to less than `tiny`. The tolerance allows
for many roundings one after another: partial sums, and the steps that follow. Doubles are shown as
float32, so their differences are those of float32.

Source: IEEE 754-2019, 3.6, for float16 (binary16) and float32; `torch.finfo` for bfloat16.
"""

from dataclasses import dataclass

import torch

_ROUNDINGS = 4  # one after another, all of them at their worst and in one direction


@dataclass(frozen=True, slots=True)
class Precision:
    """What a number type can tell apart."""

    name: str
    tolerance: float  # the largest relative difference that rounding explains
    tiny: float  # the smallest number that is rounded as finely as all larger ones


FLOAT32 = Precision("float32", 1e-5, 2.0**-126)


def precision_of(dtype: torch.dtype) -> Precision:
    """Of a type of floating-point numbers; of any other, float32, as which it is shown."""
    if not dtype.is_floating_point or dtype in {torch.float32, torch.float64}:
        return FLOAT32
    limits = torch.finfo(dtype)
    return Precision(
        str(dtype).removeprefix("torch."),
        max(FLOAT32.tolerance, _ROUNDINGS * limits.eps / 2),
        max(FLOAT32.tiny, limits.smallest_normal),
    )


def coarsest(*each: Precision) -> Precision:
    """Of several that took part in one number: the widest bounds, and who has them."""
    widest = max(each, key=lambda precision: precision.tolerance)
    return Precision(widest.name, widest.tolerance, max(precision.tiny for precision in each))
