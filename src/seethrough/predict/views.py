"""Judging an image from several views: what a network says of each, averaged.

    2   the image and its mirror image
    6   these two, and both moved by a pixel up and left, and down and right, the border reflected

    answer = ½ · mean of the first two + ½ · mean of the other four            of 2 views: the mean

Answers are averaged as the network gives them, logits before softmax. A score that was made so
carries the number of its views. Source: Jordan (2024), arXiv:2404.00498, section 3.5 (multi-crop
evaluation).
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float32, UInt8

VIEWS = (1, 2, 6)


def views(
    images: UInt8[np.ndarray, "n h w 3"], count: int
) -> Iterator[tuple[float, UInt8[np.ndarray, "n h w 3"]]]:
    """Each view of all images, with its weight; the weights add up to 1."""
    assert count in VIEWS
    if count == 1:
        yield 1.0, images
        return
    own = 0.5 if count == 2 else 0.25
    yield own, images
    yield own, images[:, :, ::-1]
    if count == 2:
        return
    height, width = images.shape[1:3]
    bordered = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    for first in (0, 2):
        moved = bordered[:, first : first + height, first : first + width]
        yield 0.125, moved
        yield 0.125, moved[:, :, ::-1]


def averaged(
    answers: Callable[[UInt8[np.ndarray, "n h w 3"]], Float32[np.ndarray, "n k"]],
    images: UInt8[np.ndarray, "n h w 3"],
    count: int,
) -> Float32[np.ndarray, "n k"]:
    """What `answers` says of all views, by their weights; of one view exactly what it says."""
    if count == 1:
        return answers(images)
    parts = [weight * answers(view).astype(np.float64) for weight, view in views(images, count)]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float32)
