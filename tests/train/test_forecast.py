"""forecast.py: its arithmetic by counting, and that it is a measurement of the right things."""

import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seethrough.data.split import Split
from seethrough.model.build import build
from seethrough.model.spec import parse
from seethrough.train.forecast import Forecast, forecast
from seethrough.train.loop import train
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

RECIPE = Recipe(epochs=2, batch=16, shift_px=1)
HERE = Place(threads=1)


def network(photos):
    spec = parse("conv 4 k3 p1, norm, relu, maxpool 3, flatten, dense", image_px=12)
    mean, std = photos.mean_std()
    return build(spec, num_classes=3, mean=mean, std=std, seed=0)


class Slow(nn.Module):
    """A network that waits a known time for every image, and a third of it when it is judged."""

    def __init__(self, inner, seconds):
        super().__init__()
        self.inner, self.seconds, self.widest = inner, seconds, 0

    def forward(self, images):
        share = 1 if self.training else 1 / 3
        until = time.perf_counter() + self.seconds * share * len(images)
        self.widest = max(self.widest, len(images))
        while time.perf_counter() < until:
            pass
        return self.inner(images)


def test_what_an_image_costs_is_measured_in_steps_and_in_evaluation(photos):
    told = forecast(Slow(network(photos), 0.004), photos, RECIPE, place=HERE, budget_s=0.3)
    assert told.images == 44
    assert told.test_images == 9
    # never less than the wait; what else a step takes depends on how busy the machine is
    assert told.step_s >= 0.004
    assert 0.004 / 3 <= told.evaluation_s < told.step_s


def test_one_step_that_stalls_does_not_mislead(photos):
    slow = Slow(network(photos), 0.002)

    def stall(module, given):
        stall.calls += 1
        if stall.calls == 4:
            time.sleep(2.0)

    stall.calls = 0
    slow.register_forward_pre_hook(stall)
    told = forecast(slow, photos, RECIPE, place=HERE, budget_s=0.3)
    assert stall.calls >= 4
    assert told.step_s < 2.0 / 44 / 2  # the mean of three steps of 16 would be 2 / 48 at least


def test_of_a_slow_network_a_part_of_the_batch_is_measured(photos):
    slow = Slow(network(photos), 0.05)
    told = forecast(slow, photos, RECIPE, place=HERE, budget_s=0.1)
    assert slow.widest == 2
    assert told.step_s >= 0.05


images = st.integers(0, 10_000)
seconds = st.floats(1e-6, 0.1)


@given(train=st.integers(1, 10_000), test=images, step=seconds, judged=seconds)
def test_the_whole_is_the_sum_of_its_passes(train, test, step, judged):
    told = Forecast(images=train, test_images=test, step_s=step, evaluation_s=judged)
    passes = told.total_s(5) - told.total_s(4)
    assert passes == pytest.approx(told.epoch_s, rel=1e-6)
    # untrained, five times after an epoch, and for the report; training photos judged once
    judgements = 7 * test + train
    kept = told.total_s(5) - 5 * train * step - judgements * judged
    assert kept == pytest.approx(5 * 0.03, abs=1e-6 * told.total_s(5))


@given(epochs=st.integers(1, 1000), step=seconds, judged=seconds)
def test_as_many_epochs_as_take_so_long_take_so_long(epochs, step, judged):
    told = Forecast(images=1000, test_images=100, step_s=step, evaluation_s=judged)
    assert told.epochs_in(told.total_s(epochs) / 60) == epochs
    assert told.epochs_in(1e-9) == 1


def test_a_forecast_leaves_torch_and_the_training_as_they_were(photos):
    def weights():
        module = network(photos)
        list(train(module, photos, RECIPE, place=HERE))
        return torch.cat([tensor.flatten().float() for tensor in module.state_dict().values()])

    before, state = weights(), torch.get_rng_state()
    threads = torch.get_num_threads()
    forecast(network(photos), photos, RECIPE, place=Place(threads=2), budget_s=0.01)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(weights(), before)


def test_without_test_images_nothing_is_judged(make_photos):
    alone = make_photos(24, 0)
    told = forecast(network(alone), alone, RECIPE, place=HERE, budget_s=0.01)
    assert not len(alone.indices(Split.TEST))
    assert told.total_s(3) == pytest.approx(3 * told.epoch_s + 24 * told.evaluation_s)
