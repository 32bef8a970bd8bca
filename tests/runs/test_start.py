"""Beginning with another run's weights: which of them, who learns when, and bit for bit again."""

import dataclasses
import shutil

import pytest
import torch
from tests.train.tinted import tinted

from seethrough.errors import RunError
from seethrough.model.build import build
from seethrough.model.presets import asked_for, preset
from seethrough.model.spec import parse
from seethrough.runs import creation, results
from seethrough.runs.checkpoints import newest
from seethrough.runs.folder import open_run
from seethrough.runs.record import record
from seethrough.runs.start import head_of, pace_of
from seethrough.runs.store import list_runs
from seethrough.train.recipe import Recipe

from .conftest import PLACE

RECIPE = Recipe(epochs=5, batch=16, peak_lr=0.05, shift_px=1, seed=9)


@pytest.fixture
def others():
    """Other photos, of two of the colours."""
    photos = tinted(30, 6, seed=1)
    keep = photos.labels < 2
    return dataclasses.replace(
        photos,
        classes=photos.classes[:2],
        fingerprint="1" * 64,
        **{
            name: getattr(photos, name)[keep]
            for name in ("images", "labels", "splits", "ids", "sizes")
        },
        paths=tuple(path for path, is_kept in zip(photos.paths, keep, strict=True) if is_kept),
    )


@pytest.fixture
def begin(finished, others):
    def begin(recipe=RECIPE, photos=others):
        spec = finished.network
        return creation.create(photos, spec, recipe, place=PLACE, start=finished)

    return begin


def _record(run, photos, stop_after=None):
    lines = []

    def should_stop():
        taken = sum(line["kind"] == "step" for line in lines)
        return stop_after is not None and taken >= stop_after

    for line in record(run, dataset=photos, place=PLACE, should_stop=should_stop):
        lines.append(line)
    return lines


def test_the_manifest_says_whose_weights_they_are_and_which_begin_anew(begin, finished):
    start = open_run(begin().id).manifest.start
    assert start.run == finished.id
    assert start.weights_sha256 == [line for _, line in finished.log()][-1]["weights_sha256"]
    assert start.head == ("dense1.weight", "dense1.bias")
    assert (start.first_share, start.smallest) == (0.2, 0.1)
    (summary,) = [each for each in list_runs(finished.folder.parent) if each.start is not None]
    assert (summary.start, summary.licence) == (finished.id, None)


def test_it_begins_with_all_learned_weights_but_the_head(begin, finished, others):
    run = begin()
    learned = finished.classifier.module.state_dict()
    _record(run, others, stop_after=1)
    untrained = build(
        finished.network, num_classes=2, mean=(0.0,) * 3, std=(1.0,) * 3, seed=RECIPE.seed
    ).state_dict()
    state = newest(run.folder).state.tensors
    # One step of the first epoch: the head alone has moved, and running statistics.
    for name, tensor in learned.items():
        if "running" not in name and "batches" not in name and "dense1" not in name:
            assert torch.equal(state[f"weights.{name}"], tensor), name
    moved = (state["weights.dense1.weight"] - untrained["dense1.weight"]).abs().max()
    assert 0 < moved < 0.1
    assert state["weights.dense1.weight"].shape == (2, 64)


def test_after_the_first_epochs_all_layers_learn_the_first_one_least(begin, finished, others):
    run = begin(dataclasses.replace(RECIPE, weight_decay=0.0))
    learned = finished.classifier.module.state_dict()
    _record(run, others)
    state = run.classifier.module.state_dict()
    assert not torch.equal(state["conv1.weight"], learned["conv1.weight"])
    pace = pace_of(run.classifier.module, run.manifest.start, RECIPE)
    assert pace.in_epoch(1) == {name: float(name.startswith("dense1")) for name in pace.shares}
    assert pace.in_epoch(2) == pace.shares
    assert [pace.shares[f"{name}.weight"] for name in ("conv1", "norm1", "dense1")] == [
        pytest.approx(0.1),
        pytest.approx(0.1**0.5),
        1.0,
    ]


@pytest.mark.parametrize("stop_after", [1, 3])
def test_stopped_and_resumed_without_the_other_run_it_ends_the_same(
    begin, finished, others, stop_after
):
    whole, parts, untouched = begin(), begin(), begin()
    undisturbed = _record(whole, others)[-1]["weights_sha256"]
    _record(parts, others, stop_after=stop_after)
    shutil.rmtree(finished.folder)
    assert _record(open_run(parts.id), others)[-1]["weights_sha256"] == undisturbed
    assert _record(open_run(untouched.id), others)[-1]["weights_sha256"] == undisturbed


def test_with_the_same_classes_the_head_is_kept_and_everything_learns_at_once(
    begin, finished, photos
):
    run = begin(photos=photos)
    assert run.manifest.start.head == ()
    assert run.manifest.start.first_share == 0
    first = next(line for line in _record(run, photos) if line["kind"] == "epoch")
    said = finished.summary.test_accuracy
    assert first["test_accuracy"] == said  # epoch 0: before any step


def test_classes_in_another_order_are_other_classes(begin, finished, photos):
    turned = dataclasses.replace(photos, classes=("green", "red", "blue"))
    assert begin(photos=turned).manifest.start.head == ("dense1.weight", "dense1.bias")


def test_another_network_is_refused_and_no_folder_is_left(finished, others, tmp_path):
    spec = parse("conv 5 k3, relu, flatten, dense", image_px=12)
    with pytest.raises(RunError, match="has another network") as caught:
        creation.create(others, spec, RECIPE, runs_dir=tmp_path / "new", start=finished)
    assert "conv 4 k3 p1" in caught.value.why
    assert not (tmp_path / "new").exists()


def test_a_run_without_weights_has_nothing_to_begin_with(make_run, others):
    run = make_run()
    with pytest.raises(RunError, match="has no weights yet"):
        creation.create(others, run.network, RECIPE, start=run)


@pytest.mark.parametrize(
    ("network", "head"),
    [
        ("resnet-18", {"dense.weight", "dense.bias"}),
        ("convnext-tiny", {"dense.weight", "dense.bias"}),
        ("unet-small", {"network.dense.weight", "network.dense.bias"}),
        ("cifar-small", {"dense.weight"}),
        ("conv 4, relu, flatten, dense 7, relu, dense", {"dense2.weight", "dense2.bias"}),
    ],
)
def test_the_head_is_what_answers_for_the_classes(network, head):
    assert set(head_of(asked_for(network, 32), 7)) == head


def test_a_network_whose_weights_do_not_tell_its_head_is_refused(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(
        "from torch import nn\n"
        "def make(num_classes):\n"
        "    layers = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 9)]\n"
        "    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(num_classes))\n"
    )
    with pytest.raises(RunError, match="does not show which layer answers for the classes"):
        head_of(asked_for(f"{path}:make", 12), 3)


def test_a_network_that_branches_begins_with_learned_weights_too(photos, others):
    recipe = dataclasses.replace(RECIPE, epochs=2)
    first = creation.create(photos, preset("unet-small", image_px=12), recipe, place=PLACE)
    _record(first, photos)
    second = creation.create(others, first.network, recipe, place=PLACE, start=first)
    assert _record(second, others)[-1]["state"] == "finished"
    assert results.classifier(second).classes == others.classes
