"""The one diverging scale: blue below zero, paper at zero, orange above, symmetric.

    strength = sign(v) · (|v| / extent)^0.75, held at ±1

The exponent lifts small values off the paper. What is not a number has a colour of its own. The
studio paints with the same function; tests/golden/colours.json holds both to it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

_EXPONENT = 0.75

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The ends of the scale, its middle, and what is no number; 0..255."""

    plus: Rgb
    minus: Rgb
    zero: Rgb
    broken: Rgb


LIGHT = Palette(plus=(179, 84, 30), minus=(43, 92, 158), zero=(247, 245, 240), broken=(138, 95, 0))


def extent(values: Float[np.ndarray, "..."]) -> float:
    """The largest size among the finite values: what the ends of a scale stand for."""
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max(initial=0.0))


def painted(
    values: Float[np.ndarray, "h w"], extent: float, palette: Palette = LIGHT
) -> UInt8[np.ndarray, "h w 3"]:
    """Each value's colour on a scale from −extent to +extent; an extent of 0 means all are 0."""
    sizes = np.abs(values.astype(np.float64))
    share = np.minimum(sizes / extent, 1) if extent > 0 else np.zeros_like(sizes)
    share = np.where(np.isnan(values), 0, share)[..., None] ** _EXPONENT
    zero = np.array(palette.zero, dtype=np.float64)
    end = np.where((values < 0)[..., None], palette.minus, palette.plus)
    mixed = np.floor(zero + (end - zero) * share + 0.5)  # halves upwards, as the studio rounds
    mixed[np.isnan(values)] = palette.broken
    return mixed.astype(np.uint8)
