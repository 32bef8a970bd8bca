"""film.py: what stands where in every picture, and that the file plays all of them."""

import io

import numpy as np
import pytest
from PIL import Image

from seethrough.draw.colour import extent, painted
from seethrough.draw.film import EDGE, LAST, SIDE, WIDTH, Film, pictures, written
from seethrough.draw.picture import fitted

CLASSES = ("cat", "dog", "ship")


@pytest.fixture
def film():
    rng = np.random.default_rng(4)
    shares = rng.dirichlet(np.ones(3), 5).astype(np.float32)
    return Film(
        photo=rng.integers(0, 256, (12, 12, 3), dtype=np.uint8),
        label="dog",
        classes=CLASSES,
        captions=tuple(f"step {step}" for step in (0, 1, 2, 4, 8)),
        probabilities=shares,
        learned=3,
        kernels=rng.normal(size=(5, 6, 3, 5, 5)).astype(np.float32),
        maps=rng.normal(size=(5, 6, 8, 8)).astype(np.float32),
        titles=("Kernels of conv1", "Maps of relu1"),
    )


def holds(picture, part):
    """Whether these pixels stand somewhere in the picture."""
    whole, (height, width) = np.asarray(picture), part.shape[:2]
    rows, columns = np.nonzero((whole == part[0, 0]).all(2))
    inside = (rows + height <= whole.shape[0]) & (columns + width <= whole.shape[1])
    return any(
        np.array_equal(whole[row : row + height, column : column + width], part)
        for row, column in zip(rows[inside], columns[inside], strict=True)
    )


def test_every_picture_has_its_moment_s_kernels_and_maps_on_one_scale(film):
    for moment, picture in enumerate(pictures(film)):
        assert picture.size[0] == WIDTH
        assert holds(picture, fitted(film.photo, 128))
        for unit in range(6):
            kernel = painted(film.kernels[moment, unit, 2], extent(film.kernels))
            assert holds(picture, fitted(kernel, 26))
            own = painted(film.maps[moment, unit], extent(film.maps))
            assert holds(picture, fitted(own, 52))
        other = painted(film.maps[(moment + 1) % 5, 0], extent(film.maps))
        assert not holds(picture, fitted(other, 52))


def test_bars_are_as_long_as_the_probabilities(film):
    for moment, picture in enumerate(pictures(film)):
        pixels = np.asarray(picture).astype(int)
        for place, share in enumerate(film.probabilities[moment]):
            line = pixels[210 + 22 * place + 7, EDGE + 120 : EDGE + 351]
            filled = (np.abs(line - [228, 225, 218]).sum(1) > 30).sum()
            assert filled == pytest.approx(230 * share + 1, abs=1)
        assert EDGE + 351 < EDGE + SIDE


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_the_file_plays_every_moment_and_holds_the_last(film, kind):
    found = Image.open(io.BytesIO(written(film, kind=kind, per_second=5.0)))
    assert found.format == kind.upper()
    assert found.n_frames == 5
    pauses, frames = [], []
    for number in range(5):
        found.seek(number)
        frames.append(np.asarray(found.convert("RGB")).astype(int))
        pauses.append(found.info["duration"])
    assert pauses == [200] * 4 + [200 * LAST]
    for frame, picture in zip(frames, pictures(film), strict=True):
        away = np.abs(frame - np.asarray(picture).astype(int))
        assert away.mean() < (0.5 if kind == "gif" else 1e-9)


def test_a_film_of_one_moment_and_many_classes_is_drawn(film):
    rng = np.random.default_rng(1)
    many = Film(
        photo=film.photo,
        label=None,
        classes=tuple(f"class {number}" for number in range(40)),
        captions=("step 0",),
        probabilities=rng.dirichlet(np.ones(40), 1).astype(np.float32),
        learned=None,
        kernels=rng.normal(size=(1, 64, 32, 3, 3)).astype(np.float32),
        maps=np.full((1, 64, 4, 4), np.nan, dtype=np.float32),
        titles=("Kernels of a", "Maps of b"),
    )
    (picture,) = pictures(many)
    assert picture.size[0] == WIDTH
