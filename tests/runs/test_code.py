"""Runs of networks that are code: trained, resumed and reopened, and never imported unasked."""

import dataclasses
import hashlib
import json
import shutil
import sys

import numpy as np
import pytest
import torch

from seethrough.errors import CheckpointError, RunError, SpecError
from seethrough.model.presets import asked_for
from seethrough.runs import creation
from seethrough.runs.folder import open_run
from seethrough.runs.store import list_runs
from seethrough.train.recipe import Recipe

from .conftest import PLACE

NETS = """
from pathlib import Path
import torch
from torch import nn

marker = Path(__file__).with_suffix(".imported")
marker.write_text(str(len(marker.read_text() if marker.exists() else "") + 1))

class Skip(nn.Module):
    def __init__(self, num_classes, width=6):
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(width, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x)))
        x = x + torch.relu(self.second(x))
        return self.head(self.dropout(x.mean((2, 3))))

def make(num_classes):
    return Skip(num_classes)
"""


@pytest.fixture
def nets(tmp_path):
    path = tmp_path / "mine" / "nets.py"
    path.parent.mkdir()
    path.write_text(NETS)
    return path


@pytest.fixture
def make_coded(photos, nets, tmp_path):
    def make(**changes):
        recipe = dataclasses.replace(
            Recipe(epochs=3, batch=16, peak_lr=0.05, shift_px=1, seed=4), **changes
        )
        spec = asked_for(f"{nets}:make", 12)
        return creation.create(photos, spec, recipe, runs_dir=tmp_path / "runs", place=PLACE)

    return make


@pytest.fixture
def stranger(monkeypatch, tmp_path):
    """From here on the user is one who has named no code yet."""

    def become():
        monkeypatch.setenv("SEETHROUGH_CONFIG", str(tmp_path / "another-config"))

    return become


def _imports(nets):
    marker = nets.with_suffix(".imported")
    return marker.exists()


def _forget(nets):
    """As in a new process: the file was not imported yet."""
    nets.with_suffix(".imported").unlink(missing_ok=True)
    for name in [name for name in sys.modules if name.startswith("_seethrough_nets")]:
        del sys.modules[name]


def test_the_manifest_holds_what_was_named_its_text_and_its_layers(make_coded, nets):
    run = make_coded()
    facts = json.loads((run.folder / "run.json").read_bytes())["network"]
    assert facts["text"] == f"{nets}:make"
    assert facts["kind"] == "reference"
    assert facts["source"] == NETS
    assert facts["source_sha256"] == hashlib.sha256(NETS.encode()).hexdigest()
    again = open_run(run.id)
    assert again.manifest == run.manifest
    by_hand = (27 * 6 + 6) + 12 + (54 * 6 + 6) + (6 * 3 + 3)
    assert sum(size.parameters for size in again.sizes) == by_hand
    shapes = {size.name: size.shape for size in again.sizes}
    assert shapes["normalise"] == (3, 12, 12)
    assert shapes["network.second"] == (6, 12, 12)
    assert shapes["network.head"] == shapes["softmax"] == (3,)


@pytest.mark.parametrize("stop_after", [1, 4])
def test_stopped_and_resumed_it_ends_with_the_same_weights_dropout_and_all(
    make_coded, go, stop_after
):
    whole, parts = make_coded(), make_coded()
    undisturbed = go(whole)
    go(parts, stop_after=stop_after)
    torch.rand(7)  # what others draw in between changes nothing
    resumed = go(open_run(parts.id))
    assert resumed[-1]["state"] == undisturbed[-1]["state"] == "finished"
    assert resumed[-1]["weights_sha256"] == undisturbed[-1]["weights_sha256"]


def test_a_finished_run_is_reopened_and_says_what_its_report_says(make_coded, go, photos):
    run = make_coded(epochs=1)
    go(run)
    again = open_run(run.id)
    said = again.classifier.probabilities(np.ascontiguousarray(photos.images[40:]))
    assert np.array_equal(said, again.predictions.probabilities)
    trace = again.classifier.trace(photos.images[0])
    weighted = {size.name for size in again.sizes if size.parameters}
    assert weighted == {layer.name for layer in trace.layers if layer.num_parameters}


def test_what_a_stranger_s_folder_names_is_never_imported_unasked(
    make_coded, go, nets, photos, tmp_path, stranger
):
    run = make_coded()
    go(run, stop_after=4)
    stranger()
    _forget(nets)
    copy = tmp_path / "received" / run.id
    shutil.copytree(run.folder, copy)
    received = open_run(copy)
    assert received.sizes == run.sizes
    assert [each.id for each in list_runs(copy.parent)] == [run.id]
    with pytest.raises(RunError, match="made by code that you have not named here") as caught:
        _ = received.classifier
    assert f"SEETHROUGH_CODE={nets}:make" in caught.value.fix
    with pytest.raises(RunError, match="made by code that you have not named here"):
        go(received)
    assert not _imports(nets)


