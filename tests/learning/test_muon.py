"""Lines of a weight that Muon moves: their digits, and the whole kernel derived a second way."""

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seethrough.learning.change import taken_apart
from seethrough.learning.step import learning_step
from seethrough.train.optimizers import updates_for
from seethrough.train.recipe import Optimizer, Recipe

RECIPE = Recipe(optimizer=Optimizer.MUON, peak_lr=0.02, weight_decay=0.05)
NUMBER = r"-?\d+(?:\.\d+)?"
SUM = re.compile(rf"({NUMBER})((?: [+-] \d+(?:\.\d+)?)+) = ({NUMBER})")
PRODUCT = re.compile(rf"({NUMBER}) × ({NUMBER}(?:e-\d+)?) ≈ ({NUMBER})")
LINES = ["momentum", "look ahead", "length", "share of length"]
LINES += [f"Newton–Schulz {number}" for number in range(1, 6)]
LINES += ["scale", "unit length", "weight decay", "step"]
SHAPES = {
    "wide": (4, 1, 3, 3),
    "tall": (9, 3, 1, 1),
    "square": (5, 5, 1, 1),
    "one row": (1, 3, 3, 3),
    "dense": (5, 7),
}


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A step of three kernels by hand of the training's optimizer, without a network."""

    recipe: Recipe
    ways: dict
    learning_rate: float
    weights: dict
    gradients: dict
    memory: dict
    new_weights: dict
    new_memory: dict
    kernels: dict = field(default_factory=dict)

    def update(self, name, *index):
        return taken_apart(self, name, index)


def taken(shape, recipe, remembered=None, seed=3, gradient=None):
    """One step at 0.02; a seed makes up what the optimizer remembers."""
    draw = torch.Generator().manual_seed(seed)
    module = nn.Module()
    for name, size in {"first": (2, 2), "inner": shape, "last": (2, 2)}.items():
        parameter = nn.Parameter(torch.randn(size, generator=draw) / 5)
        if len(size) == 4:  # the order in memory that training uses
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        parameter.grad = torch.randn(size, generator=draw) * 10.0 ** (seed % 7 - 5)
        module.register_parameter(name, parameter)
    if gradient is not None:
        module.inner.grad = gradient
    updates = updates_for(module, recipe)
    if remembered is not None:
        draw.manual_seed(remembered)
        memory = dict(updates.tensors())
        memory["inner.momentum"].copy_(torch.randn(shape, generator=draw) * 10.0 ** (seed % 7 - 5))
    before = {name: p.detach().numpy().copy() for name, p in module.named_parameters()}
    memory = {name: tensor.numpy().copy() for name, tensor in updates.tensors()}
    updates.step(0.02)
    return Taken(
        recipe=recipe,
        ways=updates.ways,
        learning_rate=0.02,
        weights=before,
        gradients={name: p.grad.numpy() for name, p in module.named_parameters()},
        memory=memory,
        new_weights={name: p.detach().numpy() for name, p in module.named_parameters()},
        new_memory={name: tensor.numpy() for name, tensor in updates.tensors()},
    )


def places(shape, number, seed=0):
    random = np.random.default_rng(seed)
    return [tuple(int(random.integers(size)) for size in shape) for _ in range(number)]


def by_singular_values(step, name="inner"):
    """Every line's whole matrix, the polynomial applied to singular values one by one.

    With x = U·S·Vᵀ every product x·xᵀ·x has the vectors of x and the third power of its values.
    """
    recipe = step.recipe
    w, g, v = (
        array.astype(np.float64)
        for array in (step.weights[name], step.gradients[name], step.memory[f"{name}.momentum"])
    )
    share, rows = recipe.momentum, len(w)
    made = {"momentum": share * v + (1 - share) * g}
    ahead = made["momentum"]
    if recipe.nesterov:
        ahead = made["look ahead"] = (1 - share) * g + share * made["momentum"]
    left, s, right = np.linalg.svd(ahead.reshape(rows, -1), full_matrices=False)
    s = s / np.sqrt((s**2).sum())
    for number in range(6):
        line = f"Newton–Schulz {number}" if number else "share of length"
        made[line] = ((left * s) @ right).reshape(w.shape)
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    direction = made["Newton–Schulz 5"]
    if not recipe.unit_kernels:
        direction = made["scale"] = 0.2 * max(rows, w[0].size) ** 0.5 * direction
    else:
        w = made["unit length"] = w * (rows / (w**2).sum()) ** 0.5
    if recipe.weight_decay:
        w = made["weight decay"] = w - step.learning_rate * recipe.weight_decay * w
    made["step"] = w - step.learning_rate * direction
    return made


