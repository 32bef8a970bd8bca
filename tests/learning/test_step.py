"""One step of learning: what the framework's optimizer does, line by line and digit by digit."""

import copy
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seethrough.errors import LayerError
from seethrough.learning.step import PLAIN, learning_step
from seethrough.model.make import make
from seethrough.model.presets import asked_for
from seethrough.train.recipe import Optimizer, Recipe

MOMENTUM = Recipe(peak_lr=0.05, momentum=0.9, nesterov=False, weight_decay=1e-3)
NESTEROV = replace(MOMENTUM, nesterov=True)
ADAMW = Recipe(optimizer=Optimizer.ADAMW, peak_lr=2e-3, weight_decay=0.05)
RECIPES = {"plain": PLAIN, "momentum": MOMENTUM, "nesterov": NESTEROV, "adamw": ADAMW}
NUMBER = r"-?\d+(?:\.\d+)?"


@pytest.fixture
def module():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(4 * 7 * 7, 3),
        )
        module[1].running_mean.normal_()
    return module


@pytest.fixture
def photo():
    return np.random.default_rng(2).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def optimizer_of(recipe, module):
    """torch's own classes, which our training does not use."""
    kernels = [p for p in module.parameters() if p.ndim >= 2]
    others = [p for p in module.parameters() if p.ndim < 2]
    groups = [
        {"params": kernels, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if recipe.optimizer is Optimizer.ADAMW:
        return torch.optim.AdamW(groups, lr=recipe.peak_lr, betas=(recipe.momentum, 0.999))
    return torch.optim.SGD(
        groups, lr=recipe.peak_lr, momentum=recipe.momentum, nesterov=recipe.nesterov
    )


def loss_of(module, photo, label):
    batch = torch.from_numpy(photo.transpose(2, 0, 1).astype(np.float32))[None]
    return F.cross_entropy(module.eval()(batch / 1.0), torch.tensor([label]))


@pytest.mark.parametrize("name", RECIPES)
def test_every_new_weight_is_the_one_of_torch_s_optimizer(name, module, photo):
    own = copy.deepcopy(module)
    optimizer = optimizer_of(RECIPES[name], own)
    loss_of(own, photo, 1).backward()
    optimizer.step()
    step = learning_step(module, photo, 1, RECIPES[name])
    assert set(step.new_weights) == {name for name, _ in module.named_parameters()}
    for parameter, expected in own.named_parameters():
        np.testing.assert_allclose(
            step.new_weights[parameter], expected.detach().numpy(), rtol=1e-5, atol=1e-7
        )
    assert step.loss_after == pytest.approx(loss_of(own, photo, 1).item(), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_the_lines_lead_to_the_framework_s_number_and_add_up_as_displayed(name, module, photo):
    step = learning_step(module, photo, 0, RECIPES[name])
    random = np.random.default_rng(0)
    for parameter, weights in step.weights.items():
        for _ in range(5):
            index = [int(random.integers(size)) for size in weights.shape]
            update = step.update(parameter, *index)
            size = abs(update.weight) + abs(update.change)
            assert abs(update.difference) <= 3e-7 * size
            assert update.framework == step.new_weights[parameter][tuple(index)]
            assert update.new_weight == pytest.approx(update.weight + update.change, rel=1e-12)
            for line in update.lines:
                part = line.shown.rpartition("; ")[2]
                if " = " in part:
                    left, sign, right, total = re.fullmatch(
                        rf"({NUMBER}) ([+-]) ({NUMBER}) = ({NUMBER})", part
                    ).groups()
                    signed = Decimal(right) if sign == "+" else -Decimal(right)
                    assert Decimal(left) + signed == Decimal(total), line
                    unit = Decimal(1).scaleb(-update.decimals)
                    assert abs(Decimal(total) - Decimal(line.value)) <= 2 * unit, line
            assert update.lines[-1].shown.endswith(update.shown_new_weight)


def test_a_biased_or_normalising_weight_does_not_decay(module, photo):
    step = learning_step(module, photo, 0, NESTEROV)
    kernel, scale = step.update("0.weight", 1, 0, 2, 2), step.update("1.weight", 1)
    assert [line.name for line in kernel.lines] == [
        "weight decay",
        "momentum",
        "look ahead",
        "step",
    ]
    assert [line.name for line in scale.lines] == ["momentum", "look ahead", "step"]


@pytest.mark.parametrize("name", ["momentum", "nesterov", "adamw"])
def test_what_the_optimizer_remembers_takes_part(name, module, photo):
    """A second step with the memory of the first is torch's second step."""
    own = copy.deepcopy(module)
    optimizer = optimizer_of(RECIPES[name], own)
    first = learning_step(module, photo, 2, RECIPES[name])
    for _ in range(2):
        optimizer.zero_grad()
        loss_of(own, photo, 2).backward()
        optimizer.step()
    moved = copy.deepcopy(module)
    moved.load_state_dict(
        {**module.state_dict(), **{k: torch.tensor(v) for k, v in first.new_weights.items()}}
    )
    memory = {slot: torch.tensor(array) for slot, array in first.new_memory.items()}
    second = learning_step(moved, photo, 2, RECIPES[name], memory=memory)
    for parameter, expected in own.named_parameters():
        np.testing.assert_allclose(
            second.new_weights[parameter], expected.detach().numpy(), rtol=2e-4, atol=1e-6
        )
    update = second.update("4.weight", 0, 7)
    assert abs(update.difference) <= 3e-7 * (abs(update.weight) + abs(update.change))


def test_a_small_step_downhill_lowers_the_loss_as_the_gradient_says(module, photo):
    """loss' ≈ loss − η·|g|²: a Taylor series of first order."""
    step = learning_step(module, photo, 1, PLAIN, learning_rate=1e-9)
    squares = sum(float((g.astype(np.float64) ** 2).sum()) for g in step.gradients.values())
    assert squares > 1
    assert step.loss - step.loss_after == pytest.approx(1e-9 * squares, rel=0.05)


def test_the_network_stays_as_it_is(module, photo):
    module.train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    step = learning_step(module, photo, 1, ADAMW)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())
    assert all(part.training for part in module.modules())
    assert np.array_equal(
        step.before.trace.logits, learning_step(module, photo, 1, PLAIN).before.trace.logits
    )
    assert not np.array_equal(step.before.trace.logits, step.after.logits)


def test_a_weight_that_is_not_there_is_named(module, photo):
    step = learning_step(module, photo, 1, PLAIN)
    with pytest.raises(LayerError, match=r"There is no weight '9\.weight'"):
        step.update("9.weight", 0)
    with pytest.raises(LayerError, match=r"0\.weight has no number at 0, 0, 0, 3"):
        step.update("0.weight", 0, 0, 0, 3)
    with pytest.raises(LayerError, match=r"0\.bias has no number at no place"):
        step.update("0.bias")


def test_what_the_framework_remembers_stands_beside_the_lines_that_compute_it(module, photo):
    for name, slots in {"nesterov": {"momentum"}, "adamw": {"mean", "square"}}.items():
        step = learning_step(module, photo, 0, RECIPES[name])
        place = np.argwhere(step.gradients["4.weight"])[5]
        update = step.update("4.weight", *map(int, place))
        assert {line.name for line in update.lines if line.framework is not None} == {
            *slots,
            "step",
        }
        for line in update.lines:
            if line.name in slots:
                kept = step.new_memory[f"4.weight.{line.name}"][tuple(place)]
                assert line.framework == kept
                assert line.value != 0
                assert line.difference == pytest.approx(0, abs=3e-7 * abs(line.value))


def test_what_a_training_holds_gets_a_gradient_and_stays():
    spec = asked_for("cifar-small", 32)
    network = make(spec, num_classes=4, mean=(0.5,) * 3, std=(0.25,) * 3, seed=0).eval()
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    recipe = Recipe(optimizer=Optimizer.MUON, peak_lr=0.02, whiten=True)
    done = learning_step(network, image, 1, recipe)
    held = [n for n in done.weights if np.array_equal(done.weights[n], done.new_weights[n])]
    scales = [f"block{block}.norm{norm}.weight" for block in (1, 2, 3) for norm in (1, 2)]
    assert held == ["conv.weight", *scales]
    assert np.abs(done.gradients["conv.weight"]).max() > 0
    with pytest.raises(LayerError, match=r"conv\.weight does not learn"):
        done.update("conv.weight", 0, 0, 0, 0)
    assert done.update("conv.bias", 0).difference == pytest.approx(0, abs=1e-6)
