"""A network written as ONNX answers as before, for whoever computes it."""

import json

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

import seethrough as see
from seethrough.errors import CheckpointError, DataError
from seethrough.explain import verify

PHOTOS = np.random.default_rng(4).integers(256, size=(5, 16, 16, 3), dtype=np.uint8)
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    classifier = see.wrap(network(), classes=["a", "ü", "c"], image_px=16, mean=MEAN, std=STD)
    path = tmp_path_factory.mktemp("export") / "net.onnx"
    return classifier, path, classifier.export(path, images=PHOTOS)


def test_by_the_reference_it_answers_as_the_network_does(written):
    classifier, path, export = written
    pixels = PHOTOS.transpose(0, 3, 1, 2).astype(np.float32)
    found = ReferenceEvaluator(str(path)).run(None, {"pixels": pixels})[0]
    wanted = classifier.probabilities(PHOTOS)
    assert np.abs(found - wanted).max() < 1e-6
    assert export.largest_difference < 1e-6
    assert (export.path, export.images, export.size) == (path, 5, path.stat().st_size)


def test_the_file_says_what_it_needs(written):
    _, path, export = written
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(said["seethrough.classes"]) == ["a", "ü", "c"]
    assert (said["seethrough.image_px"], said["seethrough.input"]) == ("16", "pixels")
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == export.opset
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    assert [size.dim_value for size in sizes] == [0, 3, 16, 16]  # any number of photos


def test_it_comes_back_with_its_classes_and_can_be_looked_through(written):
    classifier, path, _ = written
    again = see.wrap(path)
    assert (again.classes, again.image_px) == (classifier.classes, 16)
    difference = again.probabilities(PHOTOS) - classifier.probabilities(PHOTOS)
    assert np.abs(difference).max() < 1e-6
    found = verify(again.module, PHOTOS, cells=40)
    assert found.forward_worst < 1e-5
    assert found.adds_up == 1
    with pytest.raises(see.SeethroughError, match="normalises by itself"):
        see.wrap(path, mean=MEAN, std=STD)


def test_a_file_that_exists_stays_as_it_is(written, tmp_path):
    classifier, _, _ = written
    path = tmp_path / "net.onnx"
    path.write_text("mine")
    with pytest.raises(DataError, match="exists already"):
        classifier.export(path)
    assert path.read_text() == "mine"


def test_a_folder_that_is_not_there_is_said(written, tmp_path):
    with pytest.raises(DataError, match="cannot be written") as caught:
        written[0].export(tmp_path / "nowhere" / "net.onnx")
    assert "No such file" in caught.value.why


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        means = x.mean((2, 3))
        return self.head(means) if means.sum() > 0 else self.head(means * 2)


def test_a_network_that_cannot_be_exported_leaves_nothing_behind(tmp_path):
    classifier = see.wrap(Branching(), classes=["a", "b"], image_px=8)
    with pytest.raises(CheckpointError, match="cannot be exported"):
        classifier.export(tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []
