"""edited.py: what was tried on a photo, kept as a run that says the same of every photo."""

import dataclasses

import numpy as np
import pytest

from seethrough.data.alter import Alteration
from seethrough.data.dataset import Split
from seethrough.data.load import load
from seethrough.errors import LayerError, RunError
from seethrough.explain.what_if import Change
from seethrough.model.checkpoint import weights_sha256
from seethrough.runs.creation import create
from seethrough.runs.edited import edited
from seethrough.runs.folder import open_run, run_ids
from seethrough.runs.record import record, train
from seethrough.runs.settings import differing
from seethrough.train.place import Place

PLACE = Place(threads=1)
WEIGHT = {("conv1.weight", (1, 0, 2, 2)): 0.75}


@pytest.fixture
def learned(make_run, go):
    """A finished run: conv 4 k3 p1, norm, relu, maxpool 3, flatten, dense."""
    run = make_run()
    go(run)
    return run


def judged(run, photos):
    return list(record(run, dataset=photos, place=PLACE))


def tried(run, photos, change):
    """Probabilities of every test photo, as trying the change on each of them gives them."""
    index = photos.indices(Split.TEST)
    answers = [run.classifier.what_if(photos.images[i], change) for i in index]
    return np.array([answer.probabilities_after for answer in answers])


@pytest.mark.parametrize(
    "change",
    [
        Change(weights=WEIGHT),
        Change(off=(("conv1", 2),)),
        Change(off=(("norm1", 0),)),
        Change(off=(("relu1", 3), ("relu1", 1))),
        Change(off=(("pool1", 1),)),
        Change(functions={"relu1": "gelu"}),
        Change(weights=WEIGHT, off=(("relu1", 1),), functions={"relu1": "tanh"}),
    ],
    ids=["weight", "conv", "norm", "relu", "pool", "function", "all"],
)
def test_it_says_of_every_test_photo_what_trying_the_change_said(learned, photos, change):
    made = edited(learned, change, dataset=photos)
    lines = judged(made, photos)
    assert made.summary.is_finished
    assert lines[-1]["test_accuracy"] == made.report.accuracy == made.summary.test_accuracy
    np.testing.assert_allclose(
        made.predictions.probabilities, tried(learned, photos, change), atol=1e-6
    )
    assert not np.array_equal(made.predictions.probabilities, learned.predictions.probabilities)


def test_only_what_was_changed_differs_and_the_other_run_stays_as_it_was(learned, photos):
    files = {path: path.read_bytes() for path in learned.folder.rglob("*") if path.is_file()}
    made = edited(learned, Change(weights=WEIGHT, off=(("conv1", 2),)), dataset=photos)
    judged(made, photos)
    assert {path: path.read_bytes() for path in files} == files
    before = learned.classifier.module.state_dict()
    after = made.classifier.module.state_dict()
    wanted = {name: tensor.clone() for name, tensor in before.items()}
    wanted["conv1.weight"][1, 0, 2, 2] = 0.75
    wanted["conv1.weight"][2] = 0
    assert wanted.keys() == after.keys()
    assert all(wanted[name].equal(after[name]) for name in wanted)


def test_the_run_tells_what_was_changed_in_which_network(learned, photos):
    change = Change(weights=WEIGHT, off=(("relu1", 3),), functions={"relu1": "gelu"})
    made = edited(learned, change, dataset=photos)
    told = [line["text"] for line in judged(made, photos) if line["kind"] == "note"]
    old = learned.classifier.module.get_parameter("conv1.weight")[1, 0, 2, 2].item()
    assert told == [
        f"Changed by hand: the network of {learned.id}.",
        f"conv1.weight[1, 0, 2, 2]: {old:.6g} → 0.75",
        "unit 3 of relu1 switched off",
        "relu1: relu → gelu",
    ]
    stored = open_run(made.id, made.folder.parent).manifest
    assert stored == made.manifest
    assert stored.edited.run == learned.id
    assert (made.summary.edited, made.summary.start, made.summary.licence) == (
        True,
        learned.id,
        None,
    )
    assert stored.edited.weights_sha256 == weights_sha256(learned.classifier.module)
    assert stored.network.text == "conv 4 k3 p1, norm, gelu, maxpool 3, flatten, dense"
    named = {(each.subject, each.name) for each in differing(learned.manifest, stored)}
    assert named == {("network", "network"), ("network", "changed by hand")}


