"""moments.py: which steps are kept, counted; and what the loop gives out at them."""

import dataclasses
import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.train.small import learn, network

from seethrough.train.events import MomentDue, Snapshot, Step
from seethrough.train.moments import MOST, MOST_BYTES, PART_BYTES, WHOLE, chosen, plan, planned
from seethrough.train.recipe import Recipe

RECIPE = Recipe(epochs=4, batch=4, peak_lr=0.05, shift_px=1, seed=4)  # 11 steps an epoch

trainings = {
    "per_epoch": st.integers(1, 20_000),
    "epochs": st.integers(1, 400),
    "moment_bytes": st.integers(5_000, MOST_BYTES // WHOLE),
}


@given(**trainings)
def test_no_run_keeps_more_than_its_bytes_and_its_number(per_epoch, epochs, moment_bytes):
    steps = planned(per_epoch, epochs, moment_bytes)
    assert len(steps) * moment_bytes <= MOST_BYTES
    assert len(steps) <= MOST
    assert list(steps) == sorted(set(steps))
    assert steps[0] == 0
    assert steps[-1] == per_epoch * epochs


@given(**trainings)
def test_after_the_first_epoch_moments_lie_sixteen_steps_apart(per_epoch, epochs, moment_bytes):
    later = [step for step in planned(per_epoch, epochs, moment_bytes) if step > per_epoch]
    end = per_epoch * epochs
    gaps = [b - a for a, b in pairwise(later) if b != end]
    assert all(gap >= 16 for gap in gaps)


def test_the_first_epoch_has_powers_of_two_and_each_epoch_its_quarters():
    steps = planned(100, 3, 60_000)
    assert steps == (0, 1, 2, 4, 8, 16, 25, 32, 50, 64, 75, 100, *range(125, 301, 25))


@pytest.mark.parametrize(
    ("epochs", "apart"), [(20, 25), (40, 50), (80, 100), (200, 200), (400, 400)]
)
def test_long_trainings_are_kept_at_fewer_steps_of_each_epoch(epochs, apart):
    steps = planned(100, epochs, 60_000)
    later = [step for step in steps if step > 100]
    assert {b - a for a, b in pairwise(later)} == {apart}


def test_large_weights_are_kept_less_often():
    counts = [len(planned(400, 30, size)) for size in (10_000, 2_000_000, 5_000_000, 16_000_000)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] >= 2
    assert len(planned(20_000, 1, MOST_BYTES // 3)) <= 3


def test_a_small_network_is_kept_whole_and_of_a_large_one_what_fits():
    small = {"conv.weight": torch.zeros(4, 3, 3, 3), "dense.weight": torch.zeros(2, 4)}
    assert plan(small, per_epoch=10, epochs=2).names == tuple(small)
    large = {
        "first.weight": torch.zeros(64, 3, 7, 7),
        "norm.running_mean": torch.zeros(64),
        "middle.weight": torch.zeros(2_000, 3_000, 1, 1),
        "late.weight": torch.zeros(64, 64, 3, 3),
        "head.weight": torch.zeros(1000, 512),
        "head.bias": torch.zeros(1000),
    }
    found = plan(large, per_epoch=100, epochs=90)
    assert not found.is_whole
    assert found.names == tuple(name for name in large if name != "middle.weight")
    kept = sum(large[name].nbytes for name in found.names)
    assert kept <= PART_BYTES
    assert len(found.steps) * kept <= MOST_BYTES
    assert chosen(large) == found.names


def moments(seen):
    return [event for event in seen if isinstance(event, MomentDue)]


def test_a_moment_holds_the_weights_after_its_step(photos):
    module = network(photos)
    found = {0: {name: tensor.clone() for name, tensor in module.state_dict().items()}}
    kept = {}
    for event in learn(module, photos, RECIPE):
        if isinstance(event, Step):
            state = module.state_dict()
            found[event.step] = {name: tensor.clone() for name, tensor in state.items()}
        if isinstance(event, MomentDue):
            kept[event.step] = event
    assert sorted(kept) == [0, 1, 2, 4, 8, 22, 44]
    for step, event in kept.items():
        assert event.is_whole
        assert event.epoch == math.ceil(step / 11)
        assert event.tensors.keys() == found[step].keys()
        assert all(torch.equal(event.tensors[name], found[step][name]) for name in found[step])


def test_where_weights_are_averaged_a_moment_holds_the_average(photos):
    recipe = dataclasses.replace(RECIPE, ema=0.9)
    seen = list(learn(network(photos), photos, recipe))
    snapshots = {each.state.step: each.state for each in seen if isinstance(each, Snapshot)}
    compared = [event for event in moments(seen) if event.step in snapshots]
    assert [event.step for event in compared] == [22, 44]
    for event in compared:
        tensors = snapshots[event.step].tensors
        assert all(
            torch.equal(event.tensors[name], tensors[f"weights.{name}"]) for name in event.tensors
        )
        assert any(
            not torch.equal(event.tensors[name], tensors[f"learning.{name}"])
            for name in event.tensors
        )


def test_a_resumed_training_gives_the_moments_that_are_left(photos):
    seen = []
    for event in learn(
        network(photos),
        photos,
        RECIPE,
        should_stop=lambda: sum(isinstance(each, Step) for each in seen) >= 15,
    ):
        seen.append(event)
    state = next(each.state for each in reversed(seen) if isinstance(each, Snapshot))
    rest = list(learn(network(photos), photos, RECIPE, resume=state))
    assert [event.step for event in moments(seen)] == [0, 1, 2, 4, 8]
    assert [event.step for event in moments(rest)] == [22, 44]
