"""alter.py: every alteration against another way to compute it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from seethrough.data.alter import FILL, Alteration, altered
from seethrough.errors import DataError


@pytest.fixture
def photo():
    return np.random.default_rng(4).integers(0, 256, (20, 14, 3), dtype=np.uint8)


def test_without_an_alteration_every_pixel_stays(photo):
    changed = altered(photo, Alteration())
    assert np.array_equal(changed, photo)
    assert not np.shares_memory(changed, photo)


def test_the_photo_that_was_handed_in_is_never_written_to(photo):
    photo.flags.writeable = False
    everything = Alteration(
        cover=(1, 2, 5, 6),
        shift=(2, -1),
        turn_degrees=10,
        blur_px=1,
        noise=5,
        brightness=3,
        contrast=2,
        paint=((0, 0, 1, 2, 3),),
    )
    changed = altered(photo, everything)
    assert changed.shape == photo.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(changed, altered(photo, everything))


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(-25, 25), columns=st.integers(-20, 20))
def test_a_shift_moves_each_pixel_and_fills_the_rest_with_grey(rows, columns):
    photo = np.random.default_rng(4).integers(0, 256, (20, 14, 3), dtype=np.uint8)
    changed = altered(photo, Alteration(shift=(rows, columns)))
    for row in range(20):
        for column in range(14):
            above, left = row - rows, column - columns
            inside = 0 <= above < 20 and 0 <= left < 14
            expected = photo[above, left] if inside else [FILL] * 3
            assert changed[row, column].tolist() == list(expected)


def test_a_cover_is_grey_inside_and_nothing_outside(photo):
    changed = altered(photo, Alteration(cover=(3, 2, 8, 40)))
    inside = np.zeros((20, 14), bool)
    inside[3:8, 2:] = True
    assert (changed[inside] == FILL).all()
    assert np.array_equal(changed[~inside], photo[~inside])


@pytest.mark.parametrize("turns", [1, 2, 3, -1])
def test_a_quarter_turn_is_exact_and_anticlockwise(turns):
    square = np.random.default_rng(1).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    changed = altered(square, Alteration(turn_degrees=90 * turns))
    assert np.array_equal(changed, np.rot90(square, turns))


def test_a_turn_reads_between_the_pixels_it_came_from():
    y, x = np.mgrid[0:32, 0:32].astype(float)
    plane = np.stack([4 * x + 40, 3 * y + 50, 2 * x + 2 * y + 20], axis=-1)
    angle = np.deg2rad(25)
    across, down = x - 15.5, y - 15.5
    # anticlockwise on the screen, where rows grow downwards
    from_x = across * np.cos(angle) - down * np.sin(angle) + 15.5
    from_y = across * np.sin(angle) + down * np.cos(angle) + 15.5
    expected = np.stack([4 * from_x + 40, 3 * from_y + 50, 2 * from_x + 2 * from_y + 20], axis=-1)
    changed = altered(np.rint(plane).astype(np.uint8), Alteration(turn_degrees=25))
    inside = (from_x > 1) & (from_x < 30) & (from_y > 1) & (from_y < 30)
    assert inside.sum() > 500
    assert np.abs(changed[inside] - expected[inside]).max() < 1.6  # two roundings
    assert (changed[0, 0] == FILL).all()


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.5])
def test_a_blur_is_a_gaussian_with_the_border_carried_on(photo, sigma):
    reach = int(np.ceil(3 * sigma))
    changed = altered(photo, Alteration(blur_px=sigma))
    expected = ndimage.gaussian_filter(
        photo.astype(float), (sigma, sigma, 0), mode="nearest", radius=(reach, reach, 0)
    )
    assert np.abs(changed - expected).max() <= 0.5 + 1e-6


def test_contrast_and_brightness_are_one_straight_line_cut_at_black_and_white(photo):
    changed = altered(photo, Alteration(brightness=20, contrast=1.75))
    expected = [
        min(255, max(0, round(128 + (int(value) - 128) * 1.75 + 20))) for value in photo.ravel()
    ]
    assert changed.ravel().tolist() == expected


def test_noise_has_its_deviation_and_its_seed():
    grey = np.full((64, 64, 3), 128, dtype=np.uint8)
    first = altered(grey, Alteration(noise=12, noise_seed=3))
    assert np.array_equal(first, altered(grey, Alteration(noise=12, noise_seed=3)))
    assert not np.array_equal(first, altered(grey, Alteration(noise=12, noise_seed=4)))
    apart = first.astype(float) - 128
    assert abs(apart.mean()) < 4 * 12 / np.sqrt(apart.size)
    assert apart.std() == pytest.approx(12, rel=0.05)


def test_paint_and_a_plain_colour_are_set_as_they_are(photo):
    strokes = ((0, 1, 9, 8, 7), (19, 13, 255, 0, 3), (0, 1, 1, 2, 3))
    changed = altered(photo, Alteration(plain=(10, 20, 30), paint=strokes))
    expected = np.tile(np.array([10, 20, 30], np.uint8), (20, 14, 1))
    expected[0, 1], expected[19, 13] = (1, 2, 3), (255, 0, 3)
    assert np.array_equal(changed, expected)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"blur_px": -1.0}, "blur_px is -1"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"contrast": 99.0}, "contrast is 99"),
        ({"brightness": 300.0}, "brightness is 300"),
        ({"turn_degrees": float("inf")}, "turn_degrees is inf"),
        ({"noise_seed": -1}, "noise_seed is -1"),
        ({"plain": (0, 256, 0)}, "0, 256, 0 is no colour"),
        ({"paint": ((0, 0, -1, 0, 0),)}, "-1, 0, 0 is no colour"),
        ({"cover": (4, 0, 4, 3)}, "covers nothing"),
        ({"cover": (0, -1, 4, 3)}, "covers nothing"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_bounds(given, said):
    with pytest.raises(DataError, match=said):
        Alteration(**given)


def test_paint_beside_the_photo_is_refused(photo):
    with pytest.raises(DataError, match="no pixel in row 20, column 0"):
        altered(photo, Alteration(paint=((20, 0, 0, 0, 0),)))
