"""loop.py: what is no number never reaches the weights, and the training says why it ends."""

import numpy as np
import pytest
import torch
from tests.train.going import RECIPE, STEPS, digest, learn, network, states, steps
from torch import nn

from seethrough.data.split import Split
from seethrough.errors import TrainingDiverged
from seethrough.train.batches import Batches
from seethrough.train.events import EpochEnd, Step


class Explosive(nn.Module):
    """Answers with infinity in chosen forward passes in training mode."""

    def __init__(self, inner, bad):
        super().__init__()
        self.inner, self.bad, self.passes = inner, bad, 0

    def forward(self, pixels):
        logits = self.inner(pixels)
        if self.training:
            self.passes += 1
            if self.passes in self.bad:
                # reaches the running statistics too, as a real overflow would
                self.inner.norm1.running_mean.fill_(float("nan"))
                return logits * float("inf")
        return logits


def test_a_loss_that_is_no_number_is_shown_and_changes_nothing(photos):
    module = Explosive(network(photos), bad={2, 3})
    weights = []
    seen = []
    for event in learn(module, photos, RECIPE):
        seen.append(event)
        if isinstance(event, Step):
            weights.append(digest(module.state_dict()))
    losses = [loss for *_, loss, _ in steps(seen)]
    assert [loss is None for loss in losses] == [number in {1, 2} for number in range(STEPS)]
    assert weights[0] == weights[1] == weights[2] != weights[3]
    first, *others = [event for event in seen if isinstance(event, EpochEnd)][1:]
    assert first.train_loss is None
    assert all(event.train_loss is not None for event in others)
    assert all(np.isfinite(t.numpy()).all() for t in states(seen)[-1].tensors.values())


class BadGradient(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, gradient):
        return gradient * float("nan")


class Treacherous(nn.Module):
    """A finite loss with a gradient that is no number."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.passes = inner, 0

    def forward(self, pixels):
        self.passes += self.training
        logits = self.inner(pixels)
        return BadGradient.apply(logits) if self.passes == 4 and self.training else logits


def test_a_gradient_that_is_no_number_never_reaches_the_weights(photos):
    module = Treacherous(network(photos))
    seen, weights = [], []
    for event in learn(module, photos, RECIPE):
        seen.append(event)
        if isinstance(event, Step):
            weights.append(digest(module.state_dict()))
    assert [number for number, _, loss, _ in steps(seen) if loss is None] == [4]
    assert weights[2] == weights[3] != weights[4]


def test_three_steps_without_a_number_end_the_training_after_the_last_good_snapshot(photos):
    module = Explosive(network(photos), bad={8, 9, 10})
    seen = []
    with pytest.raises(TrainingDiverged, match="stopped being a number at step 10") as caught:
        seen.extend(learn(module, photos, RECIPE))
    assert "smaller" in caught.value.fix
    assert len(states(seen)) == 1
    assert all(np.isfinite(t.numpy()).all() for t in states(seen)[0].tensors.values())


class Overflowing(nn.Module):
    """Answers with infinity as soon as it is asked to judge."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, images):
        logits = self.inner(images)
        return logits if self.training else logits + float("inf")


def test_a_watched_image_for_which_the_network_overflows_is_left_out(photos):
    watched = [int(i) for i in photos.indices(Split.TEST)[:2]]
    ends = [
        event
        for event in learn(Overflowing(network(photos)), photos, RECIPE, watched=watched)
        if isinstance(event, EpochEnd)
    ]
    assert len(ends) == RECIPE.epochs + 1
    assert all(end.watched == () and end.test_loss is None for end in ends)


def test_weights_that_are_no_numbers_never_stand_in_an_epoch_s_end(photos):
    module, seen = network(photos), []
    last_of_second_epoch = 2 * len(Batches.of(photos, RECIPE).sizes)

    def spoiled():
        for event in learn(module, photos, RECIPE):
            if isinstance(event, Step) and event.step == last_of_second_epoch:
                module.conv1.weight.data.fill_(float("inf"))
            yield event

    with pytest.raises(TrainingDiverged, match="stopped being a number"):
        seen.extend(spoiled())
    *_, last = [event for event in seen if isinstance(event, EpochEnd)]
    assert np.isfinite(last.kernels).all()


def test_a_diverged_training_tells_the_likely_cause(photos):
    """Growth before, no growth before, and no number at all."""

    class Growing(nn.Module):
        """Every logit is a thousand times the one in the pass before, from the third pass on."""

        def __init__(self, inner):
            super().__init__()
            self.inner, self.passes = inner, 0

        def forward(self, pixels):
            self.passes += self.training
            return self.inner(pixels) * (1000.0 ** max(0, self.passes - 2) if self.training else 1)

    told = {}
    for name, module in {
        "grew": Growing(network(photos)),
        "sudden": Explosive(network(photos), bad={8, 9, 10}),
        "never": Explosive(network(photos), bad={1, 2, 3}),
    }.items():
        with pytest.raises(TrainingDiverged, match="stopped being a number at step") as caught:
            list(learn(module, photos, RECIPE))
        told[name] = caught.value
    assert "grew without limit, and the loss with them from" in told["grew"].why
    assert "no larger than usual" in told["sudden"].why
    assert "not one step gave a number" in told["never"].why
    assert "peak_lr=0.0125" in told["sudden"].fix
    assert "peak_lr" not in told["never"].fix
