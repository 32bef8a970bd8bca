"""Steering: what is asked for is done at a step, written down, and repeated after every end."""

import json
import os
import signal
import threading

import pytest
from tests.runs.conftest import PLACE
from tests.runs.history import history, notes, weights
from tests.runs.test_kill import in_a_child

from seethrough.errors import RunError
from seethrough.runs import checkpoints, steering
from seethrough.runs.record import record
from seethrough.runs.steering import Turn
from seethrough.runs.store import list_runs
from seethrough.train.recipe import Optimizer

# 3 epochs of 3 steps; a checkpoint after each epoch.


def recorded(run, photos, actions, *, stop_after=None):
    """Its new lines; `actions` are done after the line of a kind and a step."""
    seen = []

    def should_stop():
        return stop_after is not None and any(_place(each) == stop_after for each in seen)

    for line in record(run, dataset=photos, place=PLACE, should_stop=should_stop):
        seen.append(line)
        if action := actions.get(_place(line)):
            action(run)
    return seen


def _place(line):
    return line["kind"], line.get("step")


def turn_to(factor):
    return lambda run: steering.ask(run.folder, rate_factor=factor)


def pause(run):
    steering.ask(run.folder, is_paused=True)


def go_on(run):
    steering.ask(run.folder, is_paused=False)


def die(run):
    os.kill(os.getpid(), signal.SIGKILL)


def of_kind(run, kind):
    return [line for _, line in run.log() if line["kind"] == kind]


TURNS = {("step", 3): turn_to(0.5), ("step", 6): turn_to(2.0)}


@pytest.fixture
def steered(make_run, photos):
    """Half the rate from step 4, twice the rate from step 7; nobody interrupted it."""
    run = make_run()
    recorded(run, photos, TURNS)
    return run


# ---------------------------------------------------------------- turning the learning rate


def test_a_turn_holds_from_the_next_step_on_and_is_told_everywhere(steered, finished):
    planned = {line["step"]: line["lr"] for line in of_kind(finished, "step")}
    factors = {
        line["step"]: line["lr"] / planned[line["step"]] for line in of_kind(steered, "step")
    }
    assert factors == {1: 1, 2: 1, 3: 1, 4: 0.5, 5: 0.5, 6: 0.5, 7: 2, 8: 2, 9: 2}
    assert of_kind(steered, "steered") == [
        {"kind": "steered", "step": 4, "rate_factor": 0.5},
        {"kind": "steered", "step": 7, "rate_factor": 2.0},
    ]
    assert weights(steered) != weights(finished)
    said = "steered by hand: × 0.5 from step 4, × 2 from step 7"
    assert said in steered.report.warnings[0]
    assert said in str(steered.report)
    assert not any("steered" in warning for warning in finished.report.warnings)
    listed = {each.id: each.steered for each in list_runs(steered.folder.parent)}
    assert listed == {steered.id: True, finished.id: False}


def test_half_the_rate_from_the_first_step_on_is_the_recipe_with_half_the_peak(make_run, photos):
    run, half = make_run(), make_run(peak_lr=0.025)
    recorded(run, photos, {("epoch", 0): turn_to(0.5)})
    recorded(half, photos, {})
    assert weights(run) == weights(half)


@pytest.mark.parametrize("last", [4, 7])
def test_a_steered_run_that_was_stopped_repeats_its_turns(make_run, photos, steered, last):
    run = make_run()
    recorded(run, photos, TURNS, stop_after=("step", last))
    assert run.summary.state == "stopped"
    later = {place: action for place, action in TURNS.items() if place[1] > last}
    recorded(run, photos, later)
    assert weights(run) == weights(steered)
    assert history(run) == history(steered)
    assert of_kind(run, "steered") == of_kind(steered, "steered")
    assert run.report == steered.report


@pytest.mark.parametrize("last", [4, 5, 8])
def test_a_steered_run_that_was_killed_repeats_its_turns(make_run, photos, steered, last):
    run = make_run()
    assert in_a_child(lambda: recorded(run, photos, {**TURNS, ("step", last): die})) == -9
    recorded(run, photos, {("step", 6): TURNS["step", 6]} if last < 6 else {})
    assert weights(run) == weights(steered)
    assert history(run) == history(steered)
    assert of_kind(run, "steered") == of_kind(steered, "steered")


