"""schedule.py against torch's own one-cycle pieces and against its description."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seethrough.train.recipe import Recipe, Schedule
from seethrough.train.schedule import learning_rate

recipes = st.builds(
    Recipe,
    peak_lr=st.floats(1e-4, 10),
    warmup=st.floats(0, 0.9),
    final_lr=st.floats(0, 1),
    schedule=st.sampled_from(Schedule),
)


def rates(steps, recipe):
    return [learning_rate(step, steps, recipe) for step in range(1, steps + 1)]


@given(recipe=recipes, steps=st.integers(1, 300))
def test_it_rises_once_falls_once_and_ends_at_its_final_share(recipe, steps):
    series = rates(steps, recipe)
    top = series.index(max(series))
    assert all(a <= b * (1 + 1e-12) for a, b in pairwise(series[: top + 1]))
    assert all(a >= b * (1 - 1e-12) for a, b in pairwise(series[top:]))
    assert max(series) <= recipe.peak_lr * (1 + 1e-12)
    assert min(series) >= 0
    if steps > 1 and steps > math.ceil(recipe.warmup * steps):
        assert series[-1] == pytest.approx(recipe.peak_lr * recipe.final_lr)
        assert max(series) == pytest.approx(recipe.peak_lr)


def test_the_rise_is_a_straight_line_from_zero():
    series = rates(100, Recipe(peak_lr=0.5, warmup=0.2))
    assert series[:20] == pytest.approx([0.5 * step / 20 for step in range(1, 21)])


@pytest.mark.parametrize("schedule", list(Schedule))
def test_the_fall_is_what_torch_computes(schedule):
    recipe = Recipe(peak_lr=0.5, warmup=0.0, final_lr=0.1, schedule=schedule)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    if schedule is Schedule.LINEAR:
        theirs = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=49)
    else:
        theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=49, eta_min=0.05)
    expected = []
    for _ in range(50):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert rates(50, recipe) == pytest.approx(expected)
