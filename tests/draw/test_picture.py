"""picture.py: what is drawn can be read back, pixel by pixel."""

import base64
import io

import numpy as np
from PIL import Image

from seethrough.draw.colour import LIGHT, painted
from seethrough.draw.picture import column, data_uri, enlarged, fitted, png

RNG = np.random.default_rng(5)


def read(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_png_holds_the_very_pixels():
    pixels = RNG.integers(256, size=(5, 7, 3), dtype=np.uint8)
    assert np.array_equal(read(png(pixels)), pixels)
    kind, _, content = data_uri(pixels).partition(",")
    assert kind == "data:image/png;base64"
    assert np.array_equal(read(base64.b64decode(content)), pixels)


def test_pixels_become_squares():
    pixels = RNG.integers(256, size=(2, 3, 3), dtype=np.uint8)
    large = enlarged(pixels, 4)
    assert large.shape == (8, 12, 3)
    assert np.array_equal(large[::4, ::4], pixels)
    assert np.array_equal(large[3::4, 3::4], pixels)


def test_maps_stand_below_each_other_on_one_scale():
    maps = RNG.normal(size=(3, 4, 4)).astype(np.float32)
    sheet = column(list(maps), 3.0, side=8, gap=2)
    assert sheet.shape == (3 * 8 + 2 * 2, 8, 3)
    for place, values in enumerate(maps):
        shown = sheet[place * 10 : place * 10 + 8]
        assert np.array_equal(shown[1::2, 1::2], painted(values, 3.0))
    assert (sheet[8:10] == LIGHT.zero).all()


def test_a_large_map_is_drawn_by_the_means_of_its_cells():
    pixels = RNG.integers(256, size=(8, 8, 3), dtype=np.uint8)
    means = pixels.reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))
    assert np.abs(fitted(pixels, 4) - means).max() <= 1
