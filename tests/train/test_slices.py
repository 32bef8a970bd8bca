"""slices.py: the formulas written out, and the parts that a batch is cut into."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.train.small import NORMALISED, PLAIN, learn, network
from torch.nn import functional

from seethrough.data.augment import augment, order
from seethrough.errors import RecipeError
from seethrough.train.batches import Batches
from seethrough.train.events import EpochEnd, Step
from seethrough.train.recipe import Recipe
from seethrough.train.schedule import learning_rate
from seethrough.train.slices import bounds

RECIPE = Recipe(epochs=2, batch=16, peak_lr=0.02, shift_px=1, slices=4)


@given(images=st.integers(1, 300), slices=st.integers(1, 20))
def test_slices_hold_all_images_once_two_at_least_and_differ_by_one_at_most(images, slices):
    cuts = bounds(images, slices)
    assert [number for start, end in cuts for number in range(start, end)] == list(range(images))
    sizes = [end - start for start, end in cuts]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= min(2, images)
    assert len(cuts) == slices or min(sizes) < 4


def test_a_sliced_step_is_that_of_the_definition(photos):
    """Each slice through its own network, by hand; then the mean of gradients and statistics."""
    recipe = replace(RECIPE, nesterov=False, momentum=0.0, weight_decay=0.0, label_smoothing=0.0)
    module = network(photos)
    seen = []
    for event in learn(module, photos, recipe):
        if isinstance(event, Step):
            seen.append(event)
            if event.step == 3:  # the smallest batch: 12 images
                break
    plain = network(photos).to(memory_format=torch.channels_last)
    for step, (images, labels) in enumerate(Batches.of(photos, recipe).epoch(1), start=1):
        begun = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
        gradients = [torch.zeros_like(p) for p in plain.parameters()]
        moved = {name: torch.zeros(tensor.shape) for name, tensor in begun.items()}
        losses = []
        size = len(images) // 4
        for start in range(0, len(images), size):
            plain.load_state_dict(begun)
            plain.zero_grad()
            loss = functional.cross_entropy(
                plain(images[start : start + size]), labels[start : start + size]
            )
            loss.backward()
            losses.append(loss.item())
            for total, p in zip(gradients, plain.parameters(), strict=True):
                total += p.grad / 4
            for name, tensor in plain.state_dict().items():
                moved[name] += (tensor - begun[name]) / 4
        plain.load_state_dict({name: begun[name] + moved[name] for name in begun})
        with torch.no_grad():
            for p, gradient in zip(plain.parameters(), gradients, strict=True):
                p -= learning_rate(step, 6, recipe) * gradient
        assert seen[step - 1].loss == pytest.approx(np.mean(losses), rel=1e-5)
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(module.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)
    assert module.state_dict()["norm1.num_batches_tracked"] == 3


def test_without_normalisation_slices_give_the_step_of_the_whole(photos):
    ended = {}
    for slices in (1, 4, 5):
        module = network(photos, PLAIN)
        ends = [
            event
            for event in learn(module, photos, replace(RECIPE, slices=slices))
            if isinstance(event, EpochEnd)
        ]
        ended[slices] = [torch.cat([p.detach().flatten() for p in module.parameters()]), ends[-1]]
    for slices in (4, 5):
        torch.testing.assert_close(ended[slices][0], ended[1][0], rtol=1e-4, atol=1e-5)
        assert ended[slices][1].train_accuracy == ended[1][1].train_accuracy
        assert ended[slices][1].train_loss == pytest.approx(ended[1][1].train_loss, rel=1e-4)


def test_with_batch_normalisation_slices_are_another_training_and_constants_stay(photos):
    whole, sliced = network(photos, NORMALISED), network(photos, NORMALISED)
    list(learn(whole, photos, replace(RECIPE, slices=1)))
    list(learn(sliced, photos, replace(RECIPE, slices=3)))  # 44 images: never equal slices
    before = network(photos, NORMALISED).state_dict()
    assert not torch.allclose(whole.conv1.weight, sliced.conv1.weight, rtol=1e-2)
    for name in ("normalise.mean", "normalise.std"):
        assert torch.equal(sliced.state_dict()[name], before[name])
    assert sliced.norm1.num_batches_tracked == 6


@pytest.mark.parametrize("changes", [{}, {"mixup": 0.4}, {"cutmix": 1.0}])
@pytest.mark.parametrize("part", [(0, 8), (3, 16), (5, 5), (0, 16)])
def test_a_part_of_a_batch_has_the_images_that_it_has_in_the_whole(photos, changes, part):
    batches = Batches.of(photos, replace(RECIPE, **changes))
    first, last = part
    for (whole, goals), (images, targets) in zip(
        batches.epoch(3),
        batches.epoch(3, part=lambda count: (first, min(last, count))),
        strict=True,
    ):
        assert torch.equal(images, whole[first:last])
        assert torch.equal(targets, goals[first:last])


def test_images_of_a_batch_follow_seed_epoch_and_image_alone(photos):
    """The batches once more, from the order and each image by itself."""
    batches = Batches.of(photos, RECIPE)
    turn = batches.index[order(photos.ids[batches.index], seed=0, epoch=2)]
    alone = [
        augment(photos.images[[i]], photos.ids[[i]], seed=0, epoch=2, flip=True, shift_px=1)[0]
        for i in turn
    ]
    cut = torch.cat([images for images, _ in batches.epoch(2)])
    assert np.array_equal(cut.permute(0, 2, 3, 1).numpy(), np.stack(alone))


def test_a_slice_without_a_number_keeps_the_whole_step_from_being_taken(photos):
    module, passes, states = network(photos), itertools.count(1), []

    def spoil(layer, inputs, output):
        # the third slice of the second step
        return output * float("nan") if layer.training and next(passes) == 7 else output

    module.dense1.register_forward_hook(spoil)
    losses = []
    for event in learn(module, photos, RECIPE):
        if isinstance(event, Step):
            losses.append(event.loss)
            states.append({k: v.clone() for k, v in module.state_dict().items()})
    assert [loss is None for loss in losses[:3]] == [False, True, False]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[1]["conv1.weight"], states[2]["conv1.weight"])


@pytest.mark.parametrize("slices", [0, 1025])
def test_a_number_of_slices_that_cannot_be_is_refused(slices):
    with pytest.raises(RecipeError, match=f"slices={slices} is outside 1..1024"):
        Recipe(slices=slices)
