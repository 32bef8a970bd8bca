"""A photo's pixels with something done to them: pure functions of uint8 pixels.

One after another, in this order; what is not asked for leaves every pixel as it is:

    plain        all pixels become one colour
    turn         anticlockwise about the middle, in degrees, bilinear; quarter turns are exact
    shift        rows down, columns to the right
    blur         Gaussian, sigma in px, cut at ⌈3·sigma⌉; beyond the border the border's pixel
    contrast,    128 + (x − 128)·contrast + brightness
    brightness
    noise        + a normal number for each value, deviation in grey levels, from `noise_seed`
    paint        single pixels in a colour
    cover        a rectangle of grey

Where nothing of the photo lies after a turn or a shift, and under a cover, pixels are FILL, the
middle of the scale. Each step rounds to whole numbers, halves to the even one, and clips to 0..255.
Raises DataError for what is out of bounds. Knows no model.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image

from seethrough.errors import DataError

FILL = 128  # grey, for what is covered or was never in the photo

Pixels = UInt8[np.ndarray, "h w 3"]
Colour = tuple[int, int, int]

# The bounds of each number, as told in errors.
_BOUNDS: dict[str, tuple[float, float]] = {
    "turn_degrees": (-360, 360),
    "blur_px": (0, 64),
    "noise": (0, 255),
    "noise_seed": (0, 2**32 - 1),
    "brightness": (-255, 255),
    "contrast": (0, 16),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alteration:
    """What is done to a photo; the default leaves it as it is."""

    cover: tuple[int, int, int, int] | None = None  # top, left, bottom, right; half open
    shift: tuple[int, int] = (0, 0)  # rows down, columns to the right
    turn_degrees: float | int = 0.0
    blur_px: float | int = 0.0
    noise: float | int = 0.0  # deviation, in grey levels
    noise_seed: int = 0
    brightness: float | int = 0.0  # grey levels that are added
    contrast: float | int = 1.0
    plain: Colour | None = None
    paint: tuple[tuple[int, int, int, int, int], ...] = ()  # row, column, red, green, blue

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise DataError(
                    f"{name} is {value}.",
                    why=f"it goes from {low} to {high}.",
                    fix="choose a number between these.",
                )
        colours = [(stroke[2], stroke[3], stroke[4]) for stroke in self.paint]
        for colour in [*colours, *([] if self.plain is None else [self.plain])]:
            if not all(0 <= part <= 255 for part in colour):
                raise DataError(
                    f"{', '.join(map(str, colour))} is no colour.",
                    why="red, green and blue go from 0 to 255.",
                    fix="give three whole numbers from 0 to 255.",
                )
        if self.cover is not None:
            top, left, bottom, right = self.cover
            if not (0 <= top < bottom and 0 <= left < right):
                raise DataError(
                    f"The rectangle {self.cover} covers nothing.",
                    why="top and left come before bottom and right, and none is below 0.",
                    fix="give top, left, bottom, right, in pixels.",
                )


def altered(pixels: Pixels, alteration: Alteration) -> Pixels:
    """The pixels after the alteration; a new array, the given one stays as it is."""
    found = pixels.copy()
    if alteration.plain is not None:
        found[:] = alteration.plain
    found = turned(found, alteration.turn_degrees)
    found = shifted(found, *alteration.shift)
    found = blurred(found, alteration.blur_px)
    found = lit(found, alteration.brightness, alteration.contrast)
    found = noisy(found, alteration.noise, alteration.noise_seed)
    found = painted(found, alteration.paint)
    return found if alteration.cover is None else covered(found, *alteration.cover)


def turned(pixels: Pixels, degrees: float | int) -> Pixels:
    """Anticlockwise about the middle; corners that were never in the photo are FILL."""
    if degrees % 360 == 0:
        return pixels
    image = Image.fromarray(pixels)
    fill = (FILL, FILL, FILL)
    return np.asarray(image.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fill))


def shifted(pixels: Pixels, rows: int, columns: int) -> Pixels:
    """Down and to the right; what was never in the photo is FILL."""
    height, width, _ = pixels.shape
    down, across = (max(-size, min(size, by)) for size, by in ((height, rows), (width, columns)))
    found = np.full_like(pixels, FILL)
    kept = pixels[max(0, -down) : height - max(0, down), max(0, -across) : width - max(0, across)]
    found[max(0, down) : height + min(0, down), max(0, across) : width + min(0, across)] = kept
    return found


def blurred(pixels: Pixels, sigma_px: float | int) -> Pixels:
    """Each pixel the mean of its neighbours, weighted by e^(−d² / 2σ²)."""
    if sigma_px == 0:
        return pixels
    reach = math.ceil(3 * sigma_px)
    # squared after the division: a tiny sigma would square to zero
    weights = np.exp(-((np.arange(-reach, reach + 1) / sigma_px) ** 2) / 2)
    weights /= weights.sum()
    found = pixels.astype(np.float64)
    for axis in (0, 1):
        border = [(0, 0), (0, 0), (0, 0)]
        border[axis] = (reach, reach)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(found, border, mode="edge"), 2 * reach + 1, axis=axis
        )
        found = windows @ weights
    return _whole(found)


def lit(pixels: Pixels, brightness: float | int, contrast: float | int) -> Pixels:
    """128 + (x − 128)·contrast + brightness."""
    return _whole(128 + (pixels.astype(np.float64) - 128) * contrast + brightness)


def noisy(pixels: Pixels, deviation: float | int, seed: int) -> Pixels:
    """Each value plus a normal number; the same seed gives the same noise."""
    if deviation == 0:
        return pixels
    drawn = np.random.default_rng(seed).standard_normal(pixels.shape)
    return _whole(pixels + deviation * drawn)


def painted(pixels: Pixels, paint: tuple[tuple[int, int, int, int, int], ...]) -> Pixels:
    """Single pixels in a colour; a later stroke lies over an earlier one."""
    height, width, _ = pixels.shape
    found = pixels.copy()
    for row, column, *colour in paint:
        if not (0 <= row < height and 0 <= column < width):
            raise DataError(
                f"There is no pixel in row {row}, column {column}.",
                why=f"the network sees {height} rows of {width} pixels, counted from 0.",
                fix="paint inside them.",
            )
        found[row, column] = colour
    return found


def covered(pixels: Pixels, top: int, left: int, bottom: int, right: int) -> Pixels:
    """FILL from top to bottom and left to right; what lies outside the photo covers nothing."""
    found = pixels.copy()
    found[top:bottom, left:right] = FILL
    return found


def _whole(values: Float64[np.ndarray, "h w 3"]) -> Pixels:
    found: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return found
