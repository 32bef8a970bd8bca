"""optimizers.py against the update rules written out by hand in float64."""

import pytest
import torch
from torch import nn

from seethrough.errors import CheckpointError
from seethrough.train.optimizers import updates_for
from seethrough.train.recipe import Optimizer, Recipe

GRADIENTS = [0.5, -1.0, 0.25, 2.0]


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def walk(recipe, *, decayed):
    """One scalar's way under the optimizer, as a kernel (decayed) or as a bias."""
    module = nn.Module()
    module.p = nn.Parameter(torch.full((1, 1) if decayed else (1,), 1.0))
    updates = updates_for(module, recipe)
    for gradient in GRADIENTS:
        module.p.grad = torch.full_like(module.p, gradient)
        updates.step(0.1)
    return module.p.item()


def test_weight_decay_reaches_kernels_and_nothing_else():
    module = network()
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    for p in module.parameters():
        p.grad = torch.zeros_like(p)
    updates_for(module, Recipe(weight_decay=0.1, nesterov=False)).step(0.5)
    for name, p in module.named_parameters():
        shrunk = before[name] * 0.95 if name in {"0.weight", "3.weight"} else before[name]
        torch.testing.assert_close(p.detach(), shrunk)


def test_a_parameter_without_a_gradient_stays_as_it_is():
    module = network()
    module[0].weight.requires_grad_(False)
    updates = updates_for(module, Recipe())
    kept = {name: p.detach().clone() for name, p in module.named_parameters()}
    module[3].bias.grad = torch.ones(2)
    updates.step(0.5)
    changed = [n for n, p in module.named_parameters() if not torch.equal(p.detach(), kept[n])]
    assert changed == ["3.bias"]
    assert not any(name.startswith("0.weight") for name, _ in updates.tensors())


@pytest.mark.parametrize("decayed", [True, False])
@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_follows_its_rule(decayed, nesterov):
    recipe = Recipe(peak_lr=0.1, momentum=0.8, nesterov=nesterov, weight_decay=0.3)
    weight, velocity = 1.0, 0.0
    for gradient in GRADIENTS:
        pull = gradient + (0.3 * weight if decayed else 0)
        velocity = 0.8 * velocity + pull
        weight -= 0.1 * (pull + 0.8 * velocity if nesterov else velocity)
    assert walk(recipe, decayed=decayed) == pytest.approx(weight, rel=1e-6)


@pytest.mark.parametrize("decayed", [True, False])
def test_adamw_follows_its_rule(decayed):
    recipe = Recipe(optimizer=Optimizer.ADAMW, peak_lr=0.1, momentum=0.9, weight_decay=0.3)
    weight, mean, square = 1.0, 0.0, 0.0
    for step, gradient in enumerate(GRADIENTS, start=1):
        weight *= 1 - 0.1 * (0.3 if decayed else 0)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        weight -= 0.1 * (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)) ** 0.5 + 1e-8)
    assert walk(recipe, decayed=decayed) == pytest.approx(weight, rel=1e-5)


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_what_is_remembered_has_the_same_names_before_and_after_a_step(optimizer):
    module = network()
    updates = updates_for(module, Recipe(optimizer=optimizer))
    before = [name for name, _ in updates.tensors()]
    module(torch.zeros(2, 3, 3, 3)).sum().backward()
    updates.step(0.1)
    assert [name for name, _ in updates.tensors()] == before
    assert len(before) == 6 * (1 if optimizer is Optimizer.SGD else 3)


def test_a_memory_of_another_optimizer_is_refused():
    module = network()
    other = updates_for(module, Recipe(optimizer=Optimizer.ADAMW))
    with pytest.raises(CheckpointError, match=r"optimizer differs in 0\.bias\.mean"):
        updates_for(module, Recipe()).restore(dict(other.tensors()))
