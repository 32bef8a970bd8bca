"""pace.py and the optimizers' shares: who learns, when, and how quickly."""

import pytest
import torch
from torch import nn

from seethrough.train.optimizers import updates_for
from seethrough.train.pace import Pace, slower_below
from seethrough.train.recipe import Optimizer, Recipe


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 2)
        )


def stepped(recipe, shares, steps=3):
    """The parameters' ways after some steps with gradients of one."""
    module = network()
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    updates = updates_for(module, recipe)
    for _ in range(steps):
        for p in module.parameters():
            p.grad = torch.ones_like(p)
        updates.step(0.1, shares)
    return {name: p.detach() - before[name] for name, p in module.named_parameters()}, updates


def test_shares_rise_by_equal_factors_from_the_photo_to_the_answer():
    pace = slower_below(network(), smallest=0.125, first={"4.weight"}, first_epochs=2)
    assert pace.shares == {
        "0.weight": pytest.approx(0.125),
        "0.bias": pytest.approx(0.125),
        "1.weight": pytest.approx(0.25),
        "1.bias": pytest.approx(0.25),
        "3.weight": pytest.approx(0.5),
        "3.bias": pytest.approx(0.5),
        "4.weight": 1.0,
        "4.bias": 1.0,
    }
    assert pace.in_epoch(1) == pace.in_epoch(2)
    assert [name for name, share in pace.in_epoch(2).items() if share] == ["4.weight"]
    assert pace.in_epoch(3) == pace.shares


def test_without_a_pace_everything_learns_at_the_full_rate():
    assert Pace().in_epoch(1) == {}
    plain, _ = stepped(Recipe(), {})
    ones, _ = stepped(Recipe(), dict.fromkeys(plain, 1.0))
    assert all(torch.equal(plain[name], ones[name]) for name in plain)


@pytest.mark.parametrize("optimizer", Optimizer)
def test_a_share_multiplies_the_learning_rate(optimizer):
    recipe = Recipe(optimizer=optimizer, weight_decay=0.0)
    full, _ = stepped(recipe, {})
    half, _ = stepped(recipe, {"0.weight": 0.5, "4.bias": 0.25})
    for name, moved in full.items():
        share = {"0.weight": 0.5, "4.bias": 0.25}.get(name, 1.0)
        torch.testing.assert_close(half[name], moved * share, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("optimizer", Optimizer)
def test_at_a_share_of_nothing_neither_the_weight_nor_its_memory_moves(optimizer):
    moved, updates = stepped(Recipe(optimizer=optimizer), {"0.weight": 0.0})
    assert not moved["0.weight"].any()
    assert moved["0.bias"].any()
    kept = {name: tensor for name, tensor in updates.tensors() if name.startswith("0.weight")}
    assert kept
    assert not any(tensor.any() for tensor in kept.values())
