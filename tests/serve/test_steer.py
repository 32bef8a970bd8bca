"""Steering over HTTP, of a training in another thread of the tests, and what is told of it."""

import threading
import time

import pytest
from tests.serve.conftest import OWN_PAGE, PORT, TOKEN, Client

from seethrough.data.load import load
from seethrough.model.spec import parse
from seethrough.runs.creation import create
from seethrough.runs.record import record
from seethrough.serve import wire
from seethrough.serve.app import create_app
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe


def until(is_so, *, within_s=60.0):
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def learning(trained, tmp_path):
    """A run that is being recorded, and goes on until the test is over."""
    photos = load(trained.photos, image_px=16)
    spec = parse("conv 4 k3 s2 p1, relu, flatten, dense", image_px=16)
    recipe = Recipe(epochs=5_000, batch=8, peak_lr=0.01, shift_px=1)
    run = create(photos, spec, recipe, runs_dir=tmp_path / "runs", place=Place(threads=1))
    enough = threading.Event()

    def go():
        for _ in record(run, dataset=photos, place=Place(threads=1), should_stop=enough.is_set):
            pass

    recorder = threading.Thread(target=go)
    recorder.start()
    until(lambda: run.summary.state == "training")
    yield run
    enough.set()
    recorder.join()


def test_a_training_is_held_turned_and_let_go_on(learning, portal):
    client = Client(
        create_app(learning.folder.parent, token=TOKEN, port=PORT), portal, dict(OWN_PAGE)
    )
    address = f"/api/runs/{learning.id}"

    def state():
        return client.get(address).json()["summary"]["state"]

    answer = client.post(f"{address}/steer", params={"is_paused": True})
    assert answer.status_code == 200
    wire.RunSummary.model_validate(answer.json())
    until(lambda: state() == "paused")
    steps = [event["step"] for _, event in learning.log() if event["kind"] == "step"]

    for wish in ({"rate_factor": 0.25}, {"is_paused": False}):
        assert client.post(f"{address}/steer", params=wish).status_code == 200
    # the step is written down before it is taken, and told when it was
    until(lambda: "steered" in [event["kind"] for _, event in learning.log()])
    detail = wire.RunDetail.model_validate(client.get(address).json())
    assert detail.steering == [wire.TurnMessage(step=steps[-1] + 1, rate_factor=0.25)]
    assert detail.summary.steered
    assert state() == "training"
    told = [event for _, event in learning.log()]
    for event in told:
        wire.LogEvent.model_validate(event)
    assert {"steered", "paused", "went_on"} <= {event["kind"] for event in told}


def test_what_cannot_be_steered_is_refused(client, trained):
    address = f"/api/runs/{trained.run.id}/steer"
    answer = client.post(address, params={"is_paused": True})
    assert answer.status_code == 409
    assert "is not being trained" in answer.json()["what"]
    answer = client.post(address, params={"rate_factor": "nan"})
    assert answer.status_code == 409
    assert "cannot be multiplied" in answer.json()["what"]
    answer = client.post(address, params={"rate_factor": "half"})
    assert answer.status_code == 422
    answer = client.post(address, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
