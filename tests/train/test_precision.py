"""precision.py: rounded products by hand, in a step and in whole trainings, judged in float32."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.train.going import RECIPE, digest, epochs, events, network, states, steps, until
from torch import nn

from seethrough.data.split import Split
from seethrough.train import evaluation
from seethrough.train.learner import Learner
from seethrough.train.limit import matrix_product
from seethrough.train.loop import never
from seethrough.train.precision import computing, quickest
from seethrough.train.recipe import Precision, Recipe

ROUNDED = replace(RECIPE, precision=Precision.BFLOAT16)


def rounded(array):
    """To bfloat16 by hand: the upper 16 bits of float32, to the nearest, ties to even."""
    bits = np.asarray(array, np.float32).view(np.uint32)
    upper = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return upper.astype(np.uint32).view(np.float32).astype(np.float64)


def test_a_step_rounds_what_it_multiplies_and_nothing_else():
    """A dense layer's loss and gradients written out in float64, from rounded numbers."""
    draw = np.random.default_rng(3)
    x, labels = draw.normal(size=(6, 5)).astype(np.float32), np.array([0, 2, 1, 1, 0, 2])
    torch.manual_seed(3)
    dense = nn.Linear(5, 3)
    before = {name: p.detach().clone() for name, p in dense.named_parameters()}
    recipe = Recipe(
        batch=6, label_smoothing=0.0, momentum=0.0, nesterov=False, precision=Precision.BFLOAT16
    )
    learner = Learner(dense, recipe)
    loss = learner.learn(torch.from_numpy(x), torch.from_numpy(labels), 0.0)
    w, b = rounded(before["weight"]), rounded(before["bias"])
    logits = rounded(rounded(x) @ w.T + b)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert loss == pytest.approx(-np.log(shares[np.arange(6), labels]).mean(), rel=1e-5)
    back = rounded((shares - np.eye(3)[labels]) / 6)  # comes back through the rounded logits
    gradient = rounded(back.T @ rounded(x))
    assert dense.weight.grad.dtype is torch.float32
    np.testing.assert_allclose(dense.weight.grad, gradient, rtol=2**-7, atol=1e-3)
    assert np.array_equal(dense.weight.grad, rounded(dense.weight.grad))
    exact = back.T @ x.astype(np.float64)
    assert not np.allclose(dense.weight.grad, exact, rtol=1e-6, atol=0)
    assert torch.equal(dense.weight.detach(), before["weight"])  # a rate of 0 rounds no weight


def test_weights_and_everything_that_is_remembered_keep_all_their_digits(photos):
    for state in states(events(photos, ROUNDED)):
        for name, tensor in state.tensors.items():
            if tensor.is_floating_point() and tensor.numel() > 8 and "mean" not in name:
                assert tensor.dtype is torch.float32
                assert not np.array_equal(tensor, rounded(tensor)), name


def test_a_rounded_training_goes_nearly_the_same_way(photos):
    usual, other = events(photos), events(photos, ROUNDED)
    far = [abs(a[2] - b[2]) / a[2] for a, b in zip(steps(usual), steps(other), strict=True)]
    assert 0 < far[0] < 0.01
    assert max(far) < 0.2
    assert digest(states(usual)[-1].tensors) != digest(states(other)[-1].tensors)


@pytest.mark.parametrize("number", [1, 6, 7, 17])
def test_stopped_after_any_step_it_goes_on_to_the_same_bits(photos, number):
    whole = states(events(photos, ROUNDED))[-1]
    middle = states(until(number, photos, ROUNDED))[-1]
    assert middle.step == number
    rest = events(photos, ROUNDED, resume=middle)
    assert digest(states(rest)[-1].tensors) == digest(whole.tensors)


def test_the_end_is_judged_as_it_is_used_and_what_is_between_as_it_learns(photos):
    seen = events(photos, ROUNDED)
    told = {epoch: loss for epoch, *_, loss in epochs(seen)}
    for state in states(seen):
        module = network(photos)
        weights = {n[8:]: t for n, t in state.tensors.items() if n.startswith("weights.")}
        module.load_state_dict(weights)
        losses = {}
        for precision in Precision:
            with computing(precision):
                index = photos.indices(Split.TEST)
                losses[precision] = evaluation.score(module, photos, index, should_stop=never).loss
        assert len(set(losses.values())) == 2
        is_last = state.epoch == ROUNDED.epochs
        used = Precision.FLOAT32 if is_last else Precision.BFLOAT16
        assert told[state.epoch] == pytest.approx(losses[used], rel=1e-6)


def test_what_is_quicker_here_is_found_out_once_and_leaves_torch_as_it_was():
    state = torch.get_rng_state()
    found = quickest()
    assert found is quickest()
    assert torch.equal(torch.get_rng_state(), state)
    if found is Precision.BFLOAT16:
        assert matrix_product(Precision.BFLOAT16) > matrix_product()
