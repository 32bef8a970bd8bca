"""what_if.py: each change against the same change made by hand on another module."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import seethrough as see
from seethrough.data.alter import Alteration, altered
from seethrough.errors import DataError, LayerError
from seethrough.explain.trace import trace
from seethrough.explain.what_if import Change, what_if


class Two(nn.Module):
    """Two convolutions, one function in place, and a path around it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2, self.gelu2 = nn.Conv2d(5, 5, 3, padding=1), nn.GELU()
        self.drop, self.pool = nn.Dropout(0.5), nn.MaxPool2d(4)
        self.flat, self.fc = nn.Flatten(), nn.Linear(5 * 8 * 8, 4)
        self.mask1 = self.mask2 = None

    def forward(self, x):
        x = self.relu1(self.norm1(self.conv1(x / 255)))
        if self.mask1 is not None:
            x = x * self.mask1
        y = self.gelu2(self.conv2(x))
        if self.mask2 is not None:
            y = y * self.mask2
        return self.fc(self.flat(self.pool(self.drop(x + y))))


@pytest.fixture
def module():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        module = Two()
        module.norm1.running_mean.normal_()
        module.norm1.running_var.uniform_(0.5, 2)
    return module


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def attached(module):
    return [
        (len(part._forward_hooks), len(part._forward_pre_hooks), part.training)
        for part in module.modules()
    ]


def said(module, photo):
    """Logits by an ordinary forward."""
    batch = torch.from_numpy(photo.transpose(2, 0, 1).astype(np.float32))[None]
    with torch.inference_mode():
        return copy.deepcopy(module).eval()(batch)[0].numpy()


def mask(units, off):
    found = torch.ones(1, units, 1, 1)
    found[:, list(off)] = 0
    return found


def test_without_a_change_every_number_is_the_same(module, photo):
    found = what_if(module, photo, Change())
    assert found.changed == ()
    for layer in found.before.layers:
        assert np.array_equal(layer.output, found.after.layer(layer.name).output)


def test_a_changed_weight_is_the_module_with_that_weight(module, photo):
    own = copy.deepcopy(module)
    with torch.no_grad():
        own.conv1.weight[2, 0, 1, 1], own.fc.bias[2] = 0.5, -1.25
    change = Change(weights={("conv1.weight", (2, 0, 1, 1)): 0.5, ("fc.bias", (2,)): -1.25})
    found = what_if(module, photo, change)
    assert np.array_equal(found.after.logits, said(own, photo))
    assert np.array_equal(found.before.logits, said(module, photo))
    by_hand = trace(own, photo)
    for layer in by_hand.layers:
        assert np.array_equal(layer.output, found.after.layer(layer.name).output), layer.name
    assert {one.unit for one in found.changed if one.layer == "conv1"} == {2}
    assert {one.unit for one in found.changed if one.layer == "fc"} == {0, 1, 2, 3}


def test_a_unit_that_is_off_is_a_map_times_zero(module, photo):
    own = copy.deepcopy(module)
    own.mask1, own.mask2 = mask(5, (1,)), mask(5, (0, 4))
    off = (("relu1", 1), ("gelu2", 0), ("gelu2", 4))
    found = what_if(module, photo, Change(off=off))
    np.testing.assert_allclose(found.after.logits, said(own, photo), rtol=1e-6, atol=1e-6)
    for layer, unit in off:
        assert not found.after.layer(layer).output[unit].any()
        assert found.before.layer(layer).output[unit].any()
    assert [one.unit for one in found.changed if one.layer == "relu1"] == [1]
    assert {one.layer for one in found.changed}.isdisjoint({"conv1", "norm1"})
    # what reads it reads zeros, and its equations add up on them
    equation = found.after.equation("conv2", 2, 4, 5)
    assert equation.adds_up
    assert equation.relative_difference < 1e-5
    assert all(term.input == 0 for term in equation.terms if term.channel == 1)


def test_a_logit_that_is_off_is_zero_for_softmax_too(module, photo):
    found = what_if(module, photo, Change(off=(("fc", 2),)))
    logits = said(module, photo).astype(np.float64)
    logits[2] = 0
    expected = np.exp(logits - logits.max())
    np.testing.assert_allclose(found.probabilities_after, expected / expected.sum(), rtol=1e-6)
    assert found.after.logits[2] == 0


def test_another_function_is_the_module_with_that_function(module, photo):
    own = copy.deepcopy(module)
    own.relu1, own.gelu2 = nn.SiLU(), nn.Tanh()
    found = what_if(module, photo, Change(functions={"relu1": "silu", "gelu2": "tanh"}))
    assert np.array_equal(found.after.logits, said(own, photo))
    assert [found.after.layer(name).kind for name in ("relu1", "gelu2")] == ["silu", "tanh"]


