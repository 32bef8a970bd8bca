"""A run of photos with several labels, from a CSV to its report, and what is refused of it."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image
from tests.train.shapes import LABELS, NETWORK, PX, written
from tests.train.small import digest
from torch.nn.functional import binary_cross_entropy_with_logits

from seethrough.data.dataset import Split
from seethrough.data.load import load
from seethrough.errors import DataError, LayerError, RunError
from seethrough.evaluate import SeveralReport
from seethrough.explain.reading import reads_true
from seethrough.explain.verify import difference_of, verify
from seethrough.explain.what_if import Change
from seethrough.model.spec import parse
from seethrough.predict.probabilities import Ending, probabilities
from seethrough.runs import manifest
from seethrough.runs.comparison import compare
from seethrough.runs.creation import create
from seethrough.runs.film import frames
from seethrough.runs.folder import open_run
from seethrough.runs.record import record
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

RECIPE = Recipe(epochs=8, batch=16, peak_lr=0.1, shift_px=1, flip=False, label_smoothing=0.0)


def going(run, photos, **options):
    return list(record(run, dataset=photos, place=Place(threads=1), **options))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("several")


@pytest.fixture(scope="module")
def photos(place):
    return load(place / "photos", labels=written(place, 320), image_px=PX)


@pytest.fixture(scope="module")
def run(photos, place):
    spec = parse(NETWORK, image_px=PX)
    made = create(photos, spec, RECIPE, runs_dir=place / "runs", place=Place(threads=1))
    going(made, photos)
    return open_run(made.folder)


def test_the_run_says_that_it_is_of_several_labels(run, photos):
    stored = json.loads((run.folder / "run.json").read_bytes())
    assert stored["schema"] == 3
    facts = run.manifest.dataset
    assert facts.is_several
    assert facts.labels == photos.labels_file
    sizes = [len(photos.indices(split)) for split in Split]
    assert [facts.num_images(split) for split in Split] == sizes
    for number, count in enumerate(facts.counts):
        own = photos.labels[:, number] == 1
        splits = photos.splits[own]
        assert [count.train, count.validation, count.test] == [(splits == s).sum() for s in Split]
    assert run.summary.several
    assert run.sizes[-1].kind == "sigmoid"
    assert len(set(run.manifest.watched)) == len(run.manifest.watched) == 8


def test_a_run_of_one_label_is_written_as_before(run):
    dataset = dataclasses.replace(run.manifest.dataset, labels=None, is_several=False, images=None)
    written_as = json.loads(dataclasses.replace(run.manifest, dataset=dataset).to_bytes())
    assert written_as["schema"] == 2
    assert not {"labels", "is_several", "images"} & set(written_as["dataset"])
    assert manifest.parsed(written_as, run.folder).dataset == dataset


def test_it_learned_and_its_report_says_of_each_label_how_well(run, photos):
    report = run.report
    assert isinstance(report, SeveralReport)
    assert report.accuracy > 0.9
    assert all((score.average_precision or 0) > 0.95 for score in report.per_label)
    test = photos.indices(Split.TEST)
    said = run.predictions
    assert np.array_equal(said.labels, photos.labels[test])
    right = ((said.probabilities >= 0.5) == (photos.labels[test] == 1)).all(axis=1)
    assert report.accuracy == right.mean() == run.summary.test_accuracy
    assert run.classifier.evaluate(photos).accuracy == report.accuracy


def test_the_photos_are_found_again_with_their_labels(run, photos):
    again = run.dataset()
    assert again.fingerprint == photos.fingerprint
    assert np.array_equal(again.labels, photos.labels)


def test_a_photo_is_said_to_show_each_label_of_a_half_and_more(run, photos, place):
    classifier = run.classifier
    assert classifier.ending is Ending.EACH_LABEL
    for number in (0, 1, 7):
        answer = classifier.predict(place / "photos" / photos.paths[number])
        said = [name for name, p in answer.probabilities.items() if p >= 0.5]
        assert answer.labels == tuple(said)
        assert answer.label == (", ".join(said) or "no label")
        sure = min(max(p, 1 - p) for p in answer.probabilities.values())
        assert answer.probability == pytest.approx(sure, abs=1e-6)
    answer = classifier.predict(place / "photos" / photos.paths[7])
    assert answer.labels == LABELS
    assert all(name in str(answer) for name in LABELS)
    assert answer.to_dict()["labels"] == list(LABELS)


def test_softmax_of_several_labels_cannot_be_asked_for(run, photos):
    with pytest.raises(AssertionError, match="never softmax"):
        probabilities(run.classifier.module, photos.images[:2])


def test_a_trace_ends_with_a_sigmoid_that_adds_up(run, photos):
    classifier = run.classifier
    image = np.array(photos.images[7])
    trace = classifier.trace(image)
    assert trace.layers[-1].kind == "sigmoid"
    assert "softmax" not in {layer.kind for layer in trace.layers}
    expected = 1 / (1 + np.exp(-trace.logits.astype(np.float64)))
    assert trace.probabilities == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(
        trace.probabilities, list(classifier.predict(image).probabilities.values())
    )
    equation = trace.equation("sigmoid", unit=1)
    assert equation.adds_up
    assert equation.activation == pytest.approx(float(trace.probabilities[1]), abs=1e-6)
    found = verify(classifier.module, photos.images[:2], cells=60)
    assert found.adds_up == 1
    assert found.forward_worst < 1e-5
    assert found.gradients >= 60
    assert found.backward_worst < 1e-5


def test_what_if_stays_with_the_sigmoid(run, photos):
    image = np.array(photos.images[7])
    found = run.classifier.what_if(image, Change(temperature=2.0))
    logits = found.after.logits.astype(np.float64)
    assert found.probabilities_after == pytest.approx(1 / (1 + np.exp(-logits / 2)), abs=1e-6)
    off = run.classifier.what_if(image, Change(off=(("dense1", 0),)))
    assert off.probabilities_after[0] == 0.5
    assert off.probabilities_after[1] == off.probabilities[1]
    bench = run.classifier.workbench(image)
    assert np.array_equal(
        bench.outcome(Change(off=(("dense1", 0),))).probabilities, off.probabilities_after
    )
    with pytest.raises(LayerError, match="sigmoid stays as it is"):
        run.classifier.what_if(image, Change(functions={"sigmoid": "relu"}))


def test_a_stop_in_the_middle_of_an_epoch_changes_nothing(run, photos, place):
    spec = parse(NETWORK, image_px=PX)
    other = create(photos, spec, RECIPE, runs_dir=place / "others", place=Place(threads=1))
    taken = 0

    def enough() -> bool:
        return taken >= 19

    for line in record(other, dataset=photos, place=Place(threads=1), should_stop=enough):
        taken += line["kind"] == "step"
    going(open_run(other.folder), photos)
    weights = [each.classifier.module.state_dict() for each in (run, open_run(other.folder))]
    assert digest(weights[0]) == digest(weights[1])


def test_a_moment_of_it_is_of_several_labels_too(run):
    first = run.classifier_at(run.moments[0].step)
    assert first.ending is Ending.EACH_LABEL


@pytest.mark.parametrize("labels", [(), (1,), (0, 2), (0, 1, 2)])
def test_the_way_back_begins_at_every_label(run, photos, labels):
    module, image = run.classifier.module, np.array(photos.images[7])
    back = run.classifier.backward(image, "|".join(LABELS[label] for label in labels))
    truth = torch.tensor([[float(label in labels) for label in range(3)]])
    pixels = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[None]
    own = module[:-1].eval()
    pixels.requires_grad_()
    loss = binary_cross_entropy_with_logits(own(pixels), truth)
    loss.backward()
    assert back.loss == pytest.approx(loss.item(), rel=1e-6)
    np.testing.assert_allclose(back.gradient("photo"), pixels.grad[0].numpy(), atol=1e-7)
    logits = back.slopes.logits
    for unit in range(3):
        equation = back.equation(logits, unit)
        wanted = (run.classifier.trace(image).probabilities[unit] - truth[0, unit]) / 3
        assert equation.framework == pytest.approx(float(wanted), abs=1e-7)
        assert reads_true(equation)
        assert difference_of(equation) < 1e-6
        assert "labels" in equation.formula
    assert reads_true(back.parameter_equation("conv1", "weight", 0, 0, 1, 1))
    assert "sigmoid" not in back.layers


def test_a_step_on_several_labels_makes_their_loss_smaller(run, photos):
    image, label = np.array(photos.images[7]), [LABELS[0], 2]
    step = run.classifier.learning_step(image, label, learning_rate=1e-3)
    assert step.loss_after < step.loss
    back = run.classifier.backward(image, (0, 2))
    assert step.loss == back.loss
    np.testing.assert_allclose(
        step.gradients["conv1.weight"], back.parameters["conv1"]["weight"], atol=1e-6
    )
    tried = run.classifier.gradient_check(image, label, "conv1.weight", 0, 0, 1, 1)
    assert tried.relative_difference < 1e-4


def test_labels_that_there_are_not_are_an_error(run, photos):
    with pytest.raises(DataError, match="There is no class 'boat'"):
        run.classifier.backward(np.array(photos.images[7]), "blue disc|boat")


def test_what_is_not_told_of_several_labels_is_refused_in_words(run, photos):
    image = np.array(photos.images[7])
    with pytest.raises(LayerError, match="An ONNX file is not told of several labels") as caught:
        run.classifier.export(run.folder / "network.onnx")
    assert caught.value.fix
    for ask in (
        run.timeline,
        run.continuation,
        lambda: compare(run, run),
        lambda: next(frames(run, image)),
        lambda: run.edited(Change(off=(("relu1", 0),))),
    ):
        with pytest.raises(RunError, match="has several labels a photo") as caught_run:
            ask()
        assert "seethrough evaluate" in caught_run.value.fix


def test_photos_whose_labels_are_said_otherwise_are_refused(run, tmp_path):
    for label in LABELS:
        for number in range(3):
            folder = tmp_path / "one" / label
            folder.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (PX, PX), (50 * number, 90, 20)).save(folder / f"{number}.png")
    with pytest.raises(DataError, match="one label a photo"):
        run.classifier.evaluate(load(tmp_path / "one", image_px=PX))


def test_a_run_of_a_csv_with_one_label_a_photo_is_ordinary_and_finds_its_photos_again(tmp_path):
    lines = ["file,label"]
    for number in range(12):
        label = ("cat", "dog")[number % 2]
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (PX, PX), (20 * number, 90, 20)).save(tmp_path / f"photos/{number}.png")
        lines.append(f"{number}.png,{label}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    photos = load(tmp_path / "photos", labels=tmp_path / "labels.csv", image_px=PX)
    made = create(photos, parse(NETWORK, image_px=PX), RECIPE, runs_dir=tmp_path / "runs")
    facts = open_run(made.folder).manifest.dataset
    assert (facts.labels, facts.is_several, facts.images) == (photos.labels_file, False, None)
    assert sum(facts.num_images(split) for split in Split) == 12
    assert made.sizes[-1].kind == "softmax"
    again = made.dataset()
    assert again.fingerprint == photos.fingerprint
    assert again.classes == ("cat", "dog")
    (tmp_path / "labels.csv").write_text("\n".join(lines).replace("3.png,dog", "3.png,cat"))
    with pytest.raises(RunError, match="are not those that"):
        made.dataset()