def test_a_turn_while_a_run_repeats_its_turns_takes_the_place_of_those_to_come(make_run, photos):
    run = make_run()
    turns = {("step", 4): turn_to(0.5), ("step", 7): turn_to(2.0), ("step", 8): die}
    assert in_a_child(lambda: recorded(run, photos, turns)) == -9
    assert steering.turns(run.folder) == (
        Turn(step=5, rate_factor=0.5),
        Turn(step=8, rate_factor=2.0),
    )
    recorded(run, photos, {("checkpoint", 6): turn_to(0.25)})  # it goes on after step 6
    assert [(each["step"], each["rate_factor"]) for each in of_kind(run, "steered")] == [
        (5, 0.5),
        (7, 0.25),
    ]


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf"), 101.0])
def test_a_factor_that_no_network_could_learn_with_is_refused(make_run, photos, factor):
    refusals = []

    def ask(run):
        with pytest.raises(RunError, match="cannot be multiplied by") as refused:
            steering.ask(run.folder, rate_factor=factor)
        refusals.append(refused.value)

    run = make_run()
    recorded(run, photos, {("step", 2): ask}, stop_after=("step", 3))
    assert len(refusals) == 1
    assert not run.summary.steered


# ---------------------------------------------------------------- pausing


@pytest.mark.parametrize(
    ("step", "changes"),
    [
        (1, {}),
        (3, {}),
        (5, {"ema": 0.8}),
        (8, {"optimizer": Optimizer.MUON, "peak_lr": 0.003}),
        (9, {}),  # nothing but its evaluation is left to hold
    ],
)
def test_a_pause_holds_after_a_step_keeps_a_checkpoint_and_changes_nothing(
    make_run, photos, changes, step
):
    run, undisturbed, states = make_run(**changes), make_run(**changes), []
    recorded(undisturbed, photos, {})

    def look(run):
        states.append((run.summary.state, checkpoints.newest(run.folder).state.step))
        go_on(run)

    seen = recorded(run, photos, {("step", step): pause, ("paused", step): look})
    assert states == [("paused", step)]
    assert [line["kind"] for line in seen].count("went_on") == 1
    assert weights(run) == weights(undisturbed)
    assert history(run) == history(undisturbed)
    assert not run.summary.steered


def test_a_paused_run_that_was_killed_goes_on_without_a_pause(make_run, photos, finished):
    run = make_run()
    deadly = {("step", 5): pause, ("paused", 5): die}
    assert in_a_child(lambda: recorded(run, photos, deadly)) == -9
    assert run.summary.state == "stopped"
    assert checkpoints.newest(run.folder).state.step == 5
    seen = recorded(run, photos, {})
    assert "paused" not in {line["kind"] for line in seen}
    assert notes(run) == ["Resumed after step 5."]
    assert weights(run) == weights(finished)
    assert history(run) == history(finished)


def test_a_paused_run_that_was_stopped_goes_on_without_a_pause(make_run, photos, finished):
    run = make_run()
    seen = recorded(run, photos, {("step", 4): pause}, stop_after=("paused", 4))
    assert [line["kind"] for line in seen[-3:]] == ["checkpoint", "paused", "end"]
    assert run.summary.state == "stopped"
    assert "paused" not in {line["kind"] for line in recorded(run, photos, {})}
    assert weights(run) == weights(finished)


# ---------------------------------------------------------------- asking


def test_only_a_training_that_goes_on_can_be_asked(finished):
    with pytest.raises(RunError, match="is not being trained") as refused:
        steering.ask(finished.folder, is_paused=True)
    assert f"train --resume {finished.id}" in refused.value.fix


def test_those_who_ask_at_once_do_not_undo_each_other(make_run, photos):
    def ask(run):
        askers = [
            threading.Thread(target=steering.ask, args=[run.folder], kwargs=wish)
            for wish in ({"rate_factor": 0.5}, {"is_paused": True}) * 4
        ]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()

    run = make_run()
    seen = recorded(run, photos, {("step", 2): ask, ("paused", 2): go_on})
    assert ("paused", 2) in map(_place, seen)
    assert steering.turns(run.folder) == (Turn(step=3, rate_factor=0.5),)


def test_a_wish_that_cannot_be_read_is_no_wish(make_run, photos, finished):
    def spoil(run):
        (run.folder / steering.WANTED).write_text('{"paused": 3, "rate_factor": "much"}')

    run = make_run()
    recorded(run, photos, {("step", 2): spoil, ("step", 4): spoil})
    assert weights(run) == weights(finished)


def test_turns_that_cannot_be_read_stop_a_resume_instead_of_being_forgotten(make_run, photos):
    run = make_run()
    recorded(run, photos, TURNS, stop_after=("step", 5))
    (run.folder / steering.DONE).write_text(json.dumps([{"step": 4}]))
    with pytest.raises(RunError, match=r"steering\.json cannot be read"):
        recorded(run, photos, {})
