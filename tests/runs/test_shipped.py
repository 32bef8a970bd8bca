"""shipped.py: the file is whole and small, it knows what it says, and one can begin with it."""

import dataclasses

import numpy as np
import pytest
import torch

from seethrough.data.dataset import Split
from seethrough.data.load import load
from seethrough.errors import CheckpointError, RunError
from seethrough.model.checkpoint import load_into
from seethrough.model.make import make
from seethrough.model.presets import preset
from seethrough.predict.probabilities import answers
from seethrough.runs import pretrained, shipped
from seethrough.runs.folder import open_run
from seethrough.runs.record import train
from seethrough.train.recipe import Recipe

from .conftest import PLACE

MOST = 6 * 1024 * 1024  # bytes


@pytest.fixture(scope="module")
def everyday():
    return load("everyday", image_px=32)


def test_the_shipped_file_is_small_and_says_how_it_was_made():
    file = next((shipped._FOLDER).glob("*.safetensors"))
    assert file.stem in shipped.SHIPPED
    assert file.stat().st_size <= MOST
    _, facts = shipped.read("cifar10")
    assert facts.name == "cifar10"
    assert facts.test_images == 10_000
    assert facts.test_accuracy_6_views >= facts.test_accuracy > 0.9
    assert facts.recipe.whiten
    assert facts.recipe.epochs <= 10


def test_it_names_photos_that_it_never_learned_from(everyday):
    tensors, facts = shipped.read("cifar10")
    module = shipped.shipped("cifar10").module()
    assert not module.training
    chosen = everyday.indices(Split.TEST)[::9]  # 200 of CIFAR-10's test photos, as JPEG
    said = answers(module, everyday.images[chosen]).argmax(axis=1)
    names = np.array(facts.classes)[said]
    labels = np.array(everyday.classes)[everyday.labels[chosen]]
    right = (names == labels).mean()
    # within four standard errors of what the file promises, on photos that JPEG changed a little
    spread = (facts.test_accuracy * (1 - facts.test_accuracy) / len(chosen)) ** 0.5
    assert abs(right - facts.test_accuracy) < 4 * spread
    assert all(tensor.dtype != torch.float16 for tensor in tensors.values())


def test_what_is_packed_comes_back_as_it_was_rounded():
    network = preset("demo")
    module = make(network, num_classes=3, mean=(0.5,) * 3, std=(0.25,) * 3, seed=1)
    tensors = shipped.rounded(module)
    worst = max(float((tensors[n] - t).abs().max()) for n, t in module.state_dict().items())
    assert 0 < worst < 1e-3  # half precision keeps 11 binary digits
    _, facts = shipped.read("cifar10")
    facts = dataclasses.replace(facts, network="demo", classes=("a", "b", "c"))
    back, told = shipped.unpack(shipped.pack(tensors, facts), name="a file")
    assert told == facts
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in tensors.items())
    load_into(module, back)


def test_a_changed_file_is_noticed():
    content = bytearray((shipped._FOLDER / "cifar10.safetensors").read_bytes())
    content[len(content) // 2] ^= 1
    with pytest.raises(CheckpointError, match="is damaged"):
        shipped.unpack(bytes(content), name="cifar10")


def test_a_run_begins_with_it_and_needs_it_no_more(everyday, monkeypatch, tmp_path):
    few = _first(everyday, 4)
    recipe = Recipe(epochs=6, batch=8, peak_lr=0.05, shift_px=1)
    run = train(few, recipe=recipe, start="cifar10", place=PLACE, runs_dir=tmp_path)
    begun = run.manifest.start
    assert (begun.run, begun.head) == ("cifar10", ("dense.weight",))
    assert run.manifest.network.name == "cifar-small"
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path / "none")  # a later version ships another
    assert open_run(run.id, tmp_path).classifier.classes == few.classes
    assert run.report.accuracy > 0.7  # of six classes, learned from four photos each


def test_a_name_that_is_neither_is_refused_as_a_run_that_is_not_there(tmp_path):
    with pytest.raises(RunError):
        pretrained.source("cifar-10", tmp_path)


def _first(photos, count):
    """The first training photos of each class, and ten test photos."""
    keep = np.zeros(len(photos.labels), bool)
    for label in range(len(photos.classes)):
        train_ones = photos.indices(Split.TRAIN)
        test_ones = photos.indices(Split.TEST)
        keep[train_ones[photos.labels[train_ones] == label][:count]] = True
        keep[test_ones[photos.labels[test_ones] == label][:10]] = True
    return dataclasses.replace(
        photos,
        **{
            name: getattr(photos, name)[keep]
            for name in ("images", "labels", "splits", "ids", "sizes")
        },
        paths=tuple(path for path, is_kept in zip(photos.paths, keep, strict=True) if is_kept),
    )