def test_a_photo_and_a_temperature_are_no_part_of_a_network(learned, photos):
    about = {"photo": Alteration(brightness=40.0), "temperature": 2.0}
    with pytest.raises(RunError, match="Nothing of the network was changed"):
        edited(learned, Change(**about), dataset=photos)
    made = edited(learned, Change(weights=WEIGHT, **about), dataset=photos)
    alone = edited(learned, Change(weights=WEIGHT), dataset=photos)
    for run in (made, alone):
        judged(run, photos)
    assert np.array_equal(made.predictions.probabilities, alone.predictions.probabilities)


def test_the_network_of_a_moment_can_be_changed(learned, photos):
    step = learned.moments[0].step
    made = edited(learned, Change(weights=WEIGHT), step=step, dataset=photos)
    told = [line["text"] for line in judged(made, photos) if line["kind"] == "note"]
    assert told[0] == f"Changed by hand: the network of {learned.id} after step {step}."
    own = made.classifier.module.get_parameter("dense1.weight")
    assert own.equal(learned.classifier_at(step).module.get_parameter("dense1.weight"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Change(off=(("relu1", 1),), functions={"relu1": "sigmoid"}), "relu1 (sigmoid) has none"),
        (Change(off=(("flatten", 1),)), "flatten"),
    ],
)
def test_what_weights_cannot_say_is_refused_and_no_folder_is_left(learned, photos, change, why):
    runs = sorted(learned.folder.parent.iterdir())
    with pytest.raises(LayerError, match="cannot be") as refused:
        edited(learned, change, dataset=photos)
    assert why in str(refused.value) + refused.value.why
    assert sorted(learned.folder.parent.iterdir()) == runs


def test_it_is_judged_again_where_its_results_are_lost_and_never_trained(learned, photos):
    made = edited(learned, Change(weights=WEIGHT), dataset=photos)
    judged(made, photos)
    before = made.predictions.probabilities
    for name in ("weights.safetensors", "predictions.safetensors", "report.json"):
        (made.folder / name).unlink()
    lines = judged(made, photos)
    assert {line["kind"] for line in lines} == {"note", "end"}
    assert np.array_equal(made.predictions.probabilities, before)
    with pytest.raises(RunError, match="is finished"):
        judged(made, photos)


def test_a_stop_while_it_is_judged_leaves_it_to_be_judged_later(learned, photos):
    made = edited(learned, Change(weights=WEIGHT), dataset=photos)
    assert made.summary.state == "waiting"
    *_, end = record(made, dataset=photos, place=PLACE, should_stop=lambda: True)
    assert end["state"] == "stopped"
    judged(made, photos)
    assert made.summary.is_finished


def test_a_training_can_begin_with_it(learned, photos):
    made = edited(learned, Change(off=(("conv1", 0),)), dataset=photos)
    judged(made, photos)
    recipe = dataclasses.replace(learned.manifest.recipe, epochs=1)
    begun = create(
        photos, made.network, recipe, runs_dir=made.folder.parent, place=PLACE, start=made
    )
    assert begun.manifest.start.weights_sha256 == weights_sha256(made.classifier.module)


def test_a_run_does_all_of_it_at_once(photo_folder, tmp_path, learned):
    run = train(
        load(photo_folder, image_px=12),
        network=learned.network,
        recipe=dataclasses.replace(learned.manifest.recipe, epochs=1),
        runs_dir=tmp_path / "others",
        place=PLACE,
    )
    made = run.edited(Change(off=(("norm1", 1),)))
    assert made.summary.is_finished
    assert run_ids(tmp_path / "others") == sorted([run.id, made.id])
