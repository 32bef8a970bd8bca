"""The order of an epoch and the small changes to its images: pure functions of (seed, epoch, id).

    order     a permutation: images sorted by their draw
    flip      mirrored left to right with probability 1/2
    shift     moved by a whole number of pixels, −shift_px..shift_px each way, the border reflected
              (… c b | a b c d … : the edge itself is not repeated)

No generator carries a state, so batches, workers and a resume in the middle of an epoch change
nothing. Two files with equal bytes have equal ids, and are changed alike.
"""

from enum import IntEnum

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

from seethrough.data.hash import below, draws
from seethrough.errors import DataError


class Purpose(IntEnum):
    """What a draw decides; part of the key, so that decisions are independent."""

    SPLIT = 0
    ORDER = 1
    FLIP = 2
    SHIFT_X = 3
    SHIFT_Y = 4


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
) -> UInt8[np.ndarray, "b h w 3"]:
    """A changed copy of each image."""
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
        coins = draws(ids, seed, epoch, Purpose.FLIP) >> np.uint64(63)
        chosen = np.flatnonzero(coins)
        upright = changed[chosen]
        mirrored = np.empty_like(upright)
        for channel in range(3):  # three long copies instead of one of three-byte pieces
            mirrored[..., channel] = upright[:, :, ::-1, channel]
        changed[chosen] = mirrored
    return changed


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
