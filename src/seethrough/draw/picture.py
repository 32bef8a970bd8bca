"""Pixels as PNG files, and PNG files inside a page."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from seethrough.draw.colour import LIGHT, painted


def png(pixels: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """As a PNG file."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", optimize=True)
    return file.getvalue()


def data_uri(pixels: UInt8[np.ndarray, "h w 3"]) -> str:
    """As an address that holds the picture itself."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode()


def enlarged(pixels: UInt8[np.ndarray, "h w 3"], times: int) -> UInt8[np.ndarray, "H W 3"]:
    """Each pixel as a square of times × times."""
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def column(
    maps: Sequence[Float32[np.ndarray, "h w"]], extent: float, *, side: int, gap: int = 3
) -> UInt8[np.ndarray, "H side 3"]:
    """Maps below each other on one scale, each `side` pixels wide and high, on paper.

    A map that is larger is drawn by the means of its cells, a smaller one by whole squares.
    """
    sheet = np.full((len(maps) * (side + gap) - gap, side, 3), LIGHT.zero, dtype=np.uint8)
    for place, values in enumerate(maps):
        sheet[place * (side + gap) :][:side] = fitted(painted(values, extent), side)
    return sheet


def fitted(pixels: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "side side 3"]:
    """A picture in a square of `side` pixels."""
    height, width = pixels.shape[:2]
    is_small = height <= side and width <= side
    how = Image.Resampling.NEAREST if is_small else Image.Resampling.BOX
    return np.asarray(Image.fromarray(pixels).resize((side, side), how))
