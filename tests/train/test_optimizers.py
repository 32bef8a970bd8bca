"""optimizers.py against the update rules written out by hand in float64."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.errors import CheckpointError
from seethrough.train.optimizers import orthogonal, updates_for
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


def muon_by_hand(weight, gradients, *, share, nesterov, decay, lr, unit=False):
    """The rule from its source, in float64 NumPy, with the polynomial applied to singular values.

    x·xᵀ has the same left vectors as x, so that each step of the iteration maps every singular
    value s to a·s + b·s³ + c·s⁵ and leaves the vectors as they are.
    """
    rows = len(weight)
    w, v = weight.astype(np.float64), np.zeros(weight.shape)
    for g in gradients:
        v = share * v + (1 - share) * g
        u = (1 - share) * g + share * v if nesterov else v
        left, s, right = np.linalg.svd(u.reshape(rows, -1), full_matrices=False)
        s = s / np.sqrt((s**2).sum())
        for _ in range(5):
            s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
        scale = 1.0 if unit else 0.2 * max(rows, w[0].size) ** 0.5
        w = w * (rows / (w**2).sum()) ** 0.5 if unit else w
        w = w * (1 - lr * decay) - lr * scale * ((left * s) @ right).reshape(w.shape)
    return w


@pytest.mark.parametrize(("nesterov", "unit"), [(True, False), (False, False), (True, True)])
@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (16, 2, 1, 1), (5, 7)])
def test_muon_follows_its_rule(shape, nesterov, unit):
    recipe = Recipe(
        optimizer=Optimizer.MUON,
        momentum=0.9,
        nesterov=nesterov,
        unit_kernels=unit,
        weight_decay=0.1,
        peak_lr=0.1,
    )
    random = np.random.default_rng(7)
    weight, *gradients = random.normal(size=(4, *shape))
    module = nn.Module()
    module.first = nn.Parameter(torch.ones(2, 2))
    module.inner = nn.Parameter(torch.tensor(weight, dtype=torch.float32))
    module.last = nn.Parameter(torch.ones(2, 2))
    if len(shape) == 4:  # the order in memory that training uses
        module.inner.data = module.inner.data.contiguous(memory_format=torch.channels_last)
    updates = updates_for(module, recipe)
    for gradient in gradients:
        module.inner.grad = torch.tensor(gradient, dtype=torch.float32)
        updates.step(0.1)
    wanted = muon_by_hand(
        weight, gradients, share=0.9, nesterov=nesterov, decay=0.1, lr=0.1, unit=unit
    )
    np.testing.assert_allclose(module.inner.detach().numpy(), wanted, rtol=1e-4, atol=1e-5)


def test_the_directions_that_muon_takes_are_about_equally_long():
    lengths = torch.linalg.svdvals(orthogonal(torch.randn(12, 40, generator=torch.manual_seed(0))))
    assert 0.6 < lengths.min() <= lengths.max() < 1.3


def test_under_muon_the_ends_of_a_network_and_what_is_no_kernel_follow_adamw():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4, 2)
    )
    alone = copy.deepcopy(module)
    settings = {"momentum": 0.8, "weight_decay": 0.1, "peak_lr": 0.01}
    both = updates_for(module, Recipe(optimizer=Optimizer.MUON, **settings))
    adam = updates_for(alone, Recipe(optimizer=Optimizer.ADAMW, **settings))
    slots = {name for name, _ in both.tensors()}
    assert "2.weight.momentum" in slots
    assert {"0.weight.mean", "4.weight.mean", "2.bias.mean", "1.weight.mean"} <= slots
    for step in range(3):
        for one, other in zip(module.parameters(), alone.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=torch.manual_seed(step))
            other.grad = one.grad.clone()
        both.step(0.01)
        adam.step(0.01)
    changed = dict(module.named_parameters())
    differ = [n for n, p in alone.named_parameters() if not torch.equal(p, changed[n])]
    assert differ == ["2.weight"]


def test_beside_muon_sgd_has_rates_a_momentum_and_a_decay_of_its_own():
    """By hand: λ = rest_decay / rate for each group, biases too; rates follow the schedule's."""
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4, 2)
    )
    recipe = Recipe(
        optimizer=Optimizer.MUON,
        peak_lr=0.2,
        momentum=0.6,
        unit_kernels=True,
        ends_lr=1.5,
        bias_lr=8.0,
        rest_momentum=0.8,
        rest_decay=0.01,
    )
    updates = updates_for(module, recipe)
    assert {name.rpartition(".")[2] for name, _ in updates.tensors()} == {"momentum"}
    kept = {name: p.detach().double().numpy() for name, p in module.named_parameters()}
    velocity = {name: np.zeros(w.shape) for name, w in kept.items()}
    for step, share in enumerate([1.0, 0.5, 0.1]):
        for name, p in module.named_parameters():
            p.grad = torch.randn(p.shape, generator=torch.manual_seed(step)) / 10
            own = 8.0 if p.ndim == 1 else 1.5
            pulled = p.grad.double().numpy() + 0.01 / own * kept[name]
            velocity[name] = 0.8 * velocity[name] + pulled
            kept[name] = kept[name] - share * own * (pulled + 0.8 * velocity[name])
        updates.step(0.2 * share)
    for name, p in module.named_parameters():
        if name != "2.weight":  # Muon's
            np.testing.assert_allclose(p.detach(), kept[name], rtol=1e-5, atol=1e-6, err_msg=name)
    length = module[2].weight.detach().square().sum().item()
    assert length != pytest.approx(4, rel=1e-3)  # after its step it is not of the length any more


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_one_step_of_a_brought_back_kernel_is_the_rate_s_share_of_its_length(momentum):
    module = nn.Sequential(*(nn.Linear(6, 6, bias=False) for _ in range(3)))
    recipe = Recipe(
        optimizer=Optimizer.MUON,
        peak_lr=0.1,
        momentum=momentum,
        unit_kernels=True,
        weight_decay=0.0,
    )
    before = module[1].weight.detach().clone()
    before *= 6**0.5 / before.norm()
    for p in module.parameters():
        p.grad = torch.randn(p.shape, generator=torch.manual_seed(1))
    updates_for(module, recipe).step(0.1)
    step = (module[1].weight.detach() - before).norm() / before.norm()
    assert 0.06 < step < 0.13  # directions between 0.6 and 1.3 of their length


def test_a_step_of_muon_is_about_as_long_as_one_of_adamw():
    gradient = torch.randn((32, 48), generator=torch.manual_seed(0))
    # AdamW's first step has the length 1 in every place; the factor's source measured 0.2 to 0.4
    length = 0.2 * 48**0.5 * orthogonal(gradient).square().mean().sqrt()
    assert 0.15 < length < 0.3


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_what_is_remembered_has_the_same_names_before_and_after_a_step(optimizer):
    module = network()
    updates = updates_for(module, Recipe(optimizer=optimizer))
    before = [name for name, _ in updates.tensors()]
    module(torch.zeros(2, 3, 3, 3)).sum().backward()
    updates.step(0.1)
    assert [name for name, _ in updates.tensors()] == before
    # the two kernels of this network are its first and its last: Muon has nothing to move
    assert len(before) == 6 * (1 if optimizer is Optimizer.SGD else 3)


def test_a_memory_of_another_optimizer_is_refused():
    module = network()
    other = updates_for(module, Recipe(optimizer=Optimizer.ADAMW))
    with pytest.raises(CheckpointError, match=r"optimizer differs in 0\.bias\.mean"):
        updates_for(module, Recipe()).restore(dict(other.tensors()))