def test_an_altered_photo_is_the_trace_of_those_pixels(module, photo):
    alteration = Alteration(cover=(2, 3, 20, 25), noise=4)
    found = what_if(module, photo, Change(photo=alteration))
    pixels = altered(photo, alteration)
    assert np.array_equal(found.pixels, pixels)
    assert np.array_equal(found.after.logits, said(module, pixels))
    assert np.array_equal(found.after.photo, pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("temperature", [0.25, 3.0])
def test_a_temperature_divides_the_logits(module, photo, temperature):
    found = what_if(module, photo, Change(temperature=temperature))
    logits = said(module, photo).astype(np.float64) / temperature
    expected = np.exp(logits - logits.max())
    np.testing.assert_allclose(found.probabilities_after, expected / expected.sum(), rtol=1e-6)
    assert np.array_equal(found.after.logits, found.before.logits)
    assert {one.layer for one in found.changed} == {"softmax"}


def test_what_changed_is_said_cell_by_cell(module, photo):
    found = what_if(module, photo, Change(off=(("conv2", 1),), photo=Alteration(brightness=9)))
    told = {(one.layer, one.unit): one.largest for one in found.changed}
    for layer in found.before.layers:
        apart = found.difference(layer.name).reshape(len(layer.output), -1)
        for unit, cells in enumerate(apart):
            largest = max(abs(float(cell)) for cell in cells)
            assert told.get((layer.name, unit), 0.0) == largest


def test_the_module_stays_bit_equal_and_nothing_stays_attached(module, photo):
    module.train()
    before, hooks = state(module), attached(module)
    change = Change(
        weights={("conv1.weight", (0, 0, 0, 0)): 9.0, ("norm1.weight", (1,)): 0.0},
        off=(("relu1", 1),),
        functions={"gelu2": "relu"},
    )
    what_if(module, photo, change)
    with pytest.raises(LayerError):
        what_if(module, photo, Change(off=(("relu1", 0), ("flat", 1))))
    after = state(module)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert attached(module) == hooks
    assert isinstance(module.gelu2, nn.GELU)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (Change(weights={("conv9.weight", (0,)): 1.0}), LayerError, "no weight 'conv9.weight'"),
        (Change(weights={("fc.bias", (4,)): 1.0}), LayerError, "fc.bias has no number at 4"),
        (Change(weights={("fc.bias", ()): 1.0}), LayerError, "has no number at no place"),
        (Change(weights={("fc.bias", (1,)): float("nan")}), DataError, "nan cannot be a weight"),
        (Change(weights={("fc.bias", (1,)): 1e39}), DataError, "cannot be a weight"),
        (Change(off=(("relu9", 1),)), LayerError, "There is no layer 'relu9'"),
        (Change(off=(("relu1", 5),)), LayerError, "relu1 has no unit 5"),
        (Change(off=(("relu1", -1),)), LayerError, "relu1 has no unit -1"),
        (Change(off=(("softmax", 1),)), LayerError, "stands in the code of a forward"),
        (Change(off=(("add", 1),)), LayerError, "stands in the code of a forward"),
        (Change(off=(("flat", 1),)), LayerError, "only passes on the numbers"),
        (Change(functions={"conv1": "relu"}), LayerError, "conv1 has no activation function"),
        (Change(functions={"relu1": "sine"}), LayerError, "There is no function 'sine'"),
        (Change(temperature=0.0), DataError, "The temperature is 0.0"),
        (Change(temperature=float("nan")), DataError, "The temperature is nan"),
    ],
)
def test_what_cannot_be_changed_is_said(module, photo, change, error, said):
    with pytest.raises(error, match=said):
        what_if(module, photo, change)


def test_a_layer_that_is_used_twice_is_not_changed_by_itself(residual, photo):
    with pytest.raises(LayerError, match="relu is used more than once"):
        what_if(residual, photo, Change(off=(("relu", 1),)))
    with pytest.raises(LayerError, match="relu is used more than once"):
        what_if(residual, photo, Change(functions={"relu": "gelu"}))


def test_maps_that_lie_channels_last_are_refused(channels_last, photo):
    with pytest.raises(LayerError, match="channels first"):
        what_if(channels_last, photo, Change(off=(("up", 1),)))


def test_a_classifier_asks_about_files_and_wrapped_modules(module, photo):
    classifier = see.wrap(module, classes=list("abcd"), image_px=32)
    known = classifier.trace(photo)
    change = Change(off=(("network.relu1", 1),))
    found = classifier.what_if(photo, change, before=known)
    assert found.before is known
    assert np.array_equal(found.after.logits, classifier.what_if(photo, change).after.logits)
    assert repr(found).startswith("WhatIf('")
