"""Beginning with weights that others published: what is taken, what begins anew, what is noted."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from tests.model.hub.tiny import CLASSES, MEAN, STD, cached, network, saved
from tests.train.tinted import tinted

from seethrough.errors import CheckpointError, RunError, SpecError
from seethrough.explain.trace import trace
from seethrough.runs import creation, manifest
from seethrough.runs.again import again
from seethrough.runs.folder import open_run
from seethrough.runs.pretrained import published, source, told
from seethrough.runs.record import record, train
from seethrough.runs.start import pace_of
from seethrough.runs.store import list_runs
from seethrough.train.recipe import Recipe

from .conftest import PLACE

RECIPE = Recipe(epochs=3, batch=16, peak_lr=0.01, shift_px=0, seed=5, weight_decay=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A published ResNet of five classes, for photos of 24 px."""
    return saved(tmp_path_factory.mktemp("published") / "resnet", network("resnet"))


@pytest.fixture(scope="module")
def photos():
    """40 photos of 24 px to learn from, of three other classes."""
    return tinted(40, 9, image_px=24)


@pytest.fixture
def begin(folder, photos, tmp_path):
    def begin(**changes):
        begun = published(f"hf:{folder}")
        recipe = dataclasses.replace(RECIPE, **changes)
        return creation.create(
            photos, begun.buildable(), recipe, runs_dir=tmp_path / "runs", place=PLACE, start=begun
        )

    return begin


def _record(run, photos, stop_after=None):
    lines = []

    def should_stop():
        taken = sum(line["kind"] == "step" for line in lines)
        return stop_after is not None and taken >= stop_after

    for line in record(run, dataset=photos, place=PLACE, should_stop=should_stop):
        lines.append(line)
    return lines


def test_the_manifest_says_where_the_weights_are_from_and_what_they_expect(begin, folder):
    run = open_run(begin().folder)
    facts, start = run.manifest.network, run.manifest.start
    assert (facts.kind, facts.text, facts.name, facts.image_px) == (
        "hf",
        f"hf:{folder}",
        "resnet",
        24,
    )
    assert json.loads(facts.source)["hidden_sizes"] == [8, 16]
    assert start.run == f"hf:{folder}"
    assert start.head == ("network.classifier.1.weight", "network.classifier.1.bias")
    known = start.published
    assert (known.revision, known.licence) == (None, "apache-2.0")
    assert (list(known.mean), list(known.std)) == (MEAN, STD)
    assert "transformers" in run.manifest.environment
    assert manifest.read(run.folder) == run.manifest


def test_a_cached_revision_is_recorded_and_shown(tmp_path, monkeypatch, photos):
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "home" / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    place = cached(tmp_path / "home", "some/resnet", network("resnet"), licence="mit")
    begun = source("hf:some/resnet", tmp_path)
    run = creation.create(
        photos, begun.buildable(), RECIPE, runs_dir=tmp_path / "runs", place=PLACE, start=begun
    )
    commit = place.name
    assert run.manifest.network.text == f"hf:some/resnet@{commit}"
    assert run.manifest.start.published.revision == commit
    (summary,) = list_runs(tmp_path / "runs")
    assert (summary.start, summary.licence) == (f"hf:some/resnet@{commit}", "mit")
    (sentence,) = told(begun)
    for words in ("hf:some/resnet", commit[:12], "licence mit", "0.485", "0.224"):
        assert words in sentence


def test_the_head_alone_learns_first_and_the_body_begins_with_the_published_weights(begin, photos):
    run = begin()
    _record(run, photos, stop_after=1)
    published_state = dict(network("resnet").state_dict())
    state = run.classifier.module.state_dict()
    kept = [name for name in published_state if "running" not in name and "tracked" not in name]
    for name in kept:
        if not name.startswith("classifier"):
            assert torch.equal(state[f"network.{name}"], published_state[name]), name
    assert state["network.classifier.1.weight"].shape == (3, 16)
    pace = pace_of(run.classifier.module, run.manifest.start, RECIPE)
    shares = list(pace.in_epoch(2).values())
    assert (shares[0], shares[-1]) == (pytest.approx(0.1), 1.0)
    assert shares == sorted(shares)
    assert set(pace.in_epoch(1).values()) == {0.0, 1.0}


