"""`studio` and `demo`: real servers, real processes, real Ctrl-C."""

import io
import re
import socket
import urllib.error
import urllib.request
from contextlib import redirect_stderr, redirect_stdout

import pytest

from seethrough.cli.demo import watch
from seethrough.cli.following import follow
from seethrough.data.load import load
from seethrough.model.presets import resolve
from seethrough.runs.creation import create
from seethrough.runs.folder import open_run, run_ids
from seethrough.runs.launch import launch
from seethrough.runs.process import recorder
from seethrough.train.recipe import Recipe

from .conftest import ctrl_c, logged

ASKS_FOR_THE_TOKEN = 401


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def status(address):
    """What the server answers; None while nobody listens there."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    except (urllib.error.URLError, ConnectionError):  # closed before it was read, as servers end
        return None


def test_the_studio_answers_until_ctrl_c(seethrough, trained):
    port = free_port()
    words = ("--port", port, "--no-open", "--runs-dir", trained.runs_dir)
    with ctrl_c(lambda: status(f"http://127.0.0.1:{port}/api/window") == ASKS_FOR_THE_TOKEN):
        said = seethrough("studio", trained.id[:5], *words)
    assert said.code == 0
    link = rf"http://127\.0\.0\.1:{port}/look/{trained.id}\?token=[\w-]{{43}}"
    assert re.fullmatch(link, said.out.strip())


@pytest.mark.parametrize("command", ["studio", "demo"])
def test_a_port_in_use_is_named(seethrough, command, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = seethrough(command, "--port", port, "--no-open", "--runs-dir", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert f"Port {port} cannot be used." in said.err
    assert run_ids(tmp_path) == []


def test_a_run_that_does_not_exist_has_no_studio(seethrough, tmp_path):
    said = seethrough("studio", "nobody", "--no-open", "--runs-dir", tmp_path)
    assert (said.code, said.out) == (2, "")


def test_json_without_once_is_refused(seethrough):
    assert "--json goes with --once" in seethrough("demo", "--json").err


def test_the_demo_trains_beside_the_studio_and_ctrl_c_ends_both(shapes, tmp_path, capsys):
    port = free_port()

    def is_learning_and_served():
        is_learning = logged(tmp_path, '"kind": "epoch", "epoch": 1')
        return is_learning and status(f"http://127.0.0.1:{port}/") == ASKS_FOR_THE_TOKEN

    recipe = Recipe(epochs=5000, batch=16)
    with ctrl_c(is_learning_and_served):
        code = watch(str(shapes), recipe, port=port, runs_dir=tmp_path, opens_browser=False)
    said = capsys.readouterr()
    run = open_run("last", tmp_path)
    assert code == 130
    assert run.summary.state == "stopped"
    assert run.summary.epoch >= 1
    assert recorder(run.folder) is None
    assert status(f"http://127.0.0.1:{port}/") is None
    assert said.out.startswith(f"http://127.0.0.1:{port}/?token=")
    assert f"seethrough train --resume {run.id} --runs-dir {tmp_path}" in said.err


def test_when_the_demo_is_trained_its_score_is_told_and_the_studio_stays(shapes, tmp_path):
    port = free_port()
    out, err = io.StringIO(), io.StringIO()  # read meanwhile: what capsys takes away may be lost

    def is_told_and_served():
        is_told = "The studio stays open" in err.getvalue()
        return is_told and status(f"http://127.0.0.1:{port}/") == ASKS_FOR_THE_TOKEN

    recipe = Recipe(epochs=1, batch=16)
    with redirect_stdout(out), redirect_stderr(err), ctrl_c(is_told_and_served):
        code = watch(str(shapes), recipe, port=port, runs_dir=tmp_path, opens_browser=False)
    assert code == 0
    assert open_run("last", tmp_path).summary.state == "finished"
    assert "right on 12 photos it has never seen" in out.getvalue()


def test_a_training_in_the_background_is_stopped_from_the_terminal(shapes, tmp_path, seethrough):
    dataset = load(shapes, image_px=12)
    spec = resolve("conv 4 k3, relu, flatten, dense", 12)
    run = create(dataset, spec, Recipe(epochs=5000, batch=16), runs_dir=tmp_path)
    launch(run)
    with ctrl_c(lambda: False):  # presses only if the next line waits in vain
        next(follow(run, should_stop=lambda: False))
    said = seethrough("runs", "stop", run.id, "--runs-dir", tmp_path)
    assert said.code == 0
    assert f"{run.id} is saved" in said.err
    assert (run.summary.state, recorder(run.folder)) == ("stopped", None)
    again = seethrough("runs", "--runs-dir", tmp_path, "stop", run.id)
    assert (again.code, f"{run.id} is not being trained." in again.err) == (2, True)


@pytest.mark.full
def test_the_demo_reaches_85_percent_on_the_built_in_photos(seethrough):
    said = seethrough("demo", "--once", "--no-open", "--json")
    assert said.err == ""
    assert said.json["test_accuracy"] >= 0.85
    low, high = said.json["test_interval"]
    assert low < said.json["test_accuracy"] < high
