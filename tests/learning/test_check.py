"""Finite differences against autograd, and where they must not agree."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.errors import LayerError
from seethrough.learning.check import gradient_check
from seethrough.predict.probabilities import Ending


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
    errors = [abs(trial.slope - check.gradient) for trial in check.trials]
    assert errors[1] < errors[0] / 50 or errors[0] < 1e-9
    for trial in check.trials:
        assert trial.slope == (trial.loss_above - trial.loss_below) / (2 * trial.step)
        assert trial.kinks == 0  # tanh is smooth


def test_the_shown_digits_follow_from_each_other(module, photo):
    for label in range(3):
        check = gradient_check(module, photo, label, "0.weight", 1, 2, 0, 1)
        for trial in check.trials:
            above, below = Fraction(trial.shown_above), Fraction(trial.shown_below)
            slope = (above - below) / (2 * Fraction(trial.shown_step))
            assert slope == Fraction(trial.shown_slope)
            assert slope - Fraction(trial.shown_gradient) == Fraction(trial.shown_apart)
            assert float(above) == pytest.approx(trial.loss_above, rel=1e-13)
            assert float(slope) == pytest.approx(trial.slope, abs=1e-8)
            assert float(trial.shown_gradient) == pytest.approx(check.gradient, abs=1e-9)


def test_a_relu_that_opens_in_between_is_told_and_explains_the_difference():
    """One input of 1, weight −0.005: the relu opens at 0, inside a step of 0.01 alone."""
    with torch.no_grad():
        first, last = nn.Linear(3, 1, bias=False), nn.Linear(1, 2, bias=False)
        first.weight.zero_()[0, 0] = -0.005
        last.weight.copy_(torch.tensor([[2.0], [0.0]]))
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), first, nn.ReLU(), last)
    ones = np.ones((4, 4, 3), dtype=np.uint8)
    check = gradient_check(pooled, ones, 0, "2.weight", 0, 0)
    assert check.gradient == 0
    assert [trial.kinks for trial in check.trials] == [1, 0, 0, 0]
    # shut below, 0.005 above: the loss is log 2, and log(1 + e^(−0.01))
    told = check.trials[0]
    assert told.loss_below == pytest.approx(np.log(2), abs=1e-9)
    assert told.loss_above == pytest.approx(np.log1p(np.exp(-0.01)), abs=1e-8)
    assert told.slope == pytest.approx((told.loss_above - np.log(2)) / 0.02, abs=1e-7)
    assert all(trial.slope == 0 for trial in check.trials[1:])
    assert check.relative_difference == 0
    assert "1 corner between" in str(check)


def test_a_network_that_answers_with_probabilities_has_the_loss_of_its_logits(module, photo):
    ending = nn.Sequential(*module, nn.Softmax(dim=1))
    wanted = gradient_check(module, photo, 1, "0.bias", 2)
    found = gradient_check(ending, photo, 1, "0.bias", 2, ending=Ending.PROBABILITIES)
    assert found.gradient == pytest.approx(wanted.gradient, rel=1e-9)
    for one, other in zip(found.trials, wanted.trials, strict=True):
        assert one.loss_above == pytest.approx(other.loss_above, rel=1e-12)


def test_a_check_ends_between_two_layers_when_nobody_waits(module, photo):
    class Over(Exception):
        pass

    calls = []

    def breath():
        calls.append(None)
        if len(calls) > 10:
            raise Over

    with pytest.raises(Over):
        gradient_check(module, photo, 1, "0.bias", 2, breath=breath)
    assert len(calls) == 11


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