def test_a_photo_is_standardised_by_the_published_numbers_and_the_trace_shows_it(begin, photos):
    run = begin()
    _record(run, photos, stop_after=1)
    photo = photos.images[0]
    seen = trace(run.classifier.module, photo)
    wanted = (photo / 255 - np.array(MEAN)) / np.array(STD)
    shown = seen.layer("normalise").output
    np.testing.assert_allclose(np.moveaxis(shown, 0, -1), wanted, atol=1e-6)
    equation = seen.equation("normalise", unit=1, row=2, column=3)
    assert equation.activation == pytest.approx(wanted[2, 3, 1], abs=1e-6)


def test_it_opens_again_without_the_published_files_and_ends_the_same(
    begin, photos, folder, tmp_path
):
    undisturbed = _record(begin(), photos)[-1]["weights_sha256"]
    parts = begin()
    _record(parts, photos, stop_after=2)
    hidden = tmp_path / "hidden"
    shutil.move(folder, hidden)
    try:
        assert _record(open_run(parts.folder), photos)[-1]["weights_sha256"] == undisturbed
        opened = open_run(parts.folder)
        assert opened.classifier.image_px == 24
        assert sum(size.parameters for size in opened.sizes) == sum(
            each.numel() for each in opened.classifier.module.parameters()
        )
        new = again(opened, {"seed": 6}, dataset=photos, runs_dir=tmp_path / "runs")
        assert new.manifest.start == dataclasses.replace(opened.manifest.start)
        assert _record(new, photos)[-1]["state"] == "finished"
    finally:
        shutil.move(hidden, folder)


def test_one_can_begin_with_a_run_that_began_so(begin, photos, tmp_path):
    first = begin()
    _record(first, photos, stop_after=1)
    second = train(
        photos,
        start=first,
        recipe=dataclasses.replace(RECIPE, epochs=1),
        runs_dir=tmp_path / "runs",
    )
    start = second.manifest.start
    assert (start.run, start.published, start.head) == (first.id, None, ())
    assert second.manifest.network.kind == "hf"


def test_with_the_published_classes_the_published_head_is_kept(folder, photos, tmp_path):
    five = dataclasses.replace(tinted(40, 10, image_px=24), classes=CLASSES)
    run = train(
        five,
        start=f"hf:{folder}",
        recipe=dataclasses.replace(RECIPE, epochs=1),
        runs_dir=tmp_path / "runs",
        place=PLACE,
    )
    assert run.manifest.start.head == ()
    notes = [line["text"] for _, line in run.log() if line["kind"] == "note"]
    assert any("licence apache-2.0" in note for note in notes)


def test_another_image_size_is_taken_where_it_is_asked_for(folder, photos):
    assert published(f"hf:{folder}").network.image_px == 24
    assert published(f"hf:{folder}", image_px=40).network.image_px == 40


def test_a_run_whose_text_was_changed_by_hand_cannot_name_code(begin, photos):
    run = begin()
    _record(run, photos, stop_after=1)
    path = run.folder / manifest.FILE
    stored = json.loads(path.read_bytes())
    for text in ('{"family": "os"}', '{"model_type": "resnet"}', "print(1)"):
        stored["network"]["source"] = text
        path.write_text(json.dumps(stored))
        with pytest.raises(SpecError, match="configuration cannot be read"):
            _ = open_run(run.folder).classifier
    stored["network"]["source"] = json.dumps({"family": "resnet", "depths": [1, 1]})
    path.write_text(json.dumps(stored))
    with pytest.raises((SpecError, CheckpointError)):
        _ = open_run(run.folder).classifier


def test_whitening_does_not_go_with_published_weights(begin, photos):
    from seethrough.errors import RecipeError

    with pytest.raises(RecipeError, match="does not go with the weights of hf:"):
        begin(whiten=True)


def test_a_name_without_its_prefix_is_still_a_run(tmp_path):
    with pytest.raises(RunError, match="no run"):
        source("some/resnet", tmp_path)