def test_named_now_it_is_imported_from_where_the_user_says(
    make_coded, go, nets, tmp_path, stranger, monkeypatch
):
    run = make_coded(epochs=1)
    go(run)
    expected = run.classifier.module.state_dict()
    stranger()
    elsewhere = tmp_path / "elsewhere" / "nets.py"
    elsewhere.parent.mkdir()
    shutil.copy(nets, elsewhere)
    _forget(nets)
    named = open_run(run.id, code=f"{elsewhere}:make").classifier.module.state_dict()
    assert all(torch.equal(named[name], tensor) for name, tensor in expected.items())
    monkeypatch.setenv("SEETHROUGH_CODE", f"other.nets:make2, {elsewhere}:make")
    assert open_run(run.id).classifier.classes == run.classifier.classes
    assert _imports(elsewhere)
    assert not _imports(nets)
    monkeypatch.setenv("SEETHROUGH_CODE", "another.nets:build")
    with pytest.raises(RunError, match="that you have not named here"):
        _ = open_run(run.id).classifier


def test_code_that_was_changed_is_not_taken_for_what_it_was(make_coded, go, nets):
    run = make_coded(epochs=1)
    go(run)
    nets.write_text(NETS.replace("width=6", "width=8"))
    _forget(nets)
    with pytest.raises(RunError, match=r"nets\.py is not as it was when") as caught:
        _ = open_run(run.id).classifier
    assert "network.source" in caught.value.fix
    assert not _imports(nets)
    with pytest.raises(CheckpointError, match="belong to another network") as misfit:
        _ = open_run(run.id, code=f"{nets}:make").classifier
    assert "(8, 3, 3, 3)" in misfit.value.why
    assert "load them into the network that they were trained with" in misfit.value.fix


def test_a_resume_with_changed_code_that_fits_says_so_in_the_log(make_coded, go, nets):
    run = make_coded()
    go(run, stop_after=4)
    nets.write_text(NETS + "\n# another line\n")
    lines = go(open_run(run.id, code=f"{nets}:make"))
    notes = [line["text"] for line in lines if line["kind"] == "note"]
    assert any("code is not what it was made with" in text for text in notes)
    assert lines[-1]["state"] == "finished"


def test_code_that_is_gone_is_missed_by_its_path(make_coded, go, nets):
    run = make_coded(epochs=1)
    go(run)
    nets.unlink()
    with pytest.raises(RunError, match=r"The code that made .* is not there any more") as caught:
        _ = open_run(run.id).classifier
    assert str(nets) in caught.value.why


def test_a_ready_network_is_nobody_s_code_and_needs_no_word(photos, go, tmp_path, stranger):
    recipe = Recipe(epochs=1, batch=32, shift_px=1)
    run = creation.create(photos, asked_for("unet-small", 12), recipe, place=PLACE)
    go(run)
    stranger()
    again = open_run(run.id)
    assert again.manifest.network.kind == "ready"
    assert len(again.classifier.probabilities(photos.images[:2])) == 2
    assert sum(size.parameters for size in again.sizes) == sum(
        each.numel() for each in again.classifier.module.parameters()
    )


def test_a_manifest_of_the_first_schema_is_read(make_run):
    run = make_run()
    path = run.folder / "run.json"
    stored = json.loads(path.read_bytes())
    stored["schema"] = 1
    stored["network"] = {key: stored["network"][key] for key in ("name", "image_px", "text")}
    path.write_text(json.dumps(stored))
    assert open_run(run.id).network == run.network
    assert open_run(run.id).sizes == run.sizes


@pytest.mark.parametrize(
    ("changes", "error", "what"),
    [
        ({"kind": "pickle"}, RunError, r"run\.json cannot be read"),
        ({"layers": [{"name": "conv1"}]}, RunError, r"run\.json cannot be read"),
        ({"kind": "ready", "text": "resnet-99"}, SpecError, "no ready network 'resnet-99'"),
        ({"kind": "reference", "text": "os:system"}, RunError, "that you have not named here"),
        ({"kind": "reference", "text": "no words"}, RunError, "that you have not named here"),
    ],
)
def test_a_manifest_that_names_something_else_leads_nowhere(make_run, go, changes, error, what):
    run = make_run()
    go(run)
    path = run.folder / "run.json"
    stored = json.loads(path.read_bytes())
    stored["network"] |= changes
    path.write_text(json.dumps(stored))
    with pytest.raises(error, match=what):
        _ = open_run(run.id).classifier
