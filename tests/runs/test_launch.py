"""launch.py with the real program: started by its name, stopped by a signal, gone on with."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from click.testing import CliRunner
from tests.runs.history import history, weights

from seethrough.cli.main import seethrough
from seethrough.data.load import load
from seethrough.errors import RunError
from seethrough.model.spec import parse
from seethrough.runs import process
from seethrough.runs.creation import create
from seethrough.runs.folder import open_run
from seethrough.runs.launch import launch, stop
from seethrough.runs.record import record
from seethrough.runs.store import list_runs
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

PLACE = Place(threads=1)


def until(condition, *, within_s=60.0):
    """Wait for another process, looking again and again."""
    end, look = time.monotonic() + within_s, threading.Event()
    while not condition():
        assert time.monotonic() < end
        look.wait(0.02)


def has_checkpoint(run):
    return any(line["kind"] == "checkpoint" for _, line in run.log())


def test_a_run_in_the_background_is_stopped_and_goes_on_to_the_same_bits(
    photo_folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    images = load(photo_folder, image_px=12)
    spec = parse("conv 4 k3 s2, norm, relu, flatten, dense", image_px=12)
    recipe = Recipe(epochs=80, batch=8, peak_lr=0.05, shift_px=1)
    run = create(images, spec, recipe, place=PLACE)
    assert run.summary.state == "waiting"
    with pytest.raises(RunError, match="is not being trained"):
        stop(run)
    pid = launch(run)
    assert run.summary.state in {"waiting", "training"}
    with pytest.raises(RunError, match=f"{run.id} is being trained already") as caught:
        launch(run)
    assert f"process {pid}" in caught.value.why
    until(lambda: has_checkpoint(run))
    assert run.summary.state == "training"
    assert process.recorder(run.folder) == pid
    assert os.getsid(pid) == pid
    stop(run)
    assert run.summary.state == "stopped"
    whole = create(images, spec, recipe, place=PLACE)
    for each in (run, whole):
        for _ in record(each, dataset=images, place=PLACE):
            pass
    assert weights(run) == weights(whole)
    assert history(run) == history(whole)
    assert (run.folder / "output.txt").exists()


def test_a_process_that_cannot_be_asked_is_killed(make_run):
    run = make_run()
    deaf = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "print(flush=True); time.sleep(600)",
        ],
        stdout=subprocess.PIPE,
    )
    assert deaf.stdout is not None
    deaf.stdout.readline()
    process.announce(run.folder, deaf.pid)
    assert run.summary.state == "waiting"
    stop(run, grace_s=0.3)
    assert deaf.wait() == -signal.SIGKILL
    deaf.stdout.close()
    assert run.summary.state == "failed"


def test_the_number_of_a_dead_process_that_a_new_one_carries_is_not_taken_for_it(make_run):
    run = make_run()
    (run.folder / "launch.json").write_text(f'{{"pid": {os.getpid()}, "started": "1"}}')
    assert process.recorder(run.folder) is None
    assert run.summary.state == "failed"
    for content in ("", "[]", '{"pid": "x"}', '{"pid": 1}'):
        (run.folder / "launch.json").write_text(content)
        assert process.recorder(run.folder) is None


@pytest.mark.parametrize("signed", [None, b""])
def test_between_the_lock_and_the_signature_the_launched_process_is_the_one_that_records(
    make_run, signed
):
    """Not this one, which made the run and would be killed in its place."""
    run = make_run()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as launched:
        process.announce(run.folder, launched.pid)
        with (run.folder / "process.json").open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if signed is not None:
                file.truncate(len(signed))
            assert process.recorder(run.folder) == launched.pid
            assert run.summary.state == "training"
        launched.communicate(b"\n")


def test_a_run_whose_maker_died_before_it_was_recorded_was_stopped_before_it_began(
    photo_folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    making = (
        "import sys, pathlib\n"
        "from seethrough.data.load import load\n"
        "from seethrough.model.spec import parse\n"
        "from seethrough.runs.creation import create\n"
        "from seethrough.train.recipe import Recipe\n"
        "images = load(sys.argv[1], image_px=12)\n"
        "spec = parse('conv 4 k3 s2, relu, flatten, dense', image_px=12)\n"
        "recipe = Recipe(epochs=1, batch=8, shift_px=1)\n"
        "run = create(images, spec, recipe, runs_dir=pathlib.Path(sys.argv[2]))\n"
        "print(run.summary.state, flush=True)\n"
        "sys.stdin.read()\n"
    )
    maker = subprocess.Popen(
        [sys.executable, "-c", making, str(photo_folder), str(tmp_path / "runs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert maker.stdout is not None
    assert maker.stdin is not None
    assert maker.stdout.readline() == "waiting\n"
    run = open_run("last", tmp_path / "runs")
    assert run.summary.state == "waiting"  # its maker lives
    maker.kill()
    maker.communicate()
    assert (run.summary.state, run.summary.has_begun) == ("stopped", False)
    assert [each.state for each in list_runs(tmp_path / "runs")] == ["stopped"]
    said = CliRunner().invoke(seethrough, ["runs", "--runs-dir", str(tmp_path / "runs")])
    assert "stopped before it began" in said.output
    assert f"train --resume {run.id}" in said.output
    for _ in record(run, dataset=run.dataset(), place=PLACE):
        pass
    assert (run.summary.state, run.summary.has_begun) == ("finished", True)
