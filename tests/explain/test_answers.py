"""answers: photo by photo the very numbers of a trace, however they were made."""

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.explain import match, trace
from seethrough.explain.answers import answers, traced_answers
from seethrough.explain.matching import match_answers

from .conftest import Concatenating, LeNet, Residual

PHOTOS = np.random.default_rng(11).integers(256, size=(4, 32, 32, 3), dtype=np.uint8)


class Undecided(nn.Module):
    """Goes another way where the photo is bright: its forward is no tape."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.conv(x)
        if x.mean() > self.conv.bias.mean():
            x = x.relu()
        return self.head(x.mean((2, 3)))


@pytest.mark.parametrize("kind", [LeNet, Residual, Concatenating, Undecided])
def test_they_are_bit_for_bit_those_of_a_trace(kind):
    torch.manual_seed(4)
    module = kind().eval()
    photos = [*PHOTOS[:2], PHOTOS[0] // 9, *PHOTOS[2:]]
    found = list(answers(module, photos))
    assert len(found) == len(photos)
    for photo, each in zip(photos, found, strict=True):
        seen = traced_answers(trace(module, photo))
        assert list(each) == list(seen)
        assert all(each[name].tobytes() == seen[name].tobytes() for name in seen)


def test_each_size_of_photo_has_a_tape_of_its_own():
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    photos = [PHOTOS[0], PHOTOS[1, :20, :24], PHOTOS[2], PHOTOS[3, :20, :24]]
    for photo, each in zip(photos, answers(module, photos), strict=True):
        seen = traced_answers(trace(module, photo))
        assert all(np.array_equal(each[name], seen[name]) for name in seen)


def test_units_are_matched_by_them_as_by_traces():
    torch.manual_seed(1)
    first, second = Residual().eval(), Residual().eval()
    traces = [(trace(first, photo), trace(second, photo)) for photo in PHOTOS]
    wanted = match(traces)
    found = match_answers(
        *traces[-1], zip(answers(first, PHOTOS), answers(second, PHOTOS), strict=True)
    )
    assert found.photos == wanted.photos == len(PHOTOS)
    for one, other in zip(found.layers, wanted.layers, strict=True):
        assert (one.first, one.second, one.how) == (other.first, other.second, other.how)
        assert np.array_equal(one.units, other.units)
        assert np.array_equal(one.similarity, other.similarity, equal_nan=True)
