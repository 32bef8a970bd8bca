"""loss.py against its formula in numpy, torch's own losses, and slopes that are tried out."""

import dataclasses

import numpy as np
import pytest
import torch
from tests.train.small import PLAIN, learn, network
from torch.nn import functional

from seethrough.data.split import Split
from seethrough.train.batches import Batches
from seethrough.train.events import EpochEnd, Step
from seethrough.train.loss import loss, weights_of
from seethrough.train.recipe import Recipe

rng = np.random.default_rng(3)
LOGITS = rng.normal(0, 3, (6, 4))
LABELS = np.array([0, 3, 1, 1, 2, 0])
SHARES = rng.dirichlet(np.ones(4), 6)
WEIGHTS = np.array([0.5, 2.0, 1.0, 3.0])


def by_hand(logits, shares, *, gamma, weights, smoothing):
    """Term by term, in float64."""
    total = 0.0
    for row, target in zip(logits, shares, strict=True):
        p = np.exp(row) / np.exp(row).sum()
        t = (1 - smoothing) * target + smoothing / len(row)
        total -= sum(weights * (1 - p) ** gamma * t * np.log(p))
    return total / len(logits)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("is_mixed", [False, True])
def test_the_loss_is_its_formula(gamma, is_weighted, smoothing, is_mixed):
    recipe = Recipe(focal=gamma, label_smoothing=smoothing)
    targets = torch.tensor(SHARES if is_mixed else LABELS)
    weights = torch.tensor(WEIGHTS, dtype=torch.float32) if is_weighted else None
    found = loss(torch.tensor(LOGITS), targets, recipe, weights)
    expected = by_hand(
        LOGITS,
        SHARES if is_mixed else np.eye(4)[LABELS],
        gamma=gamma,
        weights=WEIGHTS if is_weighted else np.ones(4),
        smoothing=smoothing,
    )
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_with_weights_alone_it_is_torch_s_weighted_loss_before_it_divides_by_the_weights():
    logits, labels = torch.tensor(LOGITS), torch.tensor(LABELS)
    weights = torch.tensor(WEIGHTS)
    found = loss(logits, labels, Recipe(label_smoothing=0.1), weights.float())
    each = functional.cross_entropy(
        logits, labels, weight=weights, label_smoothing=0.1, reduction="none"
    )
    assert float(found) == pytest.approx(float(each.mean()), rel=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 3.0])
def test_its_slope_is_what_trying_gives_also_where_the_network_is_sure(gamma):
    recipe = Recipe(focal=gamma, label_smoothing=0.0)
    weights, labels = torch.tensor(WEIGHTS, dtype=torch.float32), torch.tensor(LABELS)
    logits = torch.tensor(LOGITS, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: loss(z, labels, recipe, weights), logits)
    sure = torch.tensor([[60.0, 0.0], [0.0, 60.0]], requires_grad=True)
    loss(sure, torch.tensor([0, 1]), recipe).backward()
    assert torch.isfinite(sure.grad).all()


def test_class_weights_are_one_on_average_over_the_images():
    counts = [10, 30, 0, 60]
    weights = weights_of(counts)
    assert float((weights * torch.tensor(counts)).sum() / 100) == pytest.approx(0.75)
    full = weights_of([10, 30, 60])
    assert float((full * torch.tensor([10, 30, 60])).sum() / 100) == pytest.approx(1)
    assert full.tolist() == pytest.approx([100 / 30, 100 / 90, 100 / 180])


def test_training_follows_the_loss_of_its_recipe(photos):
    """The loss of the first step, from the untrained network and the first batch."""
    few = photos.labels == 0
    few[np.flatnonzero(few)[:3]] = False
    uneven = dataclasses.replace(
        photos, splits=np.where(few & (photos.splits == Split.TRAIN), 1, photos.splits)
    )
    recipe = Recipe(epochs=1, batch=8, peak_lr=0.01, focal=2.0, class_weights=True, shift_px=1)
    counts = np.bincount(uneven.labels[uneven.indices(Split.TRAIN)], minlength=3)
    assert len(set(counts)) > 1
    images, labels = next(Batches.of(uneven, recipe).epoch(1))
    logits = network(uneven, PLAIN)(images).detach().double().numpy()
    expected = by_hand(
        logits,
        np.eye(3)[labels.numpy()],
        gamma=2.0,
        weights=counts.sum() / (3 * counts),
        smoothing=recipe.label_smoothing,
    )
    seen = list(learn(network(uneven, PLAIN), uneven, recipe))
    first = next(event for event in seen if isinstance(event, Step))
    assert first.loss == pytest.approx(expected, rel=1e-5)
    # the test photos' loss is the plain one, so that recipes can be compared by it
    plain = next(event for event in seen if isinstance(event, EpochEnd))
    same = list(learn(network(uneven, PLAIN), uneven, dataclasses.replace(recipe, focal=0.0)))
    assert plain.test_loss == next(e for e in same if isinstance(e, EpochEnd)).test_loss


def test_a_batch_in_parts_has_the_loss_of_the_whole(photos):
    recipe = Recipe(epochs=1, batch=16, peak_lr=0.01, focal=2.0, class_weights=True, shift_px=1)
    losses = [
        [each.loss for each in learn(network(photos, PLAIN), photos, one) if isinstance(each, Step)]
        for one in (recipe, dataclasses.replace(recipe, micro_batch=4))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
