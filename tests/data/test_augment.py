"""augment.py: every result must be one of all possible changes, listed here one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seethrough.data.augment import augment, mixed, order
from seethrough.errors import DataError


def some(count: int, side: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return images, rng.integers(0, 2**64, count, dtype=np.uint64)


def which(image: np.ndarray, changed: np.ndarray, shift_px: int) -> list[tuple[int, int, bool]]:
    """All (top, left, mirrored) that lead from an image to its changed copy."""
    height, width, _ = image.shape
    border = ((shift_px, shift_px), (shift_px, shift_px), (0, 0))
    padded = np.pad(image, border, mode="reflect")
    span = range(2 * shift_px + 1)
    return [
        (top, left, mirrored)
        for top in span
        for left in span
        for mirrored in (False, True)
        if np.array_equal(
            padded[top : top + height, left : left + width][:, :: -1 if mirrored else 1], changed
        )
    ]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**62),
    epoch=st.integers(0, 10_000),
    flip=st.booleans(),
    shift_px=st.integers(0, 4),
)
def test_each_copy_is_the_image_shifted_and_perhaps_mirrored(seed, epoch, flip, shift_px):
    images, ids = some(5)
    changed = augment(images, ids, seed=seed, epoch=epoch, flip=flip, shift_px=shift_px)
    for image, copy in zip(images, changed, strict=True):
        found = which(image, copy, shift_px)
        assert len(found) == 1
        assert flip or not found[0][2]


def test_images_that_are_not_square_are_changed_alike():
    images = np.random.default_rng(1).integers(0, 256, (20, 7, 15, 3), dtype=np.uint8)
    ids = np.arange(20, dtype=np.uint64)
    changed = augment(images, ids, seed=3, epoch=1, flip=True, shift_px=3)
    assert all(len(which(a, b, 3)) == 1 for a, b in zip(images, changed, strict=True))


def test_an_image_is_changed_alike_in_every_batch():
    images, ids = some(64)
    chosen = {"seed": 4, "epoch": 9, "flip": True, "shift_px": 3}
    whole = augment(images, ids, **chosen)
    backwards = augment(images[::-1], ids[::-1], **chosen)[::-1]
    alone = [augment(images[i : i + 1], ids[i : i + 1], **chosen)[0] for i in range(64)]
    assert np.array_equal(whole, backwards)
    assert np.array_equal(whole, np.stack(alone))


def test_the_images_that_went_in_are_not_changed():
    images, ids = some(9)
    before = images.copy()
    images.flags.writeable = False
    for shift_px in (0, 2):
        changed = augment(images, ids, seed=0, epoch=0, flip=True, shift_px=shift_px)
        changed[:] = 0
    assert np.array_equal(images, before)


def test_places_and_mirrors_are_spread_evenly_and_are_independent():
    images, _ = some(1, side=10)
    ids = np.arange(5000, dtype=np.uint64)
    changed = augment(images.repeat(5000, axis=0), ids, seed=1, epoch=1, flip=True, shift_px=1)
    table = {copy.tobytes(): index for index, copy in enumerate(_all_changes(images[0]))}
    counts = np.bincount([table[copy.tobytes()] for copy in changed], minlength=18)
    assert stats.chisquare(counts).pvalue > 0.001


def _all_changes(image: np.ndarray) -> list[np.ndarray]:
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    windows = [padded[y : y + 10, x : x + 10] for y in range(3) for x in range(3)]
    return [*windows, *(window[:, ::-1] for window in windows)]


def test_an_alternating_flip_mirrors_each_image_in_every_second_epoch():
    images, ids = some(400)
    chosen = {"seed": 5, "flip": True, "alternate": True, "shift_px": 0}
    epochs = [augment(images, ids, epoch=epoch, **chosen) for epoch in range(1, 6)]
    for one, other in itertools.pairwise(epochs):
        assert np.array_equal(one, other[:, :, ::-1])
    mirrored = (epochs[0] == images[:, :, ::-1]).all(axis=(1, 2, 3))
    upright = (epochs[0] == images).all(axis=(1, 2, 3))
    assert np.array_equal(mirrored, ~upright)
    assert 150 < mirrored.sum() < 250
    other_seed = augment(images, ids, epoch=1, **{**chosen, "seed": 6})
    assert not np.array_equal(other_seed, epochs[0])


def test_epochs_and_seeds_change_the_changes():
    images, ids = some(200)
    chosen = {"flip": True, "shift_px": 4}
    one = augment(images, ids, seed=0, epoch=0, **chosen)
    for seed, epoch in ((0, 1), (1, 0)):
        other = augment(images, ids, seed=seed, epoch=epoch, **chosen)
        same = (one == other).all(axis=(1, 2, 3)).mean()
        assert same < 0.05  # 1 / 162 by chance


@pytest.mark.parametrize("shift_px", [-1, 12])
def test_a_shift_wider_than_the_image_is_refused(shift_px):
    images, ids = some(2)
    with pytest.raises(DataError, match="does not suit images of 12 × 12 px") as caught:
        augment(images, ids, seed=0, epoch=0, flip=False, shift_px=shift_px)
    assert "0 to 11" in caught.value.fix


def test_the_order_is_a_permutation_that_depends_on_seed_and_epoch():
    _, ids = some(3000)
    orders = [order(ids, seed=seed, epoch=epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for found in orders:
        assert np.array_equal(np.sort(found), np.arange(3000))
        assert abs(stats.spearmanr(found, np.arange(3000)).statistic) < 0.06
    assert abs(stats.spearmanr(orders[0], orders[1]).statistic) < 0.06
    assert abs(stats.spearmanr(orders[0], orders[2]).statistic) < 0.06
    assert np.array_equal(orders[0], order(ids, seed=0, epoch=0))


def test_the_order_of_images_does_not_depend_on_where_they_lie():
    _, ids = some(500)
    moved = np.random.default_rng(3).permutation(500)
    assert np.array_equal(
        ids[order(ids, seed=2, epoch=2)], ids[moved][order(ids[moved], seed=2, epoch=2)]
    )


STILL = {"flip": False, "shift_px": 0}


def test_brightness_and_contrast_are_one_straight_line_through_the_levels_of_an_image():
    images, ids = some(200)
    images = images // 3 + 80  # so that no level is cut off
    changed = augment(images, ids, seed=1, epoch=1, colour=0.2, **STILL)
    contrasts, brightnesses = [], []
    for image, copy in zip(images, changed, strict=True):
        contrast, offset = np.polyfit(image.ravel().astype(float), copy.ravel().astype(float), 1)
        mean = image.mean()
        contrasts.append(contrast)
        brightnesses.append((contrast * mean + offset) / mean)
        assert np.abs(contrast * image + offset - copy).max() < 1  # rounding, here and in the fit
    for factors in (contrasts, brightnesses):
        assert stats.kstest(factors, stats.uniform(0.8, 0.4).cdf).pvalue > 0.001
    assert abs(stats.spearmanr(contrasts, brightnesses).statistic) < 0.25


def test_levels_beyond_white_and_black_are_cut_off_not_wrapped():
    images = np.zeros((50, 4, 4, 3), dtype=np.uint8)
    images[:, :2] = 255
    changed = augment(images, np.arange(50, dtype=np.uint64), seed=0, epoch=0, colour=1.0, **STILL)
    assert (changed[:, :2].astype(int) >= changed[:, 2:].astype(int)).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**62), side=st.integers(1, 12))
def test_a_square_is_covered_with_the_image_s_mean_and_the_rest_is_left(seed, side):
    images, ids = some(30)
    changed = augment(images, ids, seed=seed, epoch=1, cutout_px=side, **STILL)
    for image, copy in zip(images, changed, strict=True):
        mean = np.rint(image.astype(float).mean(axis=(0, 1)))
        possible = []
        for row in range(12):
            for column in range(12):
                wanted = image.copy()
                top, left = row - side // 2, column - side // 2
                wanted[max(0, top) : top + side, max(0, left) : left + side] = mean
                possible.append(np.array_equal(wanted, copy))
        assert any(possible)


def test_mixed_images_lie_between_two_and_their_shares_follow_the_beta_distribution():
    _, ids = some(4000)
    black_and_white = np.zeros((4000, 2, 2, 3), dtype=np.uint8)
    black_and_white[::2] = 255
    changed, own = mixed(black_and_white, ids, seed=3, epoch=1, alpha=0.3)
    white = np.where(np.arange(4000) % 2 == 0, own, 1 - own)
    assert np.abs(changed[:, 0, 0, 0] - 255 * white).max() <= 0.5 + 1e-4
    assert stats.kstest(own, stats.beta(0.3, 0.3).cdf).pvalue > 0.001


@pytest.mark.parametrize("alpha", [1e-3, 1.0])
def test_shares_are_shares_at_both_ends_of_alpha(alpha):
    images, ids = some(500, side=2)
    own = mixed(images, ids, seed=0, epoch=0, alpha=alpha)[1]
    assert np.isfinite(own).all()
    assert ((own >= 0) & (own <= 1)).all()
    assert stats.kstest(own, stats.beta(alpha, alpha).cdf).pvalue > 0.001 or alpha < 0.01


def test_every_change_depends_on_seed_epoch_and_image_alone():
    images, ids = some(64)
    chosen = {"seed": 4, "epoch": 9, "flip": True, "shift_px": 3, "colour": 0.5, "cutout_px": 5}
    whole = augment(images, ids, **chosen)
    alone = [augment(images[i : i + 1], ids[i : i + 1], **chosen)[0] for i in range(64)]
    assert np.array_equal(whole, np.stack(alone))
    own = mixed(images, ids, seed=1, epoch=2, alpha=0.2)[1]
    each = [mixed(images[i:], ids[i:], seed=1, epoch=2, alpha=0.2)[1][0] for i in range(64)]
    assert np.array_equal(own, each)
    other = mixed(images, ids, seed=1, epoch=3, alpha=0.2)[1]
    assert (own != other).mean() > 0.9
