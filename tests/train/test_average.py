"""Averaged weights: against the sum of all weights written out, and wherever they must appear."""

import pytest
import torch
from tests.train.small import digest, last_state, learn, network, stopped_after

from seethrough.data.split import Split
from seethrough.errors import CheckpointError
from seethrough.train.evaluation import score
from seethrough.train.events import Done, EpochEnd, Snapshot, Step, Stopped
from seethrough.train.recipe import Recipe

WITH = Recipe(epochs=2, batch=8, peak_lr=0.05, shift_px=1, ema=0.8)
WITHOUT = Recipe(epochs=2, batch=8, peak_lr=0.05, shift_px=1)
EVERYTHING = Recipe(
    epochs=2,
    batch=8,
    peak_lr=0.02,
    shift_px=1,
    ema=0.9,
    colour=0.3,
    cutout_px=4,
    mixup=0.3,
    micro_batch=3,
)


def states_of(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def ways(photos, recipe):
    """The weights that learn, at the beginning and after every step."""
    module = network(photos)
    way = [states_of(module)]
    for event in learn(module, photos, recipe):
        if isinstance(event, Step):
            way.append(states_of(module))
    return way


def test_the_average_is_the_weighted_sum_of_all_weights_on_the_way(photos):
    way = ways(photos, WITHOUT)
    shares = [min(0.8, (1 + t) / (10 + t)) for t in range(1, len(way))]
    # w0 is kept by every step, w_t enters with 1 - s_t and is kept by those after it
    weights = [torch.tensor([0.0, *shares], dtype=torch.float64)[t:] for t in range(len(way))]
    parts = [(1 - s[0] if t else 1.0) * s[1:].prod() for t, s in enumerate(weights)]
    assert float(sum(parts)) == pytest.approx(1)
    module = network(photos)
    seen = list(learn(module, photos, WITH))
    for name, averaged in module.state_dict().items():
        if averaged.is_floating_point():
            wanted = sum(p * w[name].double() for p, w in zip(parts, way, strict=True))
            torch.testing.assert_close(averaged.double(), wanted, rtol=1e-5, atol=1e-6)
        else:
            assert torch.equal(averaged, way[-1][name])
        kept = last_state(seen)
        assert torch.equal(kept[f"weights.{name}"], averaged)
        assert torch.equal(kept[f"learning.{name}"], way[-1][name])
    assert digest(states_of(module)) != digest(way[-1])


def test_averaging_changes_nothing_of_what_is_learned(photos):
    def losses(recipe):
        seen = learn(network(photos), photos, recipe)
        return [event.loss for event in seen if isinstance(event, Step)]

    assert losses(WITH) == losses(WITHOUT)


def test_the_averaged_weights_are_those_that_are_judged_and_kept(photos):
    module, index = network(photos), photos.indices(Split.TEST)
    for event in learn(module, photos, WITH):
        if isinstance(event, EpochEnd):
            again = score(module, photos, index, should_stop=lambda: False)
            assert (event.test_loss, event.test_accuracy) == (again.loss, again.accuracy)
        if isinstance(event, Snapshot):
            kept = event.state.tensors
            for name, tensor in module.state_dict().items():
                assert torch.equal(kept[f"weights.{name}"], tensor)


@pytest.mark.parametrize("recipe", [WITH, EVERYTHING], ids=["average", "everything"])
def test_stopped_after_any_step_and_resumed_it_ends_with_the_same_bits(photos, recipe):
    module = network(photos)
    undisturbed = list(learn(module, photos, recipe))
    for number in (1, 2, 5, 6, 7, 11):
        first = stopped_after(number, photos, recipe)
        assert isinstance(first[-1], Stopped)
        other = network(photos, seed=9)
        (kept,) = [event.state for event in first if isinstance(event, Snapshot)][-1:]
        second = list(learn(other, photos, recipe, resume=kept))
        assert isinstance(second[-1], Done)
        assert digest(last_state(second)) == digest(last_state(undisturbed))
        assert digest(states_of(other)) == digest(states_of(module))


def test_a_stopped_training_leaves_the_weights_that_it_kept_in_the_network(photos):
    module, seen = network(photos), []
    asked = learn(module, photos, WITH, should_stop=lambda: len(seen) > 4)
    for event in asked:
        seen.append(event)
    assert isinstance(seen[-1], Stopped)
    kept = last_state(seen)
    assert all(torch.equal(kept[f"weights.{n}"], t) for n, t in module.state_dict().items())


def test_a_snapshot_without_an_average_is_refused(photos):
    seen = learn(network(photos), photos, WITHOUT)
    kept = next(event.state for event in seen if isinstance(event, Snapshot))
    with pytest.raises(CheckpointError, match="does not fit"):
        list(learn(network(photos), photos, WITH, resume=kept))
