"""Two runs compared: every count is counted once more by hand, from the runs' own predictions."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import seethrough as see
from seethrough.data.split import Split
from seethrough.runs.common import common
from seethrough.runs.comparison import compare
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

NETWORK = "conv 4 k3 s2 p1, norm, relu, conv 5 k3 s2 p1, relu, flatten, dense"
RECIPE = Recipe(epochs=2, batch=16, peak_lr=0.05, shift_px=1, seed=1)


def draw(folder, label, numbers):
    """Noisy pictures of 16 px; a name and a number always make the same file."""
    (folder / label).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        rng = np.random.default_rng([number, *label.encode()])
        pixels = rng.integers(0, 150, (16, 16, 3), dtype=np.uint8)
        pixels[..., ("red", "green", "blue").index(label)] += 60
        Image.fromarray(pixels).save(folder / label / f"{number:02}.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(folder / "cache"))
        yield folder


def trained(place, photos, recipe=RECIPE, network=NETWORK):
    return see.train(
        place / photos,
        network=network,
        recipe=recipe,
        runs_dir=place / "runs",
        place=Place(threads=1),
    )


@pytest.fixture(scope="module")
def runs(place):
    """The same photos; another seed and another peak."""
    for label in ("red", "green"):
        draw(place / "photos", label, range(20))
    other = dataclasses.replace(RECIPE, seed=2, peak_lr=0.02)
    return trained(place, "photos"), trained(place, "photos", other)


@pytest.fixture(scope="module")
def found(runs, place):
    return see.compare(runs[0].id, runs[1].id, runs_dir=place / "runs")


def test_photos_are_counted_and_listed_as_the_predictions_say(runs, found):
    told = [run.predictions for run in runs]
    answers = [each.probabilities.argmax(axis=1) for each in told]
    labels = told[0].labels
    right = [each == labels for each in answers]
    paired = found.paired
    assert paired.images == len(labels) > 0
    assert paired.both == int((right[0] & right[1]).sum())
    assert paired.only_first == int((right[0] & ~right[1]).sum())
    assert paired.only_second == int((~right[0] & right[1]).sum())
    assert paired.accuracy == tuple(run.report.accuracy for run in runs)
    apart = {f"t{told[0].index[row]}" for row in np.flatnonzero(answers[0] != answers[1])}
    assert {each.photo for each in found.disagreements} == apart
    assert apart, "two networks that agree about everything show nothing"
    counts = {"first": paired.only_first, "second": paired.only_second}
    for who, count in counts.items():
        assert sum(each.right == who for each in found.disagreements) == count
    gaps = [abs(each.second.of_label - each.first.of_label) for each in found.disagreements]
    assert gaps == sorted(gaps, reverse=True)


def test_exactly_what_was_told_differently_is_listed(found):
    assert [(one.subject, one.name, one.first, one.second) for one in found.settings] == [
        ("recipe", "peak_lr", 0.05, 0.02),
        ("recipe", "seed", 1, 2),
    ]


def test_the_cost_is_that_of_the_run(runs, found):
    for run, side in zip(runs, (found.first, found.second), strict=True):
        weights = run.classifier.module.parameters()
        assert side.cost.parameters == sum(each.numel() for each in weights)
        assert side.cost.train_images == len(run.dataset().indices(Split.TRAIN))
        assert side.cost.epochs == 2
        assert side.cost.train_seconds == run.summary.train_seconds


def test_two_moments_of_one_run_are_compared(runs):
    run = runs[0]
    began = compare(run, run, first_step=0)
    assert (began.first.step, began.second.step) == (0, None)
    assert all(layer.distance > 0.01 for layer in began.layers)
    assert began.settings == ()
    weights = [
        classifier.module.get_parameter("conv2.weight").detach().numpy()
        for classifier in (run.classifier_at(0), run.classifier)
    ]
    layer = next(layer for layer in began.layers if layer.first == "conv2")
    assert layer.largest == pytest.approx(float(abs(weights[1] - weights[0]).max()))
    with pytest.raises(see.SeethroughError, match="has no moment at step 1234"):
        compare(run, run, second_step=1234)


def test_a_run_beside_itself_at_its_last_moment_differs_in_nothing(runs):
    run = runs[0]
    same = compare(run, run, second_step=run.moments[-1].step)
    assert same.paired.difference == 0
    assert same.paired.p_value == 1
    assert same.disagreements == same.settings == same.alone == same.notes == ()
    assert [layer.distance for layer in same.layers] == [0, 0, 0]
    assert [layer.similarity for layer in same.layers] == pytest.approx([1, 1, 1])


def test_it_goes_through_json_unchanged(found):
    told = found.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["disagreements"][0]["right"] in {"first", "second", "neither"}


@pytest.fixture(scope="module")
def wider(place, runs):
    """Some of the same photos, a class more, another width and depth."""
    for label in ("red", "green"):
        draw(place / "more", label, range(15))
    draw(place / "more", "blue", range(12))
    return trained(
        place,
        "more",
        network="conv 6 k3 s2 p1, norm, relu, conv 5 k5 s2 p2, relu, conv 3 k1, flatten, dense",
    )


def test_other_photos_and_another_network_are_compared_as_far_as_they_go(runs, wider):
    first, second = runs[0].dataset(), wider.dataset()
    tests = [set(each.ids[each.indices(Split.TEST)].tolist()) for each in (first, second)]
    shared = common(first, second)
    assert set(first.ids[shared.first].tolist()) == tests[0] & tests[1]
    assert (first.ids[shared.first] == second.ids[shared.second]).all()
    found = compare(runs[0], wider)
    assert "Only the second knows blue." in found.notes
    assert any("learned from other photos" in note for note in found.notes)
    if len(shared.labels):
        assert found.paired.images == len(shared.labels)
    layers = {layer.first: layer for layer in found.layers}
    assert layers["conv1"].matched == 4
    assert "differ in size" in layers["conv2"].why
    assert {one.layer for one in found.alone} == {"conv3"}
    dense = layers["dense1"]
    assert (dense.units, dense.matched) == (2, 2)


def test_where_no_test_photo_is_shared_units_are_matched_all_the_same(runs, place):
    shutil.rmtree(place / "blue", ignore_errors=True)
    draw(place / "blue", "red", range(100, 120))
    draw(place / "blue", "green", range(100, 120))
    found = compare(runs[0], trained(place, "blue"))
    assert found.paired is None
    assert found.disagreements == ()
    assert "cannot be compared" in found.notes[-1]
    assert all(layer.similarity is not None for layer in found.layers)
    assert found.photos > 0
