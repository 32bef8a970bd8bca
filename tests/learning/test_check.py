"""Finite differences against autograd, and where they must not agree."""

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.errors import LayerError
from seethrough.learning.check import gradient_check


@pytest.fixture
def module():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 7 * 7, 3)
        )


@pytest.fixture
def photo():
    return np.random.default_rng(2).integers(0, 2, (16, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "index"), [("0.weight", (1, 2, 0, 1)), ("0.bias", (3,)), ("3.weight", (2, 100))]
)
def test_trying_gives_what_autograd_says(module, photo, name, index):
    check = gradient_check(module, photo, 1, name, *index)
    assert check.relative_difference < 1e-7
    assert abs(check.gradient) > 1e-6
    # the formula's error falls with the square of the step
    errors = [abs(trial.difference - check.gradient) for trial in check.trials]
    assert errors[1] < errors[0] / 50 or errors[0] < 1e-9
    for trial in check.trials:
        assert trial.difference == (trial.loss_above - trial.loss_below) / (2 * trial.step)


def test_a_function_whose_slope_is_wrong_is_caught(photo):
    class Lying(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1.0

        @staticmethod
        def backward(ctx, slope):
            return 2 * slope

    class Liar(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 3)

        def forward(self, x):
            return Lying.apply(self.head(x.mean((2, 3))))

    assert gradient_check(Liar(), photo, 0, "head.weight", 1, 1).relative_difference > 0.4


def test_the_network_stays_as_it_is(module, photo):
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    gradient_check(module, photo, 0, "0.weight", 0, 0, 0, 0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert next(module.parameters()).dtype == torch.float32
    assert all(parameter.grad is None for parameter in module.parameters())


def test_what_is_not_there_is_named(module, photo):
    with pytest.raises(LayerError, match=r"There is no weight '9\.weight'") as refused:
        gradient_check(module, photo, 0, "9.weight", 0)
    assert "0.weight" in refused.value.fix
    with pytest.raises(LayerError, match="at 4, 0, 0, 0"):
        gradient_check(module, photo, 0, "0.weight", 4, 0, 0, 0)
