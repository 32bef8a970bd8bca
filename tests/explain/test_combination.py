"""Sums, joins, moved numbers, the normalise layer and softmax, against the framework's tensors."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seethrough.explain import trace
from seethrough.explain.verify import reads_true
from seethrough.model.build import Normalise


class Doing(nn.Module):
    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1)
        self.function, self.fc = function, nn.LazyLinear(3)

    def forward(self, x):
        return self.fc(self.function(self.a(x / 255), self.b(x / 255)).flatten(1))


def seen_through(function, size=(6, 8)):
    photo = np.random.default_rng(3).integers(0, 256, (*size, 3), dtype=np.uint8)
    module = Doing(function)
    module(torch.zeros(1, 3, *size))
    return trace(module, photo)


COMBINATIONS = {
    "x + y": (lambda x, y: x + y, ("add",)),
    "x - y": (lambda x, y: x - y, ("add",)),
    "add alpha": (lambda x, y: torch.add(x, y, alpha=3), ("add",)),
    "x + x": (lambda x, y: x + x, ("add",)),
    "in place": (lambda x, y: x.add_(y), ("add",)),
    "x * y": (lambda x, y: x * y, ("multiply",)),
    "a gate for each map": (lambda x, y: x * y.mean((2, 3), keepdim=True), ("multiply",)),
    "a gate for each cell": (lambda x, y: x * y[:, :1], ("multiply",)),
    "cat": (lambda x, y: torch.cat([x, y, x], 1), ("concat",)),
    "cat by name": (lambda x, y: torch.concat((y, x), dim=-3), ("concat",)),
    "slice": (lambda x, y: x[:, 1:3, ::2, 1:], ("rearrange",)),
    "chunk": (lambda x, y: x.chunk(2, 1)[1] + y.chunk(2, 1)[0], ("rearrange", "add")),
    "transpose": (lambda x, y: x.transpose(2, 3), ("rearrange",)),
    "flip": (lambda x, y: x.flip(3), ("rearrange",)),
    "roll": (lambda x, y: torch.roll(x, 2, 3), ("rearrange",)),
    "shuffle": (lambda x, y: F.channel_shuffle(x, 2), ("rearrange",)),
    "shuffle by hand": (
        lambda x, y: x.view(1, 2, 2, 6, 8).transpose(1, 2).reshape(1, 4, 6, 8),
        ("rearrange",),
    ),
    "pixel shuffle": (lambda x, y: F.pixel_shuffle(x, 2), ("rearrange",)),
    "nearest": (lambda x, y: F.interpolate(x, scale_factor=2), ("rearrange",)),
    "repeat": (lambda x, y: x.repeat(1, 2, 1, 1), ("rearrange",)),
    "pad": (lambda x, y: F.pad(x, (1, 2, 0, 1)), ("pad",)),
    "pad with": (lambda x, y: F.pad(x, (1, 2, 0, 1), value=2.5), ("pad",)),
    "pad reflect": (lambda x, y: F.pad(x, (1, 2, 3, 1), mode="reflect"), ("pad",)),
    "crop": (lambda x, y: F.pad(x, (-1, -2, 0, -1)), ("pad",)),
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_cell_of_a_combination_is_recomputed(name):
    function, kinds = COMBINATIONS[name]
    seen = seen_through(function)
    assert set(kinds) <= {layer.kind for layer in seen.layers}
    for layer in seen.layers:
        assert layer.known, layer.text
        if layer.kind not in kinds:
            continue
        cells = np.random.default_rng(5).permutation(list(np.ndindex(*layer.map_shape)))[:40]
        for unit, row, column in cells.tolist():
            equation = seen.equation(layer.name, unit, row, column)
            assert equation.framework == float(layer.output[unit, row, column])
            assert equation.relative_difference < 1e-6
            assert equation.adds_up


def test_a_moved_number_tells_where_it_came_from():
    seen = seen_through(lambda x, y: x[:, 1:3, ::2, 1:])
    (term,) = seen.equation("rearrange", 1, 2, 3).terms
    assert (term.channel, term.row, term.column, term.weight) == (2, 4, 4, 1.0)
    flat = seen.equation("flatten", 1 * 3 * 7 + 2 * 7 + 3).terms[0]
    assert (flat.channel, flat.row, flat.column) == (1, 2, 3)


def test_the_sentence_names_the_layer_that_a_joined_channel_comes_from():
    seen = seen_through(lambda x, y: torch.cat([x, y], 1))
    said = [seen.equation("concat", unit, 2, 3).sentence for unit in (1, 6)]
    assert "channel 1, row 2, column 3 of a, which is" in said[0]
    assert "channel 2, row 2, column 3 of b, which is" in said[1]
    both = seen_through(lambda x, y: x + y).equation("add", 1, 2, 3)
    assert "the same cell of a and b together" in both.sentence


def test_a_border_that_was_put_in_is_padding():
    seen = seen_through(lambda x, y: F.pad(x, (1, 2, 0, 1), value=2.5))
    (term,) = seen.equation("pad", 3, 6, 0).terms
    assert term.is_padding
    assert term.input == 2.5
    assert not seen.equation("pad", 3, 0, 1).terms[0].is_padding
    assert seen.equation("pad", 3, 6, 0).sees == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: F.interpolate(x, scale_factor=2, mode="bilinear"),
        lambda x, y: torch.maximum(x, y),
        lambda x, y: x / y.exp(),
        lambda x, y: x.sort(1)[0],
        lambda x, y: torch.where(x > 0, x, y),
        lambda x, y: F.conv2d(x, y.mean((2, 3)).view(4, 1, 1, 1), groups=4),
        lambda x, y: torch.einsum("nchw,ndhw->ncd", x, y),
        lambda x, y: F.softmax(x, dim=1),
    ],
)
def test_what_is_not_surely_known_is_a_box(function):
    seen = seen_through(function)
    assert any(not layer.known for layer in seen.layers)
    assert seen.layers[-2].known
    assert seen.layers[-2].kind == "dense"


# ---------------------------------------------------------------- first and last layer


def test_the_normalise_layer_shows_0_to_255_then_0_to_1_then_standardised():
    module = nn.Sequential(Normalise([0.5, 0.4, 0.3], [0.25, 0.2, 0.1]))
    module.add_module("pool", nn.AdaptiveAvgPool2d(1))
    module.add_module("flatten", nn.Flatten())
    photo = np.full((2, 2, 3), 128, np.uint8)
    seen = trace(module, photo)
    assert [layer.kind for layer in seen.layers][:2] == ["normalise", "global_avg_pool"]
    equation = seen.equation("0", 1, 0, 1)
    (term,) = equation.terms
    assert (term.input, term.weight) == (128.0, 1 / 255)
    assert equation.sum == pytest.approx(128 / 255, rel=1e-15)
    assert equation.framework == float(np.float32(128) / np.float32(255))
    assert equation.shown_sum == "0.5020"
    (step,) = equation.steps
    assert step.shown == "0.5020 - 0.4000 = 0.1020; 0.1020 / 0.2000 ≈ 0.5098"
    assert step.framework == float(seen.layer("0").output[1, 0, 1])
    assert equation.activation == pytest.approx((128 / 255 - 0.4) / 0.2, rel=1e-6)
    assert equation.worst_difference < 1e-6
    assert reads_true(equation)
    assert seen.layer("0").parameters["mean"].tolist() == pytest.approx([0.5, 0.4, 0.3])


def test_softmax_shows_every_exponential_their_sum_and_the_share():
    class Logits(nn.Module):
        def forward(self, x):
            return x.mean((2, 3)) / 64

    photo = np.zeros((2, 2, 3), np.uint8) + np.array([64, 128, 192], np.uint8)
    seen = trace(Logits(), photo)
    equation = seen.equation("softmax", 1)
    assert [term.input for term in equation.terms] == [1.0, 2.0, 3.0]
    assert [term.product for term in equation.terms] == [math.exp(-2), math.exp(-1), 1.0]
    assert [term.shown_product for term in equation.terms] == ["0.1353", "0.3679", "1.0000"]
    assert equation.shown_sum == "1.5032"
    assert equation.steps[0].shown == "0.3679 / 1.5032 ≈ 0.2447"
    assert equation.activation == pytest.approx(
        math.exp(2) / (math.exp(1) + math.exp(2) + math.exp(3)), rel=1e-14
    )
    assert equation.worst_difference < 1e-6
    assert sum(seen.equation("softmax", unit).activation for unit in range(3)) == pytest.approx(1)


def test_softmax_of_huge_logits_does_not_overflow():
    class Huge(nn.Module):
        def forward(self, x):
            return x.mean((2, 3)) * 1e4

    photo = np.zeros((2, 2, 3), np.uint8) + np.array([64, 128, 192], np.uint8)
    seen = trace(Huge(), photo)
    assert [seen.equation("softmax", unit).activation for unit in range(3)] == [0.0, 0.0, 1.0]
    assert seen.equation("softmax", 2).worst_difference == 0
