"""abandon.py: a stop within a step leaves it, and nothing of the step is left."""

import threading

import pytest
import torch
from tests.train.going import RECIPE, digest, epochs, events, learn, network, states, steps
from torch import nn

from seethrough.train import abandon, learner
from seethrough.train.abandon import Abandoned, hearing


@pytest.fixture
def impatient(monkeypatch):
    """Every step is a long one, and every layer asks."""
    monkeypatch.setattr(abandon, "PATIENCE_S", 0.0)
    monkeypatch.setattr(abandon, "ASKED_EVERY_S", 0.0)
    monkeypatch.setattr(learner, "_LONG_S", 0.0)


def after(number):
    """A wish to stop that is there from the n-th question on; how often it was asked."""
    asked = [0]

    def should_stop():
        asked[0] += 1
        return asked[0] >= number

    return should_stop, asked


def asked_while(photos, number):
    """How many questions there are until so many steps are taken."""
    never, asked = after(float("inf"))
    seen = []
    for event in learn(network(photos), photos, RECIPE, should_stop=never):
        seen.append(event)
        if len(steps(seen)) == number:
            return asked[0]
    raise AssertionError("there are fewer steps")


def test_a_stop_at_any_question_of_a_step_ends_with_the_same_bits(photos, impatient):
    whole = events(photos)
    second, third = asked_while(photos, 1) + 1, asked_while(photos, 2) + 1
    layers = sum(1 for _ in network(photos).modules())
    assert third - second > layers + 3  # forwards each layer, backwards those that learn
    for number in range(second, third + 1):
        should_stop, _ = after(number)
        seen = events(photos, should_stop=should_stop)
        assert [type(event).__name__ for event in seen[-2:]] == ["Snapshot", "Stopped"]
        kept = states(seen)[-1]
        assert kept.step == len(steps(seen)) == (1 if number < third else 2)
        rest = list(learn(network(photos), photos, RECIPE, resume=kept))
        assert steps(seen) + steps(rest) == steps(whole)
        assert epochs(seen) + epochs(rest) == epochs(whole)
        assert digest(states(rest)[-1].tensors) == digest(states(whole)[-1].tensors)


def test_a_stop_within_the_first_step_keeps_nothing(photos, impatient):
    should_stop, _ = after(asked_while(photos, 1) - 2)
    seen = events(photos, should_stop=should_stop)
    assert [type(event).__name__ for event in seen] == [
        "Started",
        "EpochEnd",
        "MomentDue",
        "Stopped",
    ]
    assert seen[-1].step == 0


def test_a_stop_within_an_evaluation_does_not_wait_for_its_batch(photos, impatient):
    should_stop, _ = after(3)  # the first question is that of the batch, the next of its layers
    seen = events(photos, should_stop=should_stop)
    assert [type(event).__name__ for event in seen] == ["Started", "Stopped"]


def test_gradients_are_left_from_within(monkeypatch):
    monkeypatch.setattr(abandon, "PATIENCE_S", 0.0)
    monkeypatch.setattr(abandon, "ASKED_EVERY_S", 0.0)
    layers = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    wants_out = [False]
    with hearing(lambda: wants_out[0]):
        answer = layers(torch.ones(5, 3)).sum()
        wants_out[0] = True
        with pytest.raises(Abandoned):
            answer.backward()
    assert layers[0].weight.grad is None
    layers(torch.ones(5, 3)).sum().backward()  # nobody listens any more
    assert layers[0].weight.grad is not None


def test_the_networks_of_other_threads_are_not_disturbed(monkeypatch):
    monkeypatch.setattr(abandon, "PATIENCE_S", 0.0)
    answers = []
    with hearing(lambda: True):
        other = threading.Thread(target=lambda: answers.append(nn.Linear(3, 4)(torch.ones(5, 3))))
        other.start()
        other.join()
        with pytest.raises(Abandoned):
            nn.Linear(3, 4)(torch.ones(5, 3))
    assert [answer.shape for answer in answers] == [(5, 4)]


def test_what_takes_no_time_is_not_asked():
    asked = []
    with hearing(lambda: bool(asked.append(True))):
        nn.Linear(3, 4)(torch.ones(5, 3)).sum().backward()
    assert asked == []
