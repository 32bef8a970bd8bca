"""Activation functions, normalisation and constants against the framework's own, in float64."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seethrough.explain import trace
from seethrough.explain.operations import activation
from seethrough.explain.verify import reads_true

FUNCTIONS = {
    "relu": F.relu,
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "clamp": lambda x: x.clamp(-0.5, 1.5),
    "clamp one side": lambda x: torch.clamp(x, min=0.25),
    "clamp_min": lambda x: x.clamp_min(0.0),
    "clamp_max": lambda x: x.clamp_max(-1.5),
    "leaky_relu": F.leaky_relu,
    "leaky_relu steep": lambda x: F.leaky_relu(x, 0.3),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "softplus": F.softplus,
    "softplus beta": lambda x: F.softplus(x, 2.0, 5.0),
    "mish": F.mish,
    "elu": lambda x: F.elu(x, 0.7),
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 1.5),
    "softsign": F.softsign,
    "logsigmoid": F.logsigmoid,
    "prelu": lambda x: F.prelu(x, torch.tensor([0.1, 0.2, -0.3]).to(x.dtype)),
}


class Applied(nn.Module):
    """Numbers from −8 to 8, then a function."""

    def __init__(self, function):
        super().__init__()
        self.function, self.fc = function, nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(self.function(x / 16 - 8).mean((2, 3)))


def ramp():
    """Every pixel value once, in each colour."""
    return np.arange(256, dtype=np.uint8).reshape(16, 16)[:, :, None].repeat(3, axis=2)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_activation_function_is_the_frameworks(name):
    function = FUNCTIONS[name]
    seen = trace(Applied(function), ramp())
    layer = seen.layers[2]
    assert layer.known, layer.text
    assert layer.kind.split("_")[0] in {name.split(" ")[0].split("_")[0], "clamp", "relu"}
    entering = torch.from_numpy(seen.layers[1].output).double()[None]
    wanted = function(entering)[0].numpy()
    rows = np.random.default_rng(0).integers(0, 16, (24, 2))
    for index, (row, column) in enumerate([*rows.tolist(), [8, 0], [0, 0], [15, 15]]):
        unit = index % 3
        equation = seen.equation(layer.name, unit, row, column)
        assert equation.activation == pytest.approx(wanted[unit, row, column], rel=1e-9, abs=1e-12)
        assert equation.sum == float(entering[0, unit, row, column])
        assert equation.worst_difference < 1e-6
        assert reads_true(equation)
        assert equation.steps[0].framework == float(layer.output[unit, row, column])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 3e38, -3e38, 0.0, -0.0])
@pytest.mark.parametrize(
    "curve", [getattr(activation, name) for name in dir(activation) if name.isupper()][:-2]
)
def test_no_curve_fails_on_extreme_numbers(curve, value):
    if isinstance(curve, activation.Curve):
        assert isinstance(curve.value(value), float)
        assert math.isnan(value) is math.isnan(curve.value(value)) or math.isinf(value)


@pytest.mark.parametrize(
    ("make", "statistics_px"),
    [
        (lambda: nn.BatchNorm2d(6), 1),
        (lambda: nn.BatchNorm2d(6, affine=False), 1),
        (lambda: nn.BatchNorm2d(6, track_running_stats=False), 8),
        (lambda: nn.InstanceNorm2d(6, affine=True), 8),
        (lambda: nn.InstanceNorm2d(6, track_running_stats=True), 1),
        (lambda: nn.GroupNorm(2, 6), 8),
        (lambda: nn.LayerNorm((6, 8, 8)), 8),
        (lambda: nn.LayerNorm((8, 8)), 8),
    ],
)
def test_every_normalisation_is_its_definition(make, statistics_px):
    torch.manual_seed(0)
    norm = make()
    for values in [*norm.parameters(), *norm.buffers()]:
        if values.is_floating_point():
            nn.init.uniform_(values, 0.5, 2)
    module = nn.Sequential(nn.Conv2d(3, 6, 1), norm, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    photo = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    seen = trace(module, photo)
    below = torch.from_numpy(seen.layer("0").output)[None].double()
    wanted = norm.double().eval()(below)[0].detach().numpy()
    for unit, row, column in np.random.default_rng(2).integers(0, 6, (20, 3)).tolist():
        equation = seen.equation("1", unit, row, column)
        assert equation.kind == "norm"
        assert equation.sum == pytest.approx(wanted[unit, row, column], rel=1e-6, abs=1e-6)
        assert equation.relative_difference < 1e-6
        assert reads_true(equation)
        (term,) = equation.terms
        assert term.product == term.input * term.weight
        top, left, bottom, right = equation.sees
        assert (bottom - top, right - left) == (statistics_px, statistics_px)


def test_normalisation_of_a_vector_is_known_too():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 5), nn.BatchNorm1d(5), nn.LayerNorm(5))
    nn.init.normal_(module[2].running_mean)
    photo = np.random.default_rng(1).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    seen = trace(module, photo)
    assert [layer.kind for layer in seen.layers] == ["flatten", "dense", "norm", "norm", "softmax"]
    for name in ("2", "3"):
        assert seen.equation(name, 4).relative_difference < 1e-6
    chain = seen.equation("1", 3)
    assert [step.layer for step in chain.steps] == ["2", "3"]
    assert reads_true(chain)


CONSTANTS = {
    "x + c": lambda x, c: x + c,
    "c + x": lambda x, c: c + x,
    "x - c": lambda x, c: x - c,
    "c - x": lambda x, c: c - x,
    "x * c": lambda x, c: x * c,
    "c * x": lambda x, c: c * x,
    "x / c": lambda x, c: x / c,
    "-x": lambda x, c: -x,
    "x.sub_(c)": lambda x, c: x.clone().sub_(c),
    "torch.mul": torch.mul,
    "torch.rsub": torch.rsub,
}


@pytest.mark.parametrize("constant", [2.5, -3, torch.tensor([0.5, 2.0, -1.5]).view(1, 3, 1, 1)])
@pytest.mark.parametrize("name", CONSTANTS)
def test_arithmetic_with_constants_is_known(name, constant):
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(CONSTANTS[name](x, constant).mean((2, 3)))

    if name == "torch.rsub" and not isinstance(constant, torch.Tensor):
        constant = torch.tensor(constant)
    seen = trace(Constant(), ramp())
    (layer,) = [layer for layer in seen.layers if layer.kind == "scale"]
    entering = torch.from_numpy(seen.photo)[None].double()
    wanted = CONSTANTS[name](entering, constant)[0].numpy()
    for unit in range(3):
        equation = seen.equation(layer.name, unit, 3, 5)
        assert equation.activation == pytest.approx(wanted[unit, 3, 5], rel=1e-6)
        assert equation.relative_difference < 1e-6
        assert reads_true(equation)


def test_a_constant_that_copies_cells_is_not_taken_for_a_scale():
    class Widening(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc((x.mean((2, 3), keepdim=True) + torch.zeros(1, 3, 2, 2)).mean((2, 3)))

    seen = trace(Widening(), ramp())
    assert [layer.known for layer in seen.layers] == [True, False, True, True, True]
