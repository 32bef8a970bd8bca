"""dataset.py: mean and spread against NumPy in 64-bit floats."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seethrough.data.dataset import Dataset, Problem, Split
from seethrough.errors import DataError


def dataset(images: np.ndarray, splits: np.ndarray) -> Dataset:
    count = len(images)
    return Dataset(
        name="a",
        source="/a",
        fingerprint="0" * 64,
        image_px=images.shape[1],
        classes=("x", "y"),
        images=images,
        labels=np.zeros(count, dtype=np.int64),
        splits=splits,
        ids=np.arange(count, dtype=np.uint64),
        paths=tuple(str(index) for index in range(count)),
        sizes=np.ones((count, 2), dtype=np.int32),
        problems=(),
        notes=(),
    )


@pytest.mark.parametrize("count", [1, 7, 6000])
def test_mean_and_spread_are_those_of_the_training_images(count):
    rng = np.random.default_rng(count)
    images = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    splits = rng.integers(0, 3, count).astype(np.uint8)
    splits[0] = Split.TRAIN
    data = dataset(images, splits)
    mean, std = data.mean_std()
    pixels = images[splits == Split.TRAIN].astype(np.float64).reshape(-1, 3) / 255
    assert mean.dtype == std.dtype == np.float32
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(std, pixels.std(axis=0), rtol=1e-7)
    for split in Split:
        assert data.indices(split).tolist() == np.flatnonzero(splits == split).tolist()
    assert len(data) == count


@pytest.mark.parametrize(("most", "places"), [(2, [1, 5]), (9, [1, 3, 5])])
def test_some_of_a_split_are_those_of_the_smallest_ids_whatever_their_order(most, places):
    splits = np.array([1, 0, 1, 0, 2, 0], dtype=np.uint8)
    data = replace(
        dataset(np.zeros((6, 8, 8, 3), dtype=np.uint8), splits),
        ids=np.array([0, 7, 1, 9, 2, 3], dtype=np.uint64),
    )
    assert data.some(Split.TRAIN, most).tolist() == places


def test_a_channel_without_spread_is_divided_by_one():
    images = np.full((4, 8, 8, 3), 77, dtype=np.uint8)
    images[..., 1] = np.arange(8)
    mean, std = dataset(images, np.zeros(4, dtype=np.uint8)).mean_std()
    assert std.tolist()[::2] == [1.0, 1.0]
    assert 0 < std[1] < 1
    np.testing.assert_allclose(mean[0], 77 / 255, rtol=1e-7)


def test_a_nearly_even_channel_keeps_its_small_spread():
    images = np.full((200, 64, 64, 3), 255, dtype=np.uint8)
    images[17, 3, 4] = 254
    _, std = dataset(images, np.zeros(200, dtype=np.uint8)).mean_std()
    share = 1 / (200 * 64 * 64)
    np.testing.assert_allclose(std, np.sqrt(share * (1 - share)) / 255, rtol=1e-6)


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path):
    shape = (12_000, 64, 64, 3)  # 147 MB, none of it written
    images = np.memmap(tmp_path / "images", dtype=np.uint8, mode="w+", shape=shape)
    data = dataset(images, np.zeros(len(images), dtype=np.uint8))
    tracemalloc.start()
    data.mean_std()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80_000_000


def test_a_problem_does_not_repeat_its_path():
    error = DataError("a/b.jpg: empty file.", why="it holds 0 bytes.", fix="copy it again.")
    assert Problem.of("a/b.jpg", error) == Problem(
        path="a/b.jpg", what="Empty file.", why="it holds 0 bytes.", fix="copy it again."
    )
