"""The reference's updates against torch's optimizers, and against those of the training room."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.explain.reference import AdamW, Momentum, Muon, newton_schulz
from seethrough.train.optimizers import updates_for
from seethrough.train.recipe import Optimizer, Recipe


def assert_same_way(ours, theirs, w, lr_of=lambda step: 0.05):
    """Eight steps over gradients of very different sizes, the learning rate changing."""
    rng = np.random.default_rng(1)
    mine, (parameter,) = w, theirs.param_groups[0]["params"]
    for step in range(8):
        g = rng.normal(size=w.shape) * 10.0 ** rng.integers(-3, 2)
        mine = ours.step(mine, g, lr_of(step))
        theirs.param_groups[0]["lr"] = lr_of(step)
        parameter.grad = torch.tensor(g)
        theirs.step()
        np.testing.assert_allclose(mine, parameter.detach(), rtol=0, atol=1e-13 * abs(mine).max())
    assert abs(mine - w).max() > 0.01


@pytest.mark.parametrize(
    ("momentum", "is_nesterov", "decay"),
    [
        (momentum, is_nesterov, decay)
        for momentum, is_nesterov, decay in itertools.product(
            (0.0, 0.9), (False, True), (0.0, 0.01)
        )
        if momentum or not is_nesterov
    ],
)
def test_momentum_goes_the_way_of_torchs_sgd(momentum, is_nesterov, decay):
    w = np.random.default_rng(0).normal(size=(3, 4))
    theirs = torch.optim.SGD(
        [torch.tensor(w, requires_grad=True)],
        lr=1.0,
        momentum=momentum,
        nesterov=is_nesterov,
        weight_decay=decay,
    )
    assert_same_way(
        Momentum(momentum, decay, is_nesterov), theirs, w, lambda step: 0.1 / (1 + step)
    )


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adamw_goes_the_way_of_torchs(decay):
    w = np.random.default_rng(0).normal(size=(3, 4))
    parameter = torch.tensor(w, requires_grad=True)
    theirs = torch.optim.AdamW([parameter], lr=1.0, betas=(0.8, 0.99), weight_decay=decay)
    ours = AdamW(beta1=0.8, beta2=0.99, decay=decay)
    assert_same_way(ours, theirs, w, lambda step: 0.1 / (1 + step))


@pytest.mark.parametrize("optimizer", [Optimizer.SGD, Optimizer.ADAMW])
@pytest.mark.parametrize("nesterov", [False, True])
def test_a_training_of_the_program_takes_the_same_steps(optimizer, nesterov):
    recipe = Recipe(optimizer=optimizer, nesterov=nesterov, weight_decay=0.01)
    network = nn.Linear(4, 3, dtype=torch.float64)
    program = updates_for(network, recipe)
    named = dict(network.named_parameters())
    ours = {name: p.detach().numpy().copy() for name, p in named.items()}
    rules = {}
    for name, p in named.items():
        decay = recipe.weight_decay if p.ndim >= 2 else 0.0
        rules[name] = (
            AdamW(beta1=recipe.momentum, decay=decay)
            if optimizer is Optimizer.ADAMW
            else Momentum(recipe.momentum, decay, recipe.nesterov)
        )
    rng = np.random.default_rng(2)
    for _ in range(5):
        for name, p in named.items():
            g = rng.normal(size=p.shape)
            p.grad = torch.tensor(g)
            ours[name] = rules[name].step(ours[name], g, 0.03)
        program.step(0.03)
    for name, p in named.items():
        np.testing.assert_allclose(ours[name], p.detach(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (16, 2, 1, 1), (5, 5)])
@pytest.mark.parametrize(("nesterov", "unit"), [(False, False), (True, False), (True, True)])
def test_muon_goes_the_way_of_the_program_s_training(shape, nesterov, unit):
    recipe = Recipe(
        optimizer=Optimizer.MUON,
        momentum=0.8,
        nesterov=nesterov,
        unit_kernels=unit,
        weight_decay=0.1,
    )
    rng = np.random.default_rng(3)
    module = nn.Module()
    for name, size in {"first": (2, 2), "inner": shape, "last": (2, 2)}.items():
        module.register_parameter(name, nn.Parameter(torch.tensor(rng.normal(size=size))))
    program = updates_for(module, recipe)
    start = module.inner.detach().numpy().copy()
    ours, rule = start, Muon(0.8, decay=0.1, is_nesterov=nesterov, is_unit=unit)
    for step in range(6):
        g = rng.normal(size=shape) * 10.0 ** rng.integers(-3, 2)
        module.inner.grad = torch.tensor(g)
        ours = rule.step(ours, g, 0.1 / (1 + step))
        program.step(0.1 / (1 + step))
    np.testing.assert_allclose(ours, module.inner.detach(), rtol=0, atol=1e-12 * abs(ours).max())
    assert abs(ours - start).max() > 0.01


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (7, 7)])
def test_five_steps_leave_directions_and_bring_their_lengths_near_1(shape):
    u = np.random.default_rng(0).normal(size=shape)
    begun, *_, ended = newton_schulz(u)
    left, sizes, right = np.linalg.svd(begun, full_matrices=False)
    assert (sizes**2).sum() == pytest.approx(1, rel=1e-12)
    found = left.T @ ended @ right.T  # in the directions of u: a diagonal
    np.testing.assert_allclose(found, np.diag(np.diag(found)), atol=1e-12)
    assert 0.6 < np.diag(found).min() <= np.diag(found).max() < 1.3


def test_muon_leaves_what_has_no_gradient():
    w = np.ones((2, 3))
    assert (Muon().step(w, np.zeros((2, 3)), 0.1) == w).all()
