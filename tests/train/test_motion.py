"""motion.py against a plain loop that adds up every gradient, and through every interruption."""

import dataclasses

import numpy as np
import pytest
import torch
from tests.train.small import NORMALISED, learn, network, stopped_after
from torch.nn import functional

from seethrough.train.batches import Batches
from seethrough.train.events import EpochEnd, Snapshot, Step
from seethrough.train.learner import Learner
from seethrough.train.recipe import Optimizer, Recipe
from seethrough.train.schedule import learning_rate

RECIPE = Recipe(epochs=2, batch=16, peak_lr=0.05, momentum=0.0, nesterov=False, shift_px=1, seed=4)
STEPS = 6  # 44 images in batches of 16, twice


def _numbers(tensors):
    return np.concatenate([tensor.detach().double().numpy().ravel() for tensor in tensors])


def plainly(photos, recipe):
    """Of each epoch and layer: mean gradient norm, and the share that the last step changed."""
    module, batches = network(photos, NORMALISED), Batches.of(photos, recipe)
    layers = {name: list(layer.parameters()) for name, layer in module.named_children()}
    layers = {name: parameters for name, parameters in layers.items() if parameters}
    told, step = [], 0
    module.train()
    for epoch in range(1, recipe.epochs + 1):
        norms = {name: [] for name in layers}
        for images, labels in batches.epoch(epoch):
            step += 1
            module.zero_grad()
            functional.cross_entropy(
                module(images), labels, label_smoothing=recipe.label_smoothing
            ).backward()
            before = {name: _numbers(parameters) for name, parameters in layers.items()}
            for name, parameters in layers.items():
                norms[name].append(np.linalg.norm(_numbers([p.grad for p in parameters])))
            lr = learning_rate(step, STEPS, recipe)
            with torch.no_grad():
                for p in module.parameters():
                    decay = recipe.weight_decay if p.ndim >= 2 else 0.0
                    p -= lr * (p.grad + decay * p)
        after = {name: _numbers(parameters) for name, parameters in layers.items()}
        told.append(
            {
                name: (
                    np.mean(norms[name]),
                    np.linalg.norm(after[name] - before[name]) / np.linalg.norm(before[name]),
                )
                for name in layers
            }
        )
    return told


def epochs(seen):
    return [event for event in seen if isinstance(event, EpochEnd)]


def test_every_layer_has_the_norms_that_a_plain_loop_adds_up(photos):
    seen = epochs(learn(network(photos), photos, RECIPE))
    for epoch, expected in zip(seen[1:], plainly(photos, RECIPE), strict=True):
        assert [layer.name for layer in epoch.layers] == list(expected)
        for layer in epoch.layers:
            norm, share = expected[layer.name]
            assert layer.gradient_norm == pytest.approx(norm, rel=1e-4)
            assert layer.update_share == pytest.approx(share, rel=1e-3)


def test_the_untrained_network_was_not_pulled_yet(photos):
    untrained = epochs(learn(network(photos), photos, RECIPE))[0]
    assert {(each.gradient_norm, each.update_share) for each in untrained.layers} == {(None, None)}


@pytest.mark.parametrize("optimizer", list(Optimizer))
@pytest.mark.parametrize("after", [1, 2, 3, 5])
def test_a_stop_after_any_step_changes_no_norm(photos, after, optimizer):
    recipe = dataclasses.replace(RECIPE, optimizer=optimizer, momentum=0.9, ema=0.9)
    whole = epochs(learn(network(photos), photos, recipe))
    first = stopped_after(after, photos, recipe)
    state = [event.state for event in first if isinstance(event, Snapshot)][-1]
    rest = list(learn(network(photos), photos, recipe, resume=state))
    both = {event.epoch: event.layers for event in epochs([*first, *rest])}
    assert both == {event.epoch: event.layers for event in whole}


def test_a_step_that_was_not_taken_counts_in_no_mean(photos):
    images, labels = next(Batches.of(photos, RECIPE).epoch(1))
    module = network(photos)
    learner = Learner(module, RECIPE)
    module.train()
    learner.learn(images, labels, 0.01)
    once = learner.motion.layers()
    spoiled = module[1].weight.register_hook(lambda gradient: gradient * torch.nan)
    assert learner.learn(images, labels, 0.01) is None
    spoiled.remove()
    assert learner.motion.layers() == once


def test_a_snapshot_from_before_there_were_norms_can_be_resumed(photos):
    first = stopped_after(2, photos, RECIPE)
    state = [event.state for event in first if isinstance(event, Snapshot)][-1]
    known = ("seen", "correct", "bad", "bad_in_a_row", "loss_sum", "elapsed_s")
    scalars = {
        name: value
        for name, value in state.scalars.items()
        if name in known or (name.startswith("time_s.") and not name.endswith("saving"))
    }
    assert len(scalars) < len(state.scalars)
    old = dataclasses.replace(state, scalars=scalars)
    rest = list(learn(network(photos), photos, RECIPE, resume=old))
    assert [event.step for event in rest if isinstance(event, Step)] == [3, 4, 5, 6]
    assert epochs(rest)[0].layers[0].gradient_norm is not None


def test_saving_is_counted_in_the_epoch_after_it(photos):
    first, second = epochs(learn(network(photos), photos, RECIPE))[1:]
    assert first.time_s["saving"] == 0
    assert second.time_s["saving"] > 0
    assert second.images_per_second == pytest.approx(
        44 / sum(second.time_s[each] for each in ("input", "forward", "backward", "update"))
    )
