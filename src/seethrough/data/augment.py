"""The order of an epoch and the small changes to its images: pure functions of (seed, epoch, id).

    order     a permutation: images sorted by their draw
    flip      mirrored left to right with probability 1/2; alternating: mirrored in every second
              epoch, half of the images in the odd ones
    shift     moved by a whole number of pixels, −shift_px..shift_px each way, the border reflected
              (… c b | a b c d … : the edge itself is not repeated)

    colour    level → contrast · (level − m) + brightness · m, rounded, limited to 0..255; m is the
              mean level of the image, both factors lie evenly in 1 − colour..1 + colour
    cutout    a square around a cell drawn from all, as far as it lies in the image, takes the
              image's mean colour
    mixup     λ · image + (1 − λ) · the next one in its batch, rounded; λ ~ Beta(α, α), by Jöhnk's
              method on logarithms

    cutmix    a rectangle of the image is taken from the next one in its batch: its sides are
              √(1 − λ) of the image's, around a cell drawn from all, as far as it lies in the image;
              λ ~ Beta(α, α), and the image's own share is what is left of it

Sources: DeVries and Taylor (2017), arXiv:1708.04552 (cutout; they cover with the mean of all
images); Zhang et al. (2018), arXiv:1710.09412 (mixup; here with λ for each image); Yun et al.
(2019), arXiv:1905.04899 (cutmix; likewise); Jordan (2024), arXiv:2404.00498, section 3.6
(alternating flip).
No generator carries a state, so batches, workers and a resume in the middle of an epoch change
nothing. Two files with equal bytes have equal ids, and are changed alike.
"""

from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8, UInt64

from seethrough.data.hash import below, draws
from seethrough.errors import DataError


class Purpose(IntEnum):
    """What a draw decides; part of the key, so that decisions are independent."""

    SPLIT = 0
    ORDER = 1
    FLIP = 2
    SHIFT_X = 3
    SHIFT_Y = 4
    BRIGHTNESS = 5
    CONTRAST = 6
    CUTOUT_X = 7
    CUTOUT_Y = 8
    MIX = 9
    MIX_OTHER = 10
    CUTMIX_X = 11
    CUTMIX_Y = 12


def order(ids: UInt64[np.ndarray, " n"], *, seed: int, epoch: int) -> Int64[np.ndarray, " n"]:
    """In which order an epoch sees the images: positions in `ids`, each once."""
    return np.argsort(draws(ids, seed, epoch, Purpose.ORDER), kind="stable").astype(np.int64)


def augment(
    images: UInt8[np.ndarray, "b h w 3"],
    ids: UInt64[np.ndarray, " b"],
    *,
    seed: int,
    epoch: int,
    flip: bool,
    shift_px: int,
    colour: float = 0.0,
    cutout_px: int = 0,
    alternate: bool = False,
) -> UInt8[np.ndarray, "b h w 3"]:
    """A changed copy of each image; `alternate` says how those that `flip` mirrors are chosen."""
    _, height, width, _ = images.shape
    if not 0 <= shift_px < min(height, width):
        raise DataError(
            f"shift_px={shift_px} does not suit images of {width} × {height} px.",
            why="a reflected border cannot be wider than the image behind it.",
            fix=f"choose shift_px from 0 to {min(height, width) - 1}.",
        )
    if shift_px:
        span = 2 * shift_px + 1
        top = below(span, draws(ids, seed, epoch, Purpose.SHIFT_Y))
        left = below(span, draws(ids, seed, epoch, Purpose.SHIFT_X))
        changed = _windows(_bordered(images, shift_px), top, left, shift_px)
    else:
        changed = images.copy()
    if flip:
        coins = draws(ids, seed, 0 if alternate else epoch, Purpose.FLIP) >> np.uint64(63)
        chosen = np.flatnonzero(coins ^ np.uint64(epoch & 1) if alternate else coins)
        upright = changed[chosen]
        mirrored = np.empty_like(upright)
        for channel in range(3):  # three long copies instead of one of three-byte pieces
            mirrored[..., channel] = upright[:, :, ::-1, channel]
        changed[chosen] = mirrored
    if colour:
        changed = _coloured(changed, ids, seed, epoch, colour)
    if cutout_px:
        _cover(changed, ids, seed, epoch, cutout_px)
    return changed


def mixed(
    images: UInt8[np.ndarray, "b h w 3"],
    ids: UInt64[np.ndarray, " b"],
    *,
    seed: int,
    epoch: int,
    alpha: float,
) -> tuple[UInt8[np.ndarray, "b h w 3"], Float64[np.ndarray, " b"]]:
    """Each image mixed with the next one (the last with the first), and its own share λ."""
    own = _beta(ids, seed, epoch, alpha)
    weight = own.astype(np.float32)[:, None, None, None]
    both = weight * images + (1 - weight) * np.roll(images, -1, axis=0)
    return np.rint(both).astype(np.uint8), own


