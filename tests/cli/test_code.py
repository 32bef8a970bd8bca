"""Networks that are code, from the command line: trained, asked, explained, verified."""

import re
import sys

import pytest

from seethrough.runs.folder import open_run

from .conftest import ctrl_c_at_a_step, logged

NETS = """
import torch
from torch import nn

class Branch(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(12, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x)))
        x = torch.cat((x, x + torch.relu(self.second(x))), 1)
        return self.head(self.dropout(x.mean((2, 3))))

def make(num_classes, image_px):
    assert image_px == 12
    return Branch(num_classes)
"""
ASKED = ("--image-px", "12", "--epochs", "2", "--seed", "7", "--json")


@pytest.fixture
def nets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)
    return "nets.py:make"


def test_a_function_of_one_s_own_is_trained_and_everything_works_on_it(seethrough, shapes, nets):
    said = seethrough("train", shapes, "--model", nets, *ASKED)
    run = open_run(said.json["run"])
    assert run.manifest.network.name == "nets:make"
    photo = next(shapes.rglob("*.png"))
    assert seethrough("predict", "last", photo, "--json").json[0]["label"] in run.classifier.classes
    layers = {
        layer["name"] for layer in seethrough("explain", "last", photo, "--json").json["layers"]
    }
    assert {"normalise", "network.first", "network.concat", "network.head"} <= layers
    cell = ("--layer", "network.second", "--unit", "2", "--at", "3,4", "--json")
    equation = seethrough("explain", "last", photo, *cell).json
    assert len(equation["terms"]) == 54
    assert equation["adds_up"]
    verified = seethrough("verify", "last", "--json")
    assert verified.code == 0
    assert verified.json["unknown"] == []
    assert seethrough("evaluate", "last", "--json").json["images"] == 12


def test_stopped_and_resumed_with_its_code_named_again_it_ends_the_same(
    seethrough, shapes, nets, tmp_path
):
    whole = seethrough("train", shapes, "--model", nets, *ASKED).json["weights_sha256"]
    runs_dir = tmp_path / "stopped"
    with ctrl_c_at_a_step(lambda: logged(runs_dir, '"kind": "epoch", "epoch": 1')):
        seethrough("train", shapes, "--model", nets, *ASKED, "--runs-dir", runs_dir)
    words = ("--resume", "last", "--runs-dir", runs_dir, "--model", nets, "--json")
    assert seethrough("train", *words).json["weights_sha256"] == whole


def test_an_installed_module_is_named_without_its_path(seethrough, shapes, tmp_path, monkeypatch):
    package = tmp_path / "seethrough_test_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "nets.py").write_text(NETS)
    monkeypatch.syspath_prepend(tmp_path)
    reference = "seethrough_test_package.nets:make"
    said = seethrough("train", shapes, "--model", reference, *ASKED, "--epochs", "1")
    assert open_run(said.json["run"]).manifest.network.text == reference
    assert seethrough("evaluate", "last").code == 0
    del sys.modules["seethrough_test_package.nets"], sys.modules["seethrough_test_package"]


def test_a_ready_network_that_branches_is_trained_explained_and_verified(
    seethrough, shapes, tmp_path
):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("epochs = 1\nbatch = 24\npeak_lr = 0.01\nshift_px = 1\n")
    words = ("--model", "resnet-18", "--image-px", "12", "--recipe", recipe, "--json")
    run = open_run(seethrough("train", shapes, *words).json["run"])
    assert sum(size.parameters for size in run.sizes) == 11_173_962 - 7 * 513
    photo = next(shapes.rglob("*.png"))
    cell = ("--layer", "stage2.0.add", "--unit", "0", "--at", "1,1", "--json")
    assert seethrough("explain", run.id, photo, *cell).json["kind"] == "add"
    assert seethrough("verify", run.id, "--cells", "24", "--json").json["forward_worst"] < 1e-5


@pytest.mark.parametrize(
    ("model", "remark"),
    [
        ("missing.py:make", r"missing\.py cannot be read"),
        ("nets.py:nothing", "has no function 'nothing'"),
        ("no_such_package.nets:make", "There is no module 'no_such_package'"),
    ],
)
def test_what_cannot_be_imported_is_said_in_three_lines(seethrough, shapes, nets, model, remark):
    said = seethrough("train", shapes, "--model", model, *ASKED)
    assert said.code == 2
    assert re.search(remark, said.err)
    assert "Traceback" not in said.err


def test_a_resume_takes_no_other_network(seethrough, trained):
    words = ("--resume", trained.id, "--runs-dir", trained.runs_dir, "--model", "resnet-18")
    said = seethrough("train", *words)
    assert said.code == 2
    assert "Leave the others out" in said.err
