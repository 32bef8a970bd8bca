"""A training keeps to the device that it was given: data, network, optimizer, losses, report.

No test machine has a graphics card. The device here refuses to mix tensors as a card does, and
computes as the processor does: a run on it has to end with the very same weights.
"""

import pytest
import torch
from tests.runs.history import weights
from tests.train.elsewhere import NAME, Elsewhere
from torch import nn

from seethrough.errors import RecipeError
from seethrough.runs.creation import recorded_place
from seethrough.runs.rates import range_test
from seethrough.train.forecast import forecast
from seethrough.train.loop import train
from seethrough.train.place import Place
from seethrough.train.recipe import Optimizer, Recipe

RECIPES = {
    "sgd": {},
    "adamw, averaged": {"optimizer": Optimizer.ADAMW, "ema": 0.9},
    "muon": {"optimizer": Optimizer.MUON, "unit_kernels": True},
    "in slices": {"slices": 3},
    "in parts": {"micro_batch": 4},
    "weighted and mixed": {"class_weights": True, "mixup": 0.3},
}


@pytest.fixture
def elsewhere(monkeypatch):
    """A machine that has the device, and a place on it."""
    for module in ("place", "device"):
        monkeypatch.setattr(f"seethrough.train.{module}.DEVICES", ("cpu", NAME))
    for module in ("train.place", "runs.creation"):
        monkeypatch.setattr(f"seethrough.{module}.is_here", lambda _: True)
    monkeypatch.setattr("seethrough.train.limit.SIDES", {"cpu": 512, NAME: 8})
    with Elsewhere():
        yield Place(device=NAME, threads=1)


@pytest.mark.parametrize("changes", RECIPES.values(), ids=RECIPES)
def test_a_run_elsewhere_ends_with_the_same_weights(make_run, go, elsewhere, changes, tmp_path):
    other = make_run(place=elsewhere, runs_dir=tmp_path / "elsewhere", **changes)
    lines = go(other, place=elsewhere)
    own = make_run(**changes)
    assert [line["loss"] for line in lines if line["kind"] == "step"] == [
        line["loss"] for line in go(own) if line["kind"] == "step"
    ]
    assert lines[-1]["state"] == "finished"
    assert weights(other) == weights(own)
    assert other.report == own.report
    assert other.manifest.environment["device"] == NAME


# What torch says of its own device without memory; here the numbers are copied all the same.
@pytest.mark.filterwarnings("ignore:.*to a meta parameter:UserWarning")
def test_a_run_that_was_stopped_elsewhere_goes_on_there_or_here(make_run, go, elsewhere, tmp_path):
    whole = make_run()
    go(whole)
    for number, place in enumerate((elsewhere, Place(threads=1))):
        run = make_run(place=elsewhere, runs_dir=tmp_path / str(number))
        go(run, stop_after=4, place=elsewhere)
        go(run, place=place)
        assert weights(run) == weights(whole)


def test_dropout_and_whitening_keep_to_the_device(photos, elsewhere):
    recipe = Recipe(epochs=1, batch=16, peak_lr=0.05, whiten=True)
    found = []
    for place in (Place(threads=1), elsewhere):
        torch.manual_seed(3)
        network = nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.Dropout(0.5), nn.Flatten(), nn.LazyLinear(len(photos.classes))
        )
        network(torch.zeros(2, 3, photos.image_px, photos.image_px))
        network.insert(0, _Floats())
        for _ in train(network, photos, recipe, place=place):
            pass
        assert all(p.device.type == "cpu" for p in network.parameters())
        found.append([p.detach().clone() for p in network.parameters()])
    assert all(map(torch.equal, *found))


class _Floats(nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels / 255


def test_what_is_measured_before_a_training_is_measured_there(make_run, photos, elsewhere):
    run = make_run(place=elsewhere)
    recipe, network = run.manifest.recipe, run.network
    assert list(range_test(photos, network, recipe, place=elsewhere))
    module = nn.Sequential(_Floats(), nn.Flatten(), nn.Linear(3 * 12 * 12, len(photos.classes)))
    assert forecast(module, photos, recipe, place=elsewhere).step_s > 0
    assert next(module.parameters()).device.type == NAME


def test_a_network_that_was_left_behind_is_an_error_there(elsewhere):
    network = nn.Linear(3, 2)
    pixels = torch.zeros(4, 3).to(NAME)
    with pytest.raises(RuntimeError, match="cannot be mixed"):
        network(pixels)
    assert network.to(NAME)(pixels).to("cpu").shape == (4, 2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a graphics card")
def test_a_card_that_is_not_there_is_an_error_with_a_way_out():
    with pytest.raises(RecipeError, match="no graphics card"):
        Place(device="cuda")


def test_an_unknown_device_is_an_error():
    with pytest.raises(RecipeError, match="There is no device 'abacus'"):
        Place(device="abacus")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a graphics card")
def test_a_run_from_a_machine_with_a_card_goes_on_without():
    assert recorded_place({"device": "cuda", "threads": "1"}) == Place(threads=1)
