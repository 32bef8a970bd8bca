"""build.py: seeded weights that touch nothing global, and a first layer checked by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from tests.model.networks import drafts, fitting
from torch import nn

from seethrough.errors import ShapeError
from seethrough.model.build import MIN_STD, Normalise, build
from seethrough.model.checkpoint import weights_sha256
from seethrough.model.presets import preset
from seethrough.model.spec import layer_names, parse

FACTS = {"num_classes": 3, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.1)}


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    hashes = [weights_sha256(build(preset("demo"), **FACTS, seed=seed)) for seed in (7, 7, 8)]
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


def test_building_neither_reads_nor_moves_the_global_random_generator():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = weights_sha256(build(preset("lenet-5"), **FACTS, seed=3))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert weights_sha256(build(preset("lenet-5"), **FACTS, seed=3)) == first


@settings(max_examples=30, deadline=None)
@given(drafts())
def test_layers_keep_the_names_and_the_order_of_the_text(draft):
    spec = fitting(draft)
    network = build(spec, **FACTS, seed=0)
    names = [name for name, _ in network.named_children()]
    assert names == ["normalise", *layer_names(spec.layers)]
    assert network.training


def test_every_layer_takes_its_options_from_the_text():
    text = "conv 4 k5 s2 p1 nobias, maxpool 3 s1 p1, avgpool 2 s1, gelu, flatten, dense 5, dense"
    network = build(parse(text), **FACTS, seed=0)
    conv = network.conv1
    assert (conv.kernel_size, conv.stride, conv.padding) == ((5, 5), (2, 2), (1, 1))
    assert conv.bias is None
    assert (network.pool1.kernel_size, network.pool1.stride, network.pool1.padding) == (3, 1, 1)
    assert isinstance(network.pool2, nn.AvgPool2d)
    assert network.pool2.stride == 1
    assert isinstance(network.gelu1, nn.GELU)
    assert network.dense1.bias is not None


@pytest.mark.parametrize(
    ("text", "gain"),
    [
        ("conv 64 k3, norm, relu, flatten, dense", math.sqrt(2)),
        ("conv 64 k3, maxpool 2, silu, flatten, dense", math.sqrt(2)),
        ("conv 64 k3, tanh, flatten, dense", 5 / 3),
        ("conv 64 k3, sigmoid, flatten, dense", 1),
        ("conv 64 k3, conv 4, relu, flatten, dense", 1),
    ],
)
def test_weights_fill_the_range_that_keeps_the_size_of_activations(text, gain):
    weight = build(parse(text), **FACTS, seed=5).conv1.weight.detach()
    bound = gain * math.sqrt(3 / (3 * 3 * 3))
    assert float(weight.abs().max()) <= bound
    assert float(weight.abs().max()) > 0.98 * bound  # 1,728 uniform numbers
    # A uniform number in ±b has variance b²/3; 1,728 of them estimate it within 10 %.
    assert float(weight.var()) == pytest.approx(bound**2 / 3, rel=0.1)
    assert abs(float(weight.mean())) < 0.05 * bound


def test_activations_keep_their_size_through_the_untrained_demo():
    noise = np.random.default_rng(0).integers(0, 256, (64, 3, 32, 32), dtype=np.uint8)
    facts = {"mean": (0.5,) * 3, "std": (0.289,) * 3}  # of uniform noise: 1/√12
    network = build(preset("demo"), num_classes=6, **facts, seed=0)
    with torch.no_grad():
        logits = network(torch.from_numpy(noise))
    assert 0.1 < float(logits.std()) < 10


def test_normalise_is_pixel_by_255_minus_mean_by_std():
    network = Normalise((0.5, 0.4, 0.3), (0.2, 0.3, 0.1))
    pixels = torch.arange(0, 256).repeat(3, 1).reshape(1, 3, 16, 16)
    seen = network(pixels.to(torch.uint8))
    assert torch.equal(seen, network(pixels.to(torch.float32)))
    for channel, (mean, std) in enumerate(zip((0.5, 0.4, 0.3), (0.2, 0.3, 0.1), strict=True)):
        for value in (0, 1, 128, 255):
            expected = (value / 255 - mean) / std
            assert float(seen[0, channel].flatten()[value]) == pytest.approx(expected, abs=2e-6)


def test_mean_and_std_travel_with_the_weights_and_are_not_trained():
    network = build(preset("demo"), **FACTS, seed=0)
    state = network.state_dict()
    assert state["normalise.mean"].tolist() == pytest.approx([0.5, 0.4, 0.3])
    assert state["normalise.std"].tolist() == pytest.approx([0.2, 0.3, 0.1])
    assert not any(name.startswith("normalise") for name, _ in network.named_parameters())


def test_a_colour_without_contrast_is_divided_by_one_grey_level():
    assert Normalise((0.5,) * 3, (0.0, 0.1, 0.2)).std.tolist() == pytest.approx([MIN_STD, 0.1, 0.2])


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ((0.5, 0.5), (0.1, 0.1, 0.1), "mean has 2 numbers"),
        ((0.5, 0.5, math.nan), (0.1, 0.1, 0.1), "cannot normalise"),
        ((0.5, 0.5, 0.5), (0.1, math.inf, 0.1), "cannot normalise"),
        ((0.5, 0.5, 0.5), (0.1, -0.1, 0.1), "cannot normalise"),
    ],
)
def test_numbers_that_cannot_normalise_are_refused(mean, std, message):
    with pytest.raises(ShapeError, match=message):
        Normalise(mean, std)


def test_a_network_that_does_not_fit_is_refused_before_the_first_tensor():
    with pytest.raises(ShapeError, match="conv1: a window of 5"):
        build(parse("conv 60000 k5, flatten, dense", image_px=4), **FACTS, seed=0)
