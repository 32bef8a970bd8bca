"""Corners between two runs are counted as a hand would count them."""

import torch
import torch.nn.functional as F
from torch import nn

from seethrough.learning.kink import crossed, sides


def counted(module, one, other):
    found = []
    for x in (one, other):
        with sides() as each, torch.no_grad():
            module(x)
        found.append(each)
    return crossed(*found)


def test_relus_that_open_and_shut_are_counted_however_they_are_called():
    one, other = torch.tensor([-1.0, -1.0, 2.0, 3.0]), torch.tensor([1.0, -2.0, -2.0, 4.0])
    for call in (
        nn.ReLU(),
        F.relu,
        lambda x: torch.relu_(x.clone()),
        nn.LeakyReLU(0.1),
        nn.PReLU(init=0.3),
        torch.abs,
        lambda x: x.clamp(min=0),
        nn.Threshold(0.0, 0.0),
    ):
        assert counted(call, one, other) == 2


def test_two_ends_are_two_corners():
    one, other = torch.tensor([-1.0, 3.0, 5.0, 7.0]), torch.tensor([3.0, 3.5, 7.0, 8.0])
    assert counted(nn.ReLU6(), one, other) == 2
    assert counted(nn.Hardtanh(0.0, 6.0), one, other) == 2


def test_a_maximum_that_changes_hands_is_a_corner():
    one = torch.tensor([[[1.0, 2.0, 5.0, 4.0], [0.0, 0.0, 0.0, 0.0]]])
    other = one.clone()
    other[0, 0, 0] = 3.0  # wins the left window; the right one keeps its winner
    other[0, 0, 2] = 6.0
    assert counted(nn.MaxPool2d(2), one, other) == 1
    assert counted(nn.AdaptiveMaxPool2d((1, 2)), one, other) == 1
    assert counted(lambda x: torch.max(x, dim=2), one, other) == 0
    assert counted(lambda x: torch.maximum(x, torch.full_like(x, 2.5)), one, other) == 1


def test_smooth_functions_have_none():
    one, other = torch.tensor([-1.0, 2.0]), torch.tensor([1.0, -2.0])
    for call in (nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.SiLU(), nn.Softplus()):
        assert counted(call, one, other) == 0