def assert_adds_up(line):
    """Sums to the last digit that is shown; products as far as their factors are shown."""
    sums = 0
    for part in line.shown.split("; "):
        if found := SUM.fullmatch(part):
            first, others, total = found.groups()
            terms = [Decimal(each.replace(" ", "")) for each in re.findall(r"[+-] [\d.]+", others)]
            assert Decimal(first) + sum(terms) == Decimal(total), line
            unit = Decimal(1).scaleb(Decimal(total).as_tuple().exponent)
            assert abs(Decimal(total) - Decimal(line.value)) <= 2 * unit, line
            sums += 1
        elif found := PRODUCT.fullmatch(part):
            one, other, product = map(Decimal, found.groups())
            unit = Decimal(1).scaleb(product.as_tuple().exponent)
            assert abs(one * other - product) <= unit + abs(product) / 1000, line
        else:
            assert " = " not in part, line
    return sums


def assert_true(step, name="inner", count=4):
    """The lines of some weights, against the second derivation, the framework and their digits."""
    whole = by_singular_values(step, name)
    size = float(np.abs(step.weights[name]).max() + np.abs(whole["step"]).max())
    for place in places(step.weights[name].shape, count):
        update = step.update(name, *place)
        expected = [line for line in LINES if line in whole or line == "length"]
        assert [line.name for line in update.lines] == expected
        for line in update.lines:
            sums = assert_adds_up(line)
            mixed = line.name in {"momentum", "look ahead", "weight decay", "step"}
            assert sums == (1 if mixed or line.name.startswith("Newton") else 0), line
            if line.name in whole:
                scale = np.abs(whole[line.name]).max()
                assert abs(line.value - whole[line.name][place]) <= 1e-9 * scale, line
                if line.name != "weight decay":
                    assert line.difference == line.value - line.framework
                    assert abs(line.difference) <= 1e-4 * scale, line
        assert update.framework == step.new_weights[name][place]
        assert abs(update.difference) <= update.tolerance
        assert update.lines[-1].framework == update.framework
        assert abs(update.difference) <= 1e-5 * size
        assert update.new_weight == pytest.approx(update.weight + update.change, rel=1e-12)
        assert update.lines[-1].shown.endswith(f"= {update.shown_new_weight}")


@settings(max_examples=12, deadline=None)
@given(
    shape=st.sampled_from(list(SHAPES.values())),
    nesterov=st.booleans(),
    unit=st.booleans(),
    decay=st.sampled_from([0.0, 0.1]),
    momentum=st.sampled_from([0.0, 0.6, 0.95]),
    remembered=st.none() | st.integers(0, 99),
    seed=st.integers(0, 99),
)
def test_the_lines_are_muon_s_and_add_up_as_displayed(
    shape, nesterov, unit, decay, momentum, remembered, seed
):
    recipe = replace(
        RECIPE, nesterov=nesterov, unit_kernels=unit, weight_decay=decay, momentum=momentum
    )
    assert_true(taken(shape, recipe, remembered, seed))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("nesterov", "unit", "decay"), [(True, True, 0.1), (False, False, 0.0), (True, False, 0.1)]
)
def test_tall_wide_and_dense_kernels_are_taken_apart(shape, nesterov, unit, decay):
    recipe = replace(RECIPE, nesterov=nesterov, unit_kernels=unit, weight_decay=decay)
    assert_true(taken(SHAPES[shape], recipe, 5))


@pytest.mark.parametrize("shape", ["wide", "tall", "dense"])
def test_the_lines_of_all_weights_together_are_a_nearly_orthogonal_kernel(shape):
    """All directions of one length: the singular values lie where the five steps bring them."""
    step = taken(SHAPES[shape], RECIPE, 1)
    weights = step.weights["inner"]
    found = {"share of length": np.empty(weights.shape), "Newton–Schulz 5": np.empty(weights.shape)}
    for place in np.ndindex(weights.shape):
        for line in step.update("inner", *place).lines:
            if line.name in found:
                found[line.name][place] = line.value
    begun, ended = (
        np.linalg.svd(each.reshape(len(weights), -1), compute_uv=False) for each in found.values()
    )
    assert (begun**2).sum() == pytest.approx(1, rel=1e-9)
    assert begun.min() > 0.01  # less is brought less far
    assert begun.max() / begun.min() > 1.3
    assert 0.6 < ended.min() <= ended.max() < 1.3


def test_the_length_is_that_of_all_numbers_and_says_of_how_many():
    step = taken(SHAPES["wide"], RECIPE, 1)
    whole = by_singular_values(step)["look ahead"]
    line = next(each for each in step.update("inner", 1, 0, 2, 1).lines if each.name == "length")
    assert line.value == pytest.approx(np.sqrt((whole**2).sum()), rel=1e-12)
    assert line.framework == pytest.approx(line.value, rel=1e-6)
    assert "4 × 9" in line.note


