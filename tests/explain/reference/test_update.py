"""The reference's updates against torch's optimizers, and against those of the training room."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.explain.reference import AdamW, Momentum
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
