"""`seethrough steer` on a training that goes on in another thread of the tests."""

import threading
import time

import pytest

from seethrough.data.load import load
from seethrough.model.spec import parse
from seethrough.runs import steering
from seethrough.runs.creation import create
from seethrough.runs.record import record
from seethrough.runs.steering import Turn
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

EPOCHS = 5_000  # more than any machine trains before it is stopped


@pytest.fixture
def learning(shapes, tmp_path):
    """A run that is being recorded."""
    photos = load(shapes, image_px=12)
    spec = parse("conv 4 k3 s2 p1, norm, relu, flatten, dense", image_px=12)
    recipe = Recipe(epochs=EPOCHS, batch=16, peak_lr=0.01, shift_px=1)
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
    assert run.summary.state == "stopped"


def until(is_so, *, within_s=60.0):
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def kinds(run):
    return [event["kind"] for _, event in run.log()]


def test_a_training_is_held_turned_and_let_go_on(learning, seethrough):
    place = ("--runs-dir", learning.folder.parent)
    said = seethrough("steer", learning.id, "--pause", *place)
    assert said.code == 0
    assert learning.summary.state == "paused"
    step = max(event["step"] for _, event in learning.log() if event["kind"] == "paused")
    assert f"{learning.id} is paused after step {step}" in said.err
    (listed,) = seethrough("runs", *place, "--json").json
    assert (listed["state"], listed["steered"]) == ("paused", False)

    said = seethrough("steer", learning.id, "--go-on", "--rate-factor", "0.5", *place)
    assert said.code == 0
    assert "0.5 times the planned rate" in said.err
    assert f"{learning.id} goes on." in said.err
    until(lambda: "steered" in kinds(learning))
    assert steering.turns(learning.folder) == (Turn(step=step + 1, rate_factor=0.5),)
    assert "steered" in seethrough("runs", *place).out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "Say what to do: --pause, --go-on or --rate-factor F."),
        (("--pause", "--go-on"), "choose one."),
        (("--pause",), "is not being trained."),
        (("--rate-factor", "0"), "The learning rate cannot be multiplied by 0."),
        (("--rate-factor", "half"), "'half' is not a valid float"),
    ],
)
def test_what_cannot_be_done_is_said(trained, seethrough, words, complaint):
    said = seethrough("steer", trained.id, *words, "--runs-dir", trained.runs_dir)
    assert said.code == 2
    assert complaint in said.err
    assert said.out == ""


def test_a_run_that_nobody_turned_says_so(trained):
    assert trained.said["steered"] is False
