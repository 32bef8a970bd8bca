"""Range tests over HTTP: the real function in the real process, its end, and another training."""

import hashlib
import json
import shutil
import threading
from pathlib import Path

import pytest
from tests.serve.conftest import OWN_PAGE, PORT, TOKEN, Client

from seethrough.runs.folder import find_run
from seethrough.runs.launch import stop
from seethrough.runs.rates import range_test
from seethrough.serve import wire
from seethrough.serve.app import create_app
from seethrough.train.rates import found


def told(answer):
    """The events of a stream, each with its id."""
    pieces = [piece.split("\n") for piece in answer.text.split("\n\n") if piece.startswith("id: ")]
    events = [json.loads(lines[2].removeprefix("data: ")) for lines in pieces]
    assert [lines[1] for lines in pieces] == [f"event: {each['kind']}" for each in events]
    return [int(lines[0].removeprefix("id: ")) for lines in pieces], events


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("index.sqlite")
    }


@pytest.fixture(scope="module")
def tested(trained, portal):
    """A client after one range test was told to its end, and what it told."""
    client = Client(create_app(trained.runs_dir, token=TOKEN, port=PORT), portal, dict(OWN_PAGE))
    before = files(trained.runs_dir)
    address = f"/api/runs/{trained.run.id}/range-test"
    assert client.get(address).json() == {"run": trained.run.id, "state": "none"}
    begun = client.post(address)
    assert begun.status_code == 201, begun.text
    assert wire.RangeTestMessage.model_validate(begun.json()).state == "trying"
    stream = client.get(f"{address}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert files(trained.runs_dir) == before
    return client, address, stream


def test_the_page_is_told_the_very_trials_and_findings_of_the_function(tested, trained):
    _, _, stream = tested
    ids, events = told(stream)
    assert ids == list(range(1, len(events) + 1))
    for event in events:
        wire.RangeTestEvent.model_validate(event)
    begun, *trials, end = events
    assert (begun["batch"], begun["seed"]) == (8, 3)
    run = trained.run
    tried = list(range_test(run.dataset(), run.network, run.manifest.recipe))
    assert [each["step"] for each in trials] == list(range(1, len(tried) + 1))
    assert [(e["rate"], e["loss"], e["smoothed"]) for e in trials] == [
        (each.rate, each.loss, each.smoothed) for each in tried
    ]
    said = found(tried)
    assert end["state"] == "finished"
    assert (end["steepest"], end["diverged"], end["suggested"]) == (
        said.steepest,
        said.diverged,
        said.suggested,
    )


def test_a_reader_goes_on_where_it_was_and_is_not_called_back_after_the_end(tested):
    client, address, stream = tested
    ids, events = told(stream)
    rest_ids, rest = told(client.get(f"{address}/events", headers={"last-event-id": "5"}))
    assert (rest_ids, rest) == (ids[5:], events[5:])
    assert client.get(f"{address}/events", params={"after": ids[-1]}).status_code == 204
    assert client.get(address).json()["state"] == "finished"


def test_a_stopped_test_says_nothing_of_rates_and_leaves_no_process(trained, portal):
    app = create_app(trained.runs_dir, token=TOKEN, port=PORT)
    client = Client(app, portal, dict(OWN_PAGE))
    address = f"/api/runs/{trained.run.id}/range-test"
    before = set(threading.enumerate())  # another test's process may still be on its way out
    assert client.post(address).status_code == 201
    begun = set(threading.enumerate()) - before
    assert [each for each in begun if each.name.startswith("range-test")]
    again = client.post(address)
    assert again.status_code == 409
    assert "tried already" in again.json()["what"]
    stopped = client.post(f"{address}/stop")
    assert stopped.json() == {"run": trained.run.id, "state": "stopped"}
    _, events = told(client.get(f"{address}/events"))
    assert events[-1]["state"] == "stopped"
    assert events[-1]["suggested"] is None
    left = set(threading.enumerate()) - before
    assert not [each for each in left if each.name.startswith("range-test")]
    assert client.post(f"{address}/stop").status_code == 409


def test_the_end_of_the_server_ends_the_test(trained):
    app = create_app(trained.runs_dir, token=TOKEN, port=PORT)
    tests = app.state.desk.rate_tests
    tests.start(trained.run)
    tests.close()
    assert tests.message(trained.run).state == "stopped"


def test_photos_that_are_others_now_end_the_test_with_their_three_sentences(
    trained, portal, tmp_path
):
    folder = tmp_path / "runs" / trained.run.id
    folder.mkdir(parents=True)
    stored = json.loads((trained.run.folder / "run.json").read_bytes())
    stored["dataset"]["source"] = str(tmp_path / "gone")
    (folder / "run.json").write_text(json.dumps(stored))
    client = Client(create_app(tmp_path / "runs", token=TOKEN, port=PORT), portal, dict(OWN_PAGE))
    address = f"/api/runs/{trained.run.id}/range-test"
    assert client.get(f"{address}/events").status_code == 404
    client.post(address)
    _, events = told(client.get(f"{address}/events"))
    assert [each["kind"] for each in events] == ["end"]
    assert events[0]["state"] == "failed"
    assert str(tmp_path / "gone") in " ".join(events[0]["error"].values())


def test_a_training_like_this_one_begins_with_the_values_that_were_given(trained, portal):
    client = Client(create_app(trained.runs_dir, token=TOKEN, port=PORT), portal, dict(OWN_PAGE))
    address = f"/api/runs/{trained.run.id}/again"
    refused = client.post(address, params={"peak_lr": -1})
    assert refused.status_code == 422
    assert "peak_lr" in refused.json()["what"]
    answer = client.post(address, params={"peak_lr": 0.5, "epochs": 5000})
    assert answer.status_code == 201, answer.text
    new = find_run(wire.RunSummary.model_validate(answer.json()).id, trained.runs_dir)
    try:
        wanted = {**trained.run.manifest.recipe.to_dict(), "peak_lr": 0.5, "epochs": 5000}
        assert new.manifest.recipe.to_dict() == wanted
        assert new.manifest.network == trained.run.manifest.network
        assert new.manifest.dataset == trained.run.manifest.dataset
        _, first = next(iter(new_log(new)))
        assert first["kind"] == "started"
    finally:
        stop(new)
        shutil.rmtree(new.folder)  # the other tests know of one run


def new_log(run):
    """The log as soon as it has a line; its process was started a moment ago."""
    while not (lines := list(run.log())):
        assert run.summary.is_live, (run.folder / "output.txt").read_text()
    return lines
