"""source.py and reference.py: a function of one's own becomes a network, and says what is wrong."""

import random
import re
import sys

import numpy as np
import pytest
import torch

from seethrough.errors import ShapeError, SpecError
from seethrough.model.build import Normalise
from seethrough.model.reference import load_module, seeded
from seethrough.model.source import find, is_reference

NETS = """
import torch
from torch import nn

class Skip(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, num_classes)

    def forward(self, x):
        x = self.first(x)
        x = x + torch.relu(self.second(x))
        return self.head(x.mean((2, 3)))

def make(num_classes):
    return Skip(num_classes)

def chain(num_classes, image_px):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes))

def handing_on(**options):
    return Skip(**options)

def ready():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 7))

def without(units):
    return nn.Linear(units, units)

def wrong(num_classes):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes + 1))

def tuples(**options):
    return list(options)

def fails(num_classes):
    raise KeyError("weights")
"""


@pytest.fixture
def nets(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mypackage.nets:make", True),
        ("nets.py:make", True),
        ("/a b/nets.py:Net", True),
        ("demo", False),
        ("conv 4, relu, flatten, dense", False),
        ('layers = ["dense"]', False),
        ("nets:1make", False),
        ("nets.py", False),
    ],
)
def test_the_form_tells_a_reference_from_other_networks(text, expected):
    assert is_reference(text) is expected


def test_the_module_is_the_function_s_own_behind_our_normalisation(nets):
    whole = load_module(f"{nets}:make", num_classes=5, image_px=8, seed=3)
    assert isinstance(whole.normalise, Normalise)
    pixels = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 255
    by_hand = whole.network((pixels / 255 - 0.5) / 0.25)
    assert torch.equal(whole(pixels), by_hand)
    assert by_hand.shape == (2, 5)
    assert whole.training


def test_a_plain_chain_keeps_the_names_of_its_layers_and_is_told_the_size(nets):
    whole = load_module(f"{nets}:chain", num_classes=2, image_px=9)
    assert [name for name, _ in whole.named_children()] == ["normalise", "0", "1"]
    assert whole[2].in_features == 3 * 81


def test_the_weights_follow_the_seed_and_nobody_else_s_random_numbers_move(nets):
    def weights(seed):
        state = load_module(f"{nets}:make", num_classes=3, image_px=8, seed=seed).state_dict()
        return torch.cat([tensor.flatten() for tensor in state.values()])

    before = torch.get_rng_state()
    first = weights(1)
    torch.rand(5)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))
    torch.set_rng_state(before)
    weights(7)
    assert torch.equal(torch.get_rng_state(), before)


def test_inside_a_seed_every_generator_follows_it_and_outside_none_is_moved():
    def drawn():
        return random.random(), float(np.random.random()), float(torch.rand(()))

    outside = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    with seeded(5):
        first = drawn()
    assert random.getstate() == outside[0]
    assert np.array_equal(np.random.get_state()[1], outside[1])
    assert torch.equal(torch.get_rng_state(), outside[2])
    drawn()
    with seeded(5):
        assert drawn() == first
    with seeded(6):
        assert not set(drawn()) & set(first)


def test_a_file_that_was_changed_is_read_anew_and_one_that_was_not_is_run_once(nets):
    load_module(f"{nets}:make", num_classes=3, image_px=8)
    known = set(sys.modules)
    load_module(f"{nets}:make", num_classes=3, image_px=8)
    assert set(sys.modules) == known
    nets.write_text(NETS.replace("nn.Conv2d(4, 4, 3", "nn.Conv2d(4, 4, 5"))
    with pytest.raises(ShapeError, match="cannot be asked about images of 8"):
        load_module(f"{nets}:make", num_classes=3, image_px=8)


def test_an_installed_module_is_found_without_importing_it(tmp_path, monkeypatch):
    package = tmp_path / "mypackage_for_seethrough"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "nets.py").write_text(NETS)
    monkeypatch.syspath_prepend(tmp_path)
    found = find("mypackage_for_seethrough.nets:make")
    assert found.path == package / "nets.py"
    assert found.text == NETS
    assert found.short == "mypackage_for_seethrough.nets:make"
    assert "mypackage_for_seethrough" not in sys.modules
    with pytest.raises(SpecError, match=r"nets\.py cannot be imported") as caught:
        load_module("mypackage_for_seethrough.nets:make", num_classes=2, image_px=8)
    assert "RuntimeError: imported" in caught.value.why
    (package / "__init__.py").write_text("")
    whole = load_module("mypackage_for_seethrough.nets:make", num_classes=2, image_px=8)
    assert whole(torch.zeros(1, 3, 8, 8)).shape == (1, 2)


def test_a_function_that_takes_no_number_of_classes_is_called_as_it_is(nets):
    whole = load_module(f"{nets}:ready", num_classes=7, image_px=8)
    assert whole(torch.zeros(1, 3, 8, 8)).shape == (1, 7)


def test_options_that_are_handed_on_leave_the_size_out_where_nobody_takes_it(nets):
    whole = load_module(f"{nets}:handing_on", num_classes=5, image_px=8)
    assert whole(torch.zeros(1, 3, 8, 8)).shape == (1, 5)


@pytest.mark.parametrize(
    ("function", "error", "what", "why"),
    [
        ("nothing", SpecError, "has no function 'nothing'", "make, chain, handing_on"),
        ("without", SpecError, "could not make a network", "called with nothing it raised TypeErr"),
        ("ready", ShapeError, r"answers with \(2, 7\)", r"3 classes answers with \(2, 3\)"),
        ("fails", SpecError, "could not make a network", "num_classes=3 it raised KeyError"),
        ("tuples", SpecError, "made no network", "returned a list"),
        ("wrong", ShapeError, r"answers with \(2, 4\)", r"answers with \(2, 3\)"),
    ],
)
def test_a_function_that_does_not_do_says_what_why_and_how_to_mend_it(
    nets, function, error, what, why
):
    with pytest.raises(error, match=what) as caught:
        load_module(f"{nets}:{function}", num_classes=3, image_px=8)
    assert re.search(why, caught.value.why)
    assert caught.value.fix


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"missing\.py cannot be read"):
        find(f"{tmp_path}/missing.py:make")
    with pytest.raises(SpecError, match="There is no module 'no_such_package'"):
        find("no_such_package.nets:make")
    with pytest.raises(SpecError, match=r"There is no module 'json\.nets'"):
        find("json.nets:make")
    with pytest.raises(SpecError, match="names no function"):
        find("conv 4, relu")
    (tmp_path / "large.py").write_text("#" * 1_000_001)
    with pytest.raises(SpecError, match="is larger than 1,000,000 bytes"):
        find(f"{tmp_path}/large.py:make")