def cut_mixed(
    images: UInt8[np.ndarray, "b h w 3"],
    ids: UInt64[np.ndarray, " b"],
    *,
    seed: int,
    epoch: int,
    alpha: float,
) -> tuple[UInt8[np.ndarray, "b h w 3"], Float64[np.ndarray, " b"]]:
    """Each image with a rectangle of the next one (the last: of the first), and its own share."""
    _, height, width, _ = images.shape
    side = np.sqrt(1 - _beta(ids, seed, epoch, alpha))[:, None]
    is_row = _between(height, side, below(height, draws(ids, seed, epoch, Purpose.CUTMIX_Y)))
    is_column = _between(width, side, below(width, draws(ids, seed, epoch, Purpose.CUTMIX_X)))
    is_cut = is_row[:, :, None] & is_column[:, None, :]
    both = np.where(is_cut[..., None], np.roll(images, -1, axis=0), images)
    return both, 1 - is_cut.mean(axis=(1, 2), dtype=np.float64)


def _between(
    size: int, share: Float64[np.ndarray, "b 1"], middle: Int64[np.ndarray, " b"]
) -> Bool[np.ndarray, "b size"]:
    """Of `size` cells that share of them around the middle, as far as they are there."""
    wide = np.rint(size * share).astype(np.int64)
    first, cells = middle[:, None] - wide // 2, np.arange(size)
    found: np.ndarray = (cells >= first) & (cells < first + wide)
    return found


def _beta(
    ids: UInt64[np.ndarray, " b"], seed: int, epoch: int, alpha: float
) -> Float64[np.ndarray, " b"]:
    """λ ~ Beta(alpha, alpha) of each image; alpha from 0 to 1, where half or more tries succeed."""
    shares = np.empty(len(ids))
    left, attempt = np.arange(len(ids)), 0
    while len(left):
        x, y = (
            np.log(_evenly(draws(ids[left], seed, epoch, purpose, attempt))) / alpha
            for purpose in (Purpose.MIX, Purpose.MIX_OTHER)
        )
        total = np.logaddexp(x, y)
        is_done = total <= 0
        shares[left[is_done]] = np.exp(x - total)[is_done]
        left, attempt = left[~is_done], attempt + 1
    return shares


def _evenly(drawn: UInt64[np.ndarray, " b"]) -> Float64[np.ndarray, " b"]:
    """Each draw as a number between 0 and 1, never one of the two."""
    return ((drawn >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def _coloured(
    images: UInt8[np.ndarray, "b h w 3"],
    ids: UInt64[np.ndarray, " b"],
    seed: int,
    epoch: int,
    colour: float,
) -> UInt8[np.ndarray, "b h w 3"]:
    brightness, contrast = (
        1 + colour * (2 * _evenly(draws(ids, seed, epoch, purpose)) - 1)[:, None]
        for purpose in (Purpose.BRIGHTNESS, Purpose.CONTRAST)
    )
    mean = images.reshape(len(images), -1).mean(axis=1, dtype=np.float64)[:, None]
    levels = contrast * (np.arange(256) - mean) + brightness * mean
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    changed: np.ndarray = table[np.arange(len(images))[:, None, None, None], images]
    return changed


def _cover(
    images: UInt8[np.ndarray, "b h w 3"],
    ids: UInt64[np.ndarray, " b"],
    seed: int,
    epoch: int,
    side: int,
) -> None:
    """Covers a square of each image, in place."""
    _, height, width, _ = images.shape
    top = below(height, draws(ids, seed, epoch, Purpose.CUTOUT_Y))[:, None] - side // 2
    left = below(width, draws(ids, seed, epoch, Purpose.CUTOUT_X))[:, None] - side // 2
    rows, columns = np.arange(height), np.arange(width)
    is_row, is_column = (
        (rows >= top) & (rows < top + side),
        (columns >= left) & (columns < left + side),
    )
    mean = np.rint(images.mean(axis=(1, 2), keepdims=True, dtype=np.float64)).astype(np.uint8)
    is_covered = is_row[:, :, None, None] & is_column[:, None, :, None]
    np.copyto(images, mean, where=is_covered)


def _bordered(images: UInt8[np.ndarray, "b h w 3"], border: int) -> UInt8[np.ndarray, "b hb wb 3"]:
    """numpy.pad(mode="reflect"), in half the time for many small images."""
    num_images, height, width, _ = images.shape
    bordered = np.empty((num_images, height + 2 * border, width + 2 * border, 3), dtype=np.uint8)
    bordered[:, border : border + height, border : border + width] = images
    for step in range(1, border + 1):
        last = border + width - 1
        bordered[:, :, border - step] = bordered[:, :, border + step]
        bordered[:, :, last + step] = bordered[:, :, last - step]
    for step in range(1, border + 1):
        last = border + height - 1
        bordered[:, border - step] = bordered[:, border + step]
        bordered[:, last + step] = bordered[:, last - step]
    return bordered


def _windows(
    bordered: UInt8[np.ndarray, "b hb wb 3"],
    top: Int64[np.ndarray, " b"],
    left: Int64[np.ndarray, " b"],
    border: int,
) -> UInt8[np.ndarray, "b h w 3"]:
    """Of each bordered image the window that begins at its own row and column."""
    num_images, tall, wide, _ = bordered.shape
    height, width = tall - 2 * border, wide - 2 * border
    # Every row of every window is a run of bytes; the view names them all, the index picks.
    runs = np.lib.stride_tricks.as_strided(
        bordered,
        shape=(num_images, tall, 2 * border + 1, width * 3),
        strides=(tall * wide * 3, wide * 3, 3, 1),
        writeable=False,
    )
    rows = top[:, None] + np.arange(height)
    picked: np.ndarray = runs[np.arange(num_images)[:, None], rows, left[:, None]]
    return picked.reshape(num_images, height, width, 3)
