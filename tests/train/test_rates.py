"""rates.py: its formulas by definition, what it says of curves that are known, and its ends."""

import math

import numpy as np
import pytest
import torch
from tests.train.small import network
from torch import nn

from seethrough.train.place import Place
from seethrough.train.rates import HIGHEST, LOWEST, Trial, found, trials
from seethrough.train.recipe import Recipe

RECIPE = Recipe(batch=16, shift_px=1)
HERE = Place(threads=1)


def tried(module, photos, **options):
    return list(trials(module, photos, RECIPE, place=HERE, **options))


def test_rates_grow_by_one_factor_from_the_lowest_to_the_highest(photos):
    class Patient(nn.Module):
        """Whose loss does not depend on its weights."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, images):
            return torch.zeros(len(images), 3) + 0 * self.weight

    seen = tried(Patient(), photos, steps=30)
    assert len(seen) == 30
    factors = np.diff([math.log(each.rate) for each in seen])
    assert factors == pytest.approx(math.log(HIGHEST / LOWEST) / 29)
    assert (seen[0].rate, seen[-1].rate) == pytest.approx((LOWEST, HIGHEST))
    assert all(each.loss == pytest.approx(math.log(3)) for each in seen)
    assert all(each.smoothed == pytest.approx(math.log(3)) for each in seen)
    assert found(seen).diverged is None


def test_the_smoothed_loss_is_the_mean_of_all_so_far_newer_ones_counting_more(photos):
    seen = tried(network(photos), photos, steps=40)
    losses = [each.loss for each in seen if each.loss is not None]
    assert len(losses) > 10
    for place, each in enumerate(seen[: len(losses)]):
        weights = 0.9 ** np.arange(place + 1)[::-1]
        assert each.smoothed == pytest.approx(np.average(losses[: place + 1], weights=weights))


def test_it_ends_where_the_loss_runs_away_or_is_no_number(photos):
    class Explosive(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.passes = inner, 0

        def forward(self, images):
            self.passes += 1
            return self.inner(images) * (1e30 if self.passes > 12 else 1)

    last = tried(Explosive(network(photos)), photos, steps=50)
    assert len(last) == 13
    assert last[-1].smoothed is None or last[-1].smoothed > 4 * min(t.smoothed for t in last[:-1])
    assert found(last).diverged == last[-1].rate


def test_asked_to_stop_it_ends_after_the_step(photos):
    assert len(tried(network(photos), photos, should_stop=lambda: True)) == 1


def curve(losses):
    rates = np.geomspace(1e-5, 10, len(losses))
    return [
        Trial(rate=float(rate), loss=loss, smoothed=loss)
        for rate, loss in zip(rates, losses, strict=True)
    ]


def test_of_a_smooth_fall_the_middle_is_the_steepest():
    place = np.arange(60)
    seen = curve((2 - 1.5 / (1 + np.exp(-(place - 30) / 3))).tolist())
    said = found(seen)
    assert said.steepest == pytest.approx(seen[30].rate)
    assert (said.diverged, said.suggested) == (None, said.steepest)


@pytest.mark.parametrize(("last", "share"), [(35, 0.1), (59, None)])
def test_the_smaller_of_the_steepest_and_a_tenth_of_the_end_is_suggested(last, share):
    place = np.arange(last + 1)
    losses = (2 - 1.5 / (1 + np.exp(-(place - 30) / 3))).tolist()
    seen = curve(losses + [0.5] * (60 - len(losses)))[: last + 1]
    seen[-1] = Trial(rate=seen[-1].rate, loss=None, smoothed=None)
    said = found(seen)
    assert said.diverged == seen[-1].rate
    wanted = said.diverged * share if share else said.steepest
    assert said.suggested == pytest.approx(wanted)
    assert said.suggested <= said.diverged / 10 * (1 + 1e-9)


def test_a_loss_that_never_fell_suggests_nothing():
    said = found(curve(np.linspace(1, 2, 40).tolist()))
    assert (said.steepest, said.diverged, said.suggested) == (None, None, None)
