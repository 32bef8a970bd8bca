"""A run's moments over HTTP: whole looks at a step, and what changed from moment to moment."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from seethrough.data.split import Split
from seethrough.model.checkpoint import weights_sha256
from seethrough.runs import past
from seethrough.runs.moments import MomentFile
from seethrough.serve import wire
from seethrough.serve.app import create_app
from seethrough.train.events import MomentDue

from .conftest import OWN_PAGE, PORT, TOKEN, Client


@pytest.fixture
def base(trained):
    return f"/api/runs/{trained.run.id}"


def floats(answer) -> np.ndarray:
    shape = [int(size) for size in answer.headers["x-shape"].split(",")]
    return np.frombuffer(answer.content, dtype="<f4").reshape(shape)


def steps(client, base) -> list[int]:
    return [each["step"] for each in client.get(f"{base}/moments").json()["moments"]]


def test_the_moments_are_those_of_the_run_with_the_accuracy_that_was_measured(
    client, base, trained
):
    told = wire.MomentsMessage.model_validate(client.get(f"{base}/moments").json())
    assert [each.step for each in told.moments] == [0, 1, 2, 4]
    assert [each.epoch for each in told.moments] == [0, 1, 1, 1]
    logged = {line["step"]: line for _, line in trained.run.log() if line["kind"] == "epoch"}
    assert told.moments[0].test_accuracy == logged[0]["test_accuracy"]
    assert told.moments[-1].test_accuracy == logged[4]["test_accuracy"]
    assert [each.test_accuracy for each in told.moments[1:-1]] == [None, None]
    assert told.is_whole
    assert told.kept == ["normalise", "conv1", "norm1", "conv2", "dense1"]
    assert told.kept_bytes == (trained.run.folder / "moments.bin").stat().st_size


def test_a_look_at_a_moment_shows_the_network_of_that_moment(client, base, trained):
    photo = trained.run.dataset().images[3]
    seen = set()
    for step in steps(client, base):
        own = trained.run.classifier_at(step)
        told = wire.TraceMessage.model_validate(
            client.get(f"{base}/photos/t3/trace", params={"step": step}).json()
        )
        assert told.weights_sha256 == weights_sha256(own.module)
        trace = own.trace(photo)
        assert told.probabilities == trace.probabilities.tolist()
        numbers = client.get(f"{base}/photos/t3/activations", params={"step": step}).content
        flat = np.concatenate([layer.output.ravel() for layer in trace.layers])
        assert np.array_equal(np.frombuffer(numbers, "<f4"), flat)
        seen.add(tuple(told.probabilities))
    assert len(seen) == 4
    now = client.get(f"{base}/photos/t3/trace").json()
    last = client.get(f"{base}/photos/t3/trace", params={"step": 4}).json()
    assert now["probabilities"] == last["probabilities"]


def test_equations_gradients_and_changes_are_those_of_the_moment(client, base, trained):
    own = trained.run.classifier_at(1)
    photo = trained.run.dataset().images[3]
    place = {"layer": "conv1", "unit": 1, "row": 2, "column": 3}
    at = f"{base}/photos/t3"
    told = client.get(f"{at}/equation", params={**place, "step": 1}).json()
    equation = own.trace(photo).equation("conv1", 1, 2, 3)
    assert told["sum"] == equation.sum
    assert told["sum"] != client.get(f"{at}/equation", params=place).json()["sum"]
    back = own.backward(photo, "red")
    answer = client.get(f"{at}/backward", params={"step": 1, "label": "red"}).json()
    assert answer["loss"] == back.loss
    kernels = {"layer": "conv1", "step": 1, "label": "red"}
    gradients = floats(client.get(f"{at}/parameter-gradients", params=kernels))
    assert np.array_equal(gradients, back.parameters["conv1"]["weight"])
    partials = floats(client.get(f"{at}/partials", params={"layer": "conv2", "unit": 0, "step": 1}))
    assert np.array_equal(partials, own.trace(photo).partials("conv2", 0))
    tried = client.post(f"{at}/what-if", json={"step": 1, "temperature": 2.0}).json()
    assert tried["probabilities"] == own.trace(photo).probabilities.tolist()
    learned = client.get(f"{at}/learning-step", params={"step": 1, "label": "red"}).json()
    assert learned["loss"] == pytest.approx(back.loss, rel=1e-6)


def test_weights_and_kernels_over_time_are_those_of_the_moments(client, base, trained):
    found = [trained.run.classifier_at(step) for step in steps(client, base)]
    own = [classifier.module.conv1.weight.detach().numpy() for classifier in found]
    frames = floats(client.get(f"{base}/moments/kernels", params={"layer": "conv1"}))
    assert np.array_equal(frames, np.stack(own))
    asked = {"layer": "conv1", "unit": [2, 0]}
    some = floats(client.get(f"{base}/moments/kernels", params=asked))
    assert np.array_equal(some, np.stack(own)[:, [2, 0]])
    one = floats(client.get(f"{base}/weights", params={"layer": "conv1", "step": 2}))
    assert np.array_equal(one, own[2])
    assert not np.array_equal(own[0], own[2])


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_a_film_of_a_photo_has_a_picture_for_every_moment(kind, client, base):
    answer = client.get(f"{base}/photos/t3/moments/film", params={"kind": kind, "layer": "conv2"})
    assert answer.headers["content-type"] == f"image/{kind}"
    assert f'-t3.{kind}"' in answer.headers["content-disposition"]
    with Image.open(io.BytesIO(answer.content)) as film:
        assert (film.format, film.n_frames) == (kind.upper(), len(steps(client, base)))
        pictures = [film.seek(at) or film.convert("RGB").tobytes() for at in range(film.n_frames)]
    assert len(set(pictures)) == len(pictures)
    other = client.get(f"{base}/photos/t3/moments/film", params={"kind": kind, "layer": "conv1"})
    assert other.content != answer.content


@pytest.mark.parametrize(
    ("address", "status", "what"),
    [
        ("photos/t3/moments/film?layer=relu1", 404, "relu1 has no kernels to draw"),
        ("photos/t3/moments/film?kind=mp4", 422, "kind is not what this address takes"),
        ("photos/t3/trace?step=3", 409, "has no moment at step 3"),
        ("photos/t3/trace?step=-1", 422, "step is not what this address takes"),
        ("weights?layer=conv1&step=77", 409, "has no moment at step 77"),
        ("moments/kernels?layer=conv1&unit=4", 404, "conv1 has no unit 4"),
        ("moments/kernels?layer=conv1&unit=-1", 422, "is not what this address takes"),
        ("photos/t3/moments/maps?layer=relu1&unit=9", 404, "relu1 has no unit 9"),
        ("photos/t3/moments/maps?layer=nothing", 404, "nothing"),
        ("moments/kernels?layer=relu1", 404, "No weights of the layer 'relu1' were kept"),
    ],
)
def test_what_is_not_there_is_refused_in_words(client, base, address, status, what):
    answer = client.get(f"{base}/{address}")
    assert answer.status_code == status
    assert what in answer.json()["what"]


def test_the_photo_over_time_is_the_photo_at_every_moment(client, base, trained):
    told = wire.PhotoMomentsMessage.model_validate(client.get(f"{base}/photos/t3/moments").json())
    photo, classes = trained.run.dataset().images[3], trained.run.classifier.classes
    assert told.steps == steps(client, base)
    said = []
    for step, row in zip(told.steps, told.probabilities, strict=True):
        prediction = trained.run.classifier_at(step).predict(photo)
        assert row == [prediction.probabilities[name] for name in classes]
        said.append(prediction.label)
    is_right = [label == told.photo.label for label in said]
    lasting = [step for at, step in enumerate(told.steps) if all(is_right[at:])]
    assert told.learned == (min(lasting) if lasting else None)
    assert told.photo.predicted == said[-1]


def test_maps_over_time_are_those_of_the_traces(client, base, trained):
    at = f"{base}/photos/t3/moments/maps"
    photo = trained.run.dataset().images[3]
    frames = floats(client.get(at, params={"layer": "relu2"}))
    own = [
        trained.run.classifier_at(step).trace(photo).layer("relu2").output
        for step in steps(client, base)
    ]
    assert np.array_equal(frames, np.stack(own))
    some = floats(client.get(at, params={"layer": "relu2", "unit": [3, 1]}))
    assert np.array_equal(some, np.stack(own)[:, [3, 1]])


def test_the_timeline_is_that_of_the_run(client, base, trained):
    own = trained.run.timeline()
    told = wire.TimelineMessage.model_validate(client.get(f"{base}/moments/timeline").json())
    dataset = trained.run.dataset()
    assert told.steps == list(own.steps) == steps(client, base)
    assert [each.photo for each in told.photos] == [f"t{photo}" for photo in own.photos]
    assert {int(each.photo[1:]) for each in told.photos} == set(dataset.indices(Split.TEST))
    assert set(trained.run.manifest.watched) <= {int(each.photo[1:]) for each in told.photos}
    assert [each.label for each in told.photos] == [
        dataset.classes[dataset.labels[photo]] for photo in own.photos
    ]
    assert [each.learned for each in told.photos] == list(own.learned)
    assert {each.layer: tuple(each.died) for each in told.layers} == own.died
    assert list(own.died) == ["relu1", "relu2"]
    assert np.array_equal(told.predicted, own.probabilities.argmax(2))
    assert told.accuracy[-1] == pytest.approx(trained.run.report.accuracy)
    placed = floats(client.get(f"{base}/moments/positions"))
    assert np.array_equal(placed, own.positions)
    assert (told.features, told.num_features) == ("flatten", own.num_features)
    for photo, learned in zip(own.photos, own.learned, strict=True):
        alone = client.get(f"{base}/photos/t{photo}/moments").json()
        assert alone["learned"] == learned


def test_a_run_from_before_moments_has_none_and_says_so(client, base, trained):
    file = trained.run.folder / "moments.bin"
    aside = file.rename(file.with_suffix(".aside"))
    try:
        assert client.get(f"{base}/moments").json()["moments"] == []
        for address in (
            "moments/timeline",
            "photos/t3/moments",
            "photos/t3/moments/maps?layer=relu1",
        ):
            answer = client.get(f"{base}/{address}")
            assert answer.status_code == 409
            assert "before moments were kept" in answer.json()["why"]
    finally:
        aside.rename(file)


@pytest.fixture
def parted(trained, portal, tmp_path):
    """The same run as if its network were too large: only its first kernels were kept."""
    folder = tmp_path / "runs" / trained.run.id
    shutil.copytree(trained.run.folder, folder)
    found = [(each.step, past.tensors(trained.run, each)) for each in trained.run.moments]
    file = MomentFile(folder, keep=0)
    for step, tensors in found:
        kept = {"conv1.weight": tensors["conv1.weight"]}
        due = MomentDue(step=step, epoch=1, tensors=kept, is_whole=False)
        file.append(past.packed(due))
    file.close()
    return Client(create_app(tmp_path / "runs", token=TOKEN, port=PORT), portal, OWN_PAGE)


def test_of_a_network_too_large_only_what_was_kept_can_be_looked_at(parted, client, base):
    told = parted.get(f"{base}/moments").json()
    assert (told["is_whole"], told["kept"]) == (False, ["conv1"])
    assert [each["step"] for each in told["moments"]] == steps(client, base)
    asked = {"layer": "conv1"}
    mine, whole = (
        floats(each.get(f"{base}/moments/kernels", params=asked)) for each in (parted, client)
    )
    assert np.array_equal(mine, whole)
    refused = ("photos/t3/trace?step=0", "photos/t3/moments", "moments/timeline")
    for address in refused:
        answer = parted.get(f"{base}/{address}")
        assert answer.status_code == 409
        assert "cannot be put together as it was at step 0" in answer.json()["what"]
    assert parted.get(f"{base}/photos/t3/trace").status_code == 200
