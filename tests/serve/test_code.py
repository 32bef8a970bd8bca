"""Runs of networks that are code, over HTTP: looked through like others, never imported unasked."""

import shutil
import sys

import pytest

from seethrough.runs.record import train
from seethrough.serve.app import create_app
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

from .conftest import OWN_PAGE, PORT, TOKEN, Client

NETS = """
from pathlib import Path
import torch
from torch import nn

Path(__file__).with_suffix(".imported").touch()

class Skip(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, num_classes)

    def forward(self, x):
        x = torch.relu(self.first(x))
        return self.head((x + torch.relu(self.second(x))).mean((2, 3)))
"""


@pytest.fixture
def nets(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    return path


@pytest.fixture
def run(nets, trained, tmp_path):
    return train(
        trained.photos,
        network=f"{nets}:Skip",
        recipe=Recipe(epochs=1, batch=8, seed=3),
        runs_dir=tmp_path / "coded",
        place=Place(threads=1),
    )


def _client(runs_dir, portal):
    return Client(create_app(runs_dir, token=TOKEN, port=PORT), portal, OWN_PAGE)


def test_its_layers_come_from_the_manifest_and_are_those_of_the_trace(run, portal):
    client = _client(run.folder.parent, portal)
    detail = client.get(f"/api/runs/{run.id}").json()
    assert detail["network_text"].endswith("nets.py:Skip")
    assert detail["parameters"] == (27 * 4 + 4) + (36 * 4 + 4) + (4 * 2 + 2)
    trace = client.get(f"/api/runs/{run.id}/photos/t3/trace").json()
    names = [layer["name"] for layer in trace["layers"]]
    assert [layer["name"] for layer in detail["layers"]] == names
    assert "network.add" in names
    asked = "layer=network.second&unit=2&row=3&column=4"
    equation = client.get(f"/api/runs/{run.id}/photos/t3/equation?{asked}").json()
    assert len(equation["terms"]) == 36
    assert equation["adds_up"]


def test_a_folder_from_elsewhere_is_listed_and_its_code_is_not_imported(
    run, nets, portal, tmp_path, monkeypatch
):
    received = tmp_path / "received"
    shutil.copytree(run.folder, received / run.id)
    monkeypatch.setenv("SEETHROUGH_CONFIG", str(tmp_path / "another-user"))
    nets.with_suffix(".imported").unlink()
    for name in [name for name in sys.modules if name.startswith("_seethrough_nets")]:
        monkeypatch.delitem(sys.modules, name)
    client = _client(received, portal)
    assert [each["id"] for each in client.get("/api/runs").json()] == [run.id]
    assert client.get(f"/api/runs/{run.id}").status_code == 200
    refused = client.get(f"/api/runs/{run.id}/photos/t3/trace")
    assert 400 <= refused.status_code < 500
    assert "made by code that you have not named here" in refused.json()["what"]
    assert not nets.with_suffix(".imported").exists()
