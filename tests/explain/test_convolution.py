"""Convolution and dense layers against loops, autograd and unfold: never against our own code."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seethrough.errors import LayerError
from seethrough.explain import trace

PX = 9

# Told once a process by the framework: an even kernel with `same` costs it a copy.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


def answering(layer):
    """The layer in a network that ends in logits."""
    return nn.Sequential(layer, nn.AdaptiveAvgPool2d(1), nn.Flatten())


@st.composite
def convolutions(draw):
    groups = draw(st.sampled_from([1, 3]))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    mode = draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]))
    padding = draw(
        st.sampled_from(["same", "valid"]) | st.tuples(st.integers(0, 3), st.integers(0, 3))
    )
    stride = (1, 1) if padding == "same" else draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    torch.manual_seed(draw(st.integers(0, 99)))
    return nn.Conv2d(
        3,
        groups * draw(st.integers(1, 2)),
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
        padding_mode=mode,
    )


def random_photo(seed):
    return np.random.default_rng(seed).integers(0, 256, (PX, PX, 3), dtype=np.uint8)


def some_cell(layer, seed):
    return tuple(int(np.random.default_rng(seed).integers(size)) for size in layer.map_shape)


@settings(deadline=None, max_examples=40)
@given(convolutions(), st.integers(0, 99))
def test_the_terms_are_the_jacobian_and_the_inputs_of_any_convolution(conv, seed):
    seen = trace(answering(conv), random_photo(seed))
    unit, row, column = some_cell(seen.layer("0"), seed)
    equation = seen.equation("0", unit, row, column)

    # What the convolution itself reads: the photo, with its border where that is not zeros.
    below = torch.from_numpy(seen.inputs("0")[0])[None].requires_grad_()
    padding = 0 if conv.padding_mode != "zeros" else conv.padding
    output = torch.nn.functional.conv2d(
        below, conv.weight, conv.bias, conv.stride, padding, conv.dilation, conv.groups
    )
    (slope,) = torch.autograd.grad(output[0, unit, row, column], below)

    numbers = below.detach().numpy()[0]
    found = np.zeros(slope.shape[1:], np.float32)
    for term in equation.terms:
        if term.is_padding:
            assert term.input == 0
            assert not (0 <= term.row < found.shape[1] and 0 <= term.column < found.shape[2])
        else:
            place = (term.channel, term.row, term.column)
            assert term.input == float(numbers[place])
            found[place] += term.weight
        assert term.product == term.input * term.weight
    np.testing.assert_array_equal(found, slope[0].numpy())
    assert equation.framework == output[0, unit, row, column].item()
    assert equation.relative_difference < 1e-6
    assert equation.adds_up
    assert equation.bias == (None if conv.bias is None else conv.bias[unit].item())


@settings(deadline=None, max_examples=20)
@given(convolutions(), st.integers(0, 99))
def test_partial_maps_and_bias_make_the_map(conv, seed):
    seen = trace(answering(conv), random_photo(seed))
    layer = seen.layer("0")
    unit = seed % layer.shape[0]
    partials = seen.partials("0", unit)
    assert partials.shape == (3 // conv.groups, *layer.shape[1:])
    bias = 0 if conv.bias is None else conv.bias[unit].item()
    np.testing.assert_allclose(
        partials.sum(0, dtype=np.float64) + bias, layer.output[unit], atol=2e-4
    )
    first = unit // (len(conv.weight) // conv.groups) * (3 // conv.groups)
    kernel = conv.weight[unit : unit + 1, :1].detach()
    below = torch.from_numpy(seen.inputs("0")[0])[None, first : first + 1]
    padding = 0 if conv.padding_mode != "zeros" else conv.padding
    alone = torch.nn.functional.conv2d(
        below, kernel, stride=conv.stride, padding=padding, dilation=conv.dilation
    )
    np.testing.assert_allclose(partials[0], alone[0, 0].numpy(), atol=2e-4)


def test_the_windows_are_those_of_unfold():
    torch.manual_seed(1)
    conv = nn.Conv2d(3, 2, 3, stride=2, padding=1)
    seen = trace(answering(conv), random_photo(4))
    windows = nn.functional.unfold(torch.from_numpy(seen.photo)[None], 3, padding=1, stride=2)
    for cell in range(windows.shape[2]):
        equation = seen.equation("0", 1, cell // 5, cell % 5)
        assert [term.input for term in equation.terms] == windows[0, :, cell].tolist()


def test_a_hand_made_convolution_reads_as_on_paper():
    conv = nn.Conv2d(3, 1, 2, stride=2, padding=1)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 1] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        conv.bias[0] = 0.5
    photo = np.zeros((4, 4, 3), np.uint8)
    photo[0, 0, 1], photo[1, 1, 1] = 10, 20
    seen = trace(answering(conv), photo)
    corner = seen.equation("0", 0, 0, 0)  # the window's last cell is the photo's first
    assert corner.sum == 40.5
    assert corner.shown_sum == "40.5000"
    assert [term.is_padding for term in corner.terms[4:8]] == [True, True, True, False]
    assert [channel.channel for channel in corner.channels] == [1, 0, 2]
    assert corner.channels[0].shown == "40.0000"
    middle = seen.equation("0", 0, 1, 1)
    assert middle.sum == 20.5
    assert (middle.kernel, middle.stride, middle.padding) == ((2, 2), (2, 2), (1, 1))
    assert middle.sees == (1, 1, 3, 3)
    assert corner.sees == (0, 0, 1, 1)


def test_only_a_convolution_has_partial_maps():
    seen = trace(answering(nn.Conv2d(3, 2, 1)), random_photo(0))
    with pytest.raises(LayerError, match="1 has no partial maps"):
        seen.partials("1", 0)
    with pytest.raises(LayerError, match="0 has no unit 2"):
        seen.partials("0", 2)


# ---------------------------------------------------------------- dense


def test_a_dense_layer_reads_its_places_through_flatten_and_what_follows_it():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 2, stride=3), nn.Flatten(), nn.ReLU(), nn.Dropout(), nn.Linear(36, 3)
    )
    seen = trace(module, random_photo(2))
    equation = seen.equation("4", 2)
    maps = np.maximum(seen.layer("0").output, 0)
    assert [(t.channel, t.row, t.column) for t in equation.terms] == list(np.ndindex(4, 3, 3))
    assert all(term.input == maps[term.channel, term.row, term.column] for term in equation.terms)
    assert len(equation.channels) == 4
    weights = module[4].weight[2].detach().numpy()
    assert [term.weight for term in equation.terms] == weights.tolist()
    exact = np.dot(maps.ravel().astype(np.float64), weights.astype(np.float64))
    assert equation.sum == pytest.approx(exact + module[4].bias[2].item(), rel=1e-12)


@pytest.mark.parametrize("form", ["matmul", "addmm", "operator"])
def test_a_dense_layer_written_as_a_matrix_product_is_one(form):
    class Product(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(3)
            self.weight, self.bias = (
                nn.Parameter(torch.randn(3, 4)),
                nn.Parameter(torch.randn(4)),
            )

        def forward(self, x):
            x = x.mean((2, 3))
            if form == "addmm":
                return torch.addmm(self.bias, x, self.weight)
            return (x @ self.weight if form == "operator" else torch.matmul(x, self.weight)) + 0

    seen = trace(Product(), random_photo(5))
    layer = next(layer for layer in seen.layers if layer.kind == "dense")
    for unit in range(4):
        equation = seen.equation(layer.name, unit)
        assert equation.relative_difference < 1e-6
        assert (equation.bias is not None) is (form == "addmm")
