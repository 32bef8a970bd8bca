"""The routes about runs, against what the run says of itself in Python."""

import json

import numpy as np
import pytest

from seethrough.serve import wire


@pytest.fixture
def base(trained):
    return f"/api/runs/{trained.run.id}"


def test_the_window_names_the_newest_run(client, trained):
    told = client.get("/api/window").json()
    assert told["runs"] == 1
    assert told["newest_run"] == trained.run.id


def test_the_list_and_the_detail_say_what_the_run_says(client, base, trained):
    assert client.get("/api/runs").json() == [trained.run.summary.to_dict()]
    detail = wire.RunDetail.model_validate(client.get(base).json())
    assert detail.summary.model_dump() == trained.run.summary.to_dict()
    assert detail.dataset.classes == ["red", "stripes"]
    assert detail.recipe["seed"] == 3
    module = trained.run.classifier.module
    assert detail.parameters == sum(weights.numel() for weights in module.parameters())
    assert [layer.name for layer in detail.layers][:2] == ["normalise", "conv1"]
    last = [event for _, event in trained.run.log()][-1]
    assert detail.weights_sha256 == last["weights_sha256"]


def test_watched_photos_are_test_photos(client, base):
    watched = client.get(base).json()["watched"]
    assert watched
    for photo in watched:
        assert client.get(f"{base}/photos/{photo}").json()["split"] == "test"


def test_the_report_is_the_run_s_report(client, base, trained):
    told = client.get(f"{base}/report").json()
    assert told == json.loads(json.dumps(trained.run.report.to_dict()))
    assert np.sum(told["confusion"]) == told["images"]


@pytest.mark.parametrize("name", ["conv1", "norm1", "conv2", "dense1"])
@pytest.mark.parametrize("part", ["weight", "bias"])
def test_weights_are_the_network_s_own(client, base, trained, name, part):
    parameters = dict(trained.run.classifier.module.named_parameters())
    answer = client.get(f"{base}/weights", params={"layer": name, "part": part})
    if f"{name}.{part}" not in parameters:
        assert answer.status_code == 404
        assert "has no bias" in answer.json()["what"]
        return
    own = parameters[f"{name}.{part}"].detach().numpy()
    shape = tuple(int(size) for size in answer.headers["x-shape"].split(","))
    told = np.frombuffer(answer.content, dtype="<f4").reshape(shape)
    assert np.array_equal(told, own)


@pytest.mark.parametrize("part", ["", "/report", "/events", "/photos", "/photos/t0/trace"])
def test_an_unknown_run_is_404_with_words(client, part):
    answer = client.get(f"/api/runs/grey-goose{part}")
    assert answer.status_code == 404
    assert answer.json()["what"] == "There is no run 'grey-goose'."


@pytest.mark.parametrize("name", ["last", "..", ".", "%2e%2e", "..%2f..%2fetc", "%00", "C%3A%5Cx"])
def test_runs_are_named_by_their_whole_id_and_never_by_a_path(client, name):
    answer = client.get(f"/api/runs/{name}/report")
    assert answer.status_code == 404


def test_stopping_what_is_not_trained_is_409(client, base):
    answer = client.post(f"{base}/stop")
    assert answer.status_code == 409
    assert "is not being trained" in answer.json()["what"]


def test_a_wrong_value_is_422_in_the_same_three_parts(client, base):
    answer = client.get(f"{base}/photos", params={"limit": "many"})
    assert answer.status_code == 422
    assert set(answer.json()) == {"what", "why", "fix"}
    assert "limit" in answer.json()["what"]


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [("GET", "/api", 404), ("GET", "/api/nothing", 404), ("DELETE", "/api/runs", 405)],
)
def test_what_is_not_there_is_refused_in_three_parts(client, method, address, status):
    answer = client.request(method, address)
    assert answer.status_code == status
    assert set(answer.json()) == {"what", "why", "fix"}


def test_our_own_mistake_is_an_id_and_nothing_else(client, base, trained, monkeypatch, caplog):
    """The manifest is made unreadable in a way that no error of the tree foresees."""

    def broken(_run_id):
        raise ZeroDivisionError("a secret in /home/somebody")

    monkeypatch.setattr(client.app.state.desk.shelf, "run", broken)
    answer = client.get(base)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    number = answer.json()["what"].split("id ")[1].rstrip(").")
    assert number in caplog.text
    assert "ZeroDivisionError" in caplog.text
