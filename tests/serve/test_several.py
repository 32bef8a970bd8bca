"""A run of several labels over HTTP: nothing of it is told as if a photo had one class."""

from urllib.parse import quote

import numpy as np
import pytest
from tests.serve.conftest import OWN_PAGE, PORT, TOKEN, Client
from tests.train.shapes import LABELS, PX, written

from seethrough.data.dataset import Split
from seethrough.data.load import load
from seethrough.runs.record import train
from seethrough.serve import wire
from seethrough.serve.app import create_app
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("several")


@pytest.fixture(scope="module")
def photos(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(place / "cache"))
        yield load(place / "photos", labels=written(place, 64), image_px=PX)


@pytest.fixture(scope="module")
def run(photos, place):
    return train(
        photos,
        network="conv 4 k3, norm, relu, maxpool 4, flatten, dense",
        recipe=Recipe(epochs=2, batch=16, peak_lr=0.05, shift_px=1),
        runs_dir=place / "runs",
        place=Place(threads=1),
    )


@pytest.fixture(scope="module")
def asking(run, place, portal):
    app = create_app(place / "runs", token=TOKEN, port=PORT)
    client = Client(app, portal, OWN_PAGE)

    def ask(address, **given):
        return client.get(f"/api/runs/{run.id}{address}", **given)

    return ask


def test_the_run_says_what_it_is(asking, photos):
    detail = wire.RunDetail.model_validate(asking("").json())
    assert detail.summary.several
    assert detail.dataset.is_several
    assert detail.dataset.labels == photos.labels_file
    assert detail.dataset.images == [len(photos.indices(split)) for split in Split]
    assert detail.layers[-1].kind == "sigmoid"


def test_the_report_is_that_of_several_labels(asking, run):
    report = wire.SeveralReportMessage.model_validate(asking("/report").json())
    assert [score.label for score in report.per_label] == list(LABELS)
    assert report.model_dump() == run.report.to_dict()


def test_photos_are_listed_with_their_labels_and_found_by_one(asking, run, photos):
    test = photos.indices(Split.TEST)
    listed = wire.PhotoList.model_validate(asking("/photos").json())
    assert listed.total == len(test)
    said = dict(zip(run.predictions.index, run.predictions.probabilities, strict=True))
    for photo in listed.photos:
        number = int(photo.id[1:])
        assert photo.labels == list(photos.shown(number))
        assert photo.label == (", ".join(photo.labels) or "no label")
        named = [name for name, p in zip(LABELS, said[number], strict=True) if p >= 0.5]
        assert photo.predicted == (", ".join(named) or "no label")
        sure = min(max(p, 1 - p) for p in said[number])
        assert photo.probability == pytest.approx(sure, abs=1e-6)
    for place, name in enumerate(LABELS):
        own = wire.PhotoList.model_validate(asking("/photos", params={"label": name}).json())
        assert own.total == int(photos.labels[test, place].sum())
        told = wire.PhotoList.model_validate(asking("/photos", params={"predicted": name}).json())
        assert told.total == sum(row[place] >= 0.5 for row in said.values())
    for order in ("sure", "unsure", "mixed"):
        ordered = wire.PhotoList.model_validate(asking("/photos", params={"order": order}).json())
        assert {photo.id for photo in ordered.photos} == {photo.id for photo in listed.photos}


def test_a_trace_has_a_probability_for_each_label_and_the_loss_of_all(asking, photos):
    number = int(photos.indices(Split.TEST)[0])
    at = f"/photos/t{number}"
    trace = wire.TraceMessage.model_validate(asking(f"{at}/trace").json())
    assert trace.is_several
    assert trace.layers[-1].kind == "sigmoid"
    logits, truth = np.array(trace.logits), photos.labels[number]
    shares = 1 / (1 + np.exp(-logits))
    assert trace.probabilities == pytest.approx(shares, abs=1e-6)
    wanted = -np.mean(np.log(np.where(truth == 1, shares, 1 - shares)))
    assert trace.loss == pytest.approx(wanted, rel=1e-6)
    asked = {"layer": "sigmoid", "unit": 1}
    equation = wire.EquationMessage.model_validate(asking(f"{at}/equation", params=asked).json())
    assert equation.adds_up
    assert equation.kind == "sigmoid"


@pytest.mark.parametrize("asked", ["", "|", "green bar", "red square|blue disc"])
def test_a_way_back_and_a_step_begin_at_all_labels_that_are_named(asking, run, photos, asked):
    number = int(photos.indices(Split.TEST)[0])
    image = np.array(photos.images[number])
    names = photos.shown(number) if not asked else [each for each in asked.split("|") if each]
    query = f"?label={quote(asked)}" if asked else ""
    back = asking(f"/photos/t{number}/backward{query}").json()
    expected = run.classifier.backward(image, names)
    assert back["loss"] == pytest.approx(expected.loss, rel=1e-6)
    assert back["label"] == (asked or "|".join(names) or "|")
    step = asking(f"/photos/t{number}/learning-step{query}").json()
    assert step["loss"] == pytest.approx(expected.loss, rel=1e-6)
    assert step["loss_after"] != step["loss"]
    index = "index=0&index=0&index=0&index=0"
    check = asking(
        f"/photos/t{number}/gradient-check?name=conv1.weight&{index}{query.replace('?', '&')}"
    ).json()
    gradient = expected.parameters["conv1"]["weight"][0, 0, 0, 0]
    assert check["gradient"] == pytest.approx(float(gradient), abs=1e-6)


@pytest.mark.parametrize(
    "address",
    [
        "/photos/{photo}/learning-step?batch=run",
        "/photos/{photo}/moments",
        "/moments/timeline",
        "/compare/{run}",
        "/compare/{run}/matching",
    ],
)
def test_what_tells_of_one_class_is_refused_in_words(asking, run, photos, address):
    number = int(photos.indices(Split.TEST)[0])
    answer = asking(address.format(photo=f"t{number}", run=run.id))
    assert answer.status_code in {404, 409}, answer.text
    refused = wire.ErrorMessage.model_validate(answer.json())
    assert "several labels a photo" in refused.what
    assert refused.fix
