"""Fixtures of the training tests."""

from collections.abc import Callable

import pytest
from tests.train.tinted import tinted

from seethrough.data.dataset import Dataset


@pytest.fixture
def make_photos() -> Callable[..., Dataset]:
    """Builds tinted squares."""
    return tinted


@pytest.fixture
def photos() -> Dataset:
    """44 training images, which no batch size divides evenly, and 9 test images."""
    return tinted(44, 9)