def test_a_kernel_without_gradient_moves_by_its_decay_alone():
    step = taken(SHAPES["wide"], RECIPE, gradient=torch.zeros(SHAPES["wide"]))
    update = step.update("inner", 0, 0, 2, 2)
    decayed = float(step.weights["inner"][0, 0, 2, 2]) * (1 - 0.02 * RECIPE.weight_decay)
    assert update.new_weight == pytest.approx(decayed, rel=1e-12)
    assert update.framework == pytest.approx(decayed, rel=1e-6)
    for line in update.lines:
        assert_adds_up(line)


def test_a_gradient_that_is_no_number_gives_none():
    gradient = torch.ones(SHAPES["wide"])
    gradient[0, 0, 0, 0] = torch.inf
    step = taken(SHAPES["wide"], RECIPE, gradient=gradient)
    update = step.update("inner", 1, 0, 1, 1)
    assert np.isnan([update.new_weight, update.framework, update.lines[-3].value]).all()
    assert update.shown_new_weight.lower() == "nan"


def test_what_float32_rounds_away_in_a_gradient_of_few_directions_is_no_mistake():
    """A product of two thin matrices has one direction; the other 31 are noise that grows."""
    draw = torch.Generator().manual_seed(0)
    thin = torch.randn(32, 1, generator=draw) @ torch.randn(1, 36, generator=draw)
    step = taken((32, 4, 3, 3), replace(RECIPE, nesterov=False), gradient=thin.reshape(32, 4, 3, 3))
    expected = by_singular_values(step)["step"]
    for place in places((32, 4, 3, 3), 20):
        update = step.update("inner", *place)
        assert abs(update.difference) <= update.tolerance
        assert abs(update.new_weight - expected[place]) <= update.tolerance
        # and small beside the step itself, whose root mean square is about 0.02 · 0.2 for many
        assert update.tolerance < 1e-4 * max(abs(update.weight), 1e-3) + 0.02 * 0.2 * 0.05


@pytest.fixture(scope="module")
def module():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(
            *(nn.Conv2d(3, 4, 3, stride=2), nn.GELU(), nn.Conv2d(4, 6, 3), nn.GELU()),
            *(nn.Conv2d(6, 4, 1), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)),
        )


@pytest.fixture(scope="module")
def photo():
    return np.random.default_rng(2).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def test_in_a_network_each_kernel_between_the_ends_is_taken_for_itself(module, photo):
    """A second step with the memory of the first; what is held of a kernel is that kernel's."""
    step = learning_step(module, photo, 1, RECIPE)
    memory = {slot: torch.tensor(array) for slot, array in step.new_memory.items()}
    step = learning_step(module, photo, 1, RECIPE, memory=memory)
    inner = ["2.weight", "4.weight"]
    assert [name for name in step.weights if f"{name}.momentum" in step.memory] == inner
    for name in (*inner, *inner):
        assert_true(step, name, count=2)


def test_the_ends_of_a_network_and_what_is_no_kernel_follow_adamw(module, photo):
    step = learning_step(module, photo, 1, RECIPE)
    for name in ("0.weight", "0.bias", "2.bias", "7.weight"):
        update = step.update(name, *(0 for _ in step.weights[name].shape))
        assert [line.name for line in update.lines][-4:] == ["mean", "square", "direction", "step"]
        assert abs(update.difference) < 1e-6


def test_with_rates_of_their_own_they_follow_sgd(module, photo):
    recipe = replace(RECIPE, ends_lr=0.05, bias_lr=0.4, rest_momentum=0.8, rest_decay=0.01)
    memory = {}
    for learning_rate in (0.02, 0.01):  # the peak, and half of it with a momentum to follow
        step = learning_step(module, photo, 1, recipe, learning_rate=learning_rate, memory=memory)
        memory = {slot: torch.tensor(array) for slot, array in step.new_memory.items()}
    for name in ("0.weight", "0.bias", "2.bias", "7.weight"):
        update = step.update(name, *(0 for _ in step.weights[name].shape))
        own = 0.05 if name.endswith("weight") else 0.4
        assert update.learning_rate == pytest.approx(own / 2)
        assert [line.name for line in update.lines] == [
            "weight decay",
            "momentum",
            "look ahead",
            "step",
        ]
        assert update.lines[0].value == pytest.approx(
            update.gradient + 0.01 / own * update.weight, rel=1e-9
        )
        assert abs(update.difference) <= update.tolerance
        for line in update.lines:
            assert_adds_up(line)
