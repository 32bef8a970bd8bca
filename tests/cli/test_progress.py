"""The line about a training, told event by event."""

from itertools import pairwise

import pytest

from seethrough.cli.course import chosen
from seethrough.cli.progress import Follower, TrainingLine, duration
from seethrough.cli.terminal import command_line, printable

STARTED = {"kind": "started", "steps": 40}


def step(number, *, elapsed_s, loss=0.5):
    epoch = 1 + (number - 1) // 10
    return {"kind": "step", "step": number, "epoch": epoch, "loss": loss, "elapsed_s": elapsed_s}


def epoch(number, *, elapsed_s=0.0):
    return {
        "kind": "epoch",
        "epoch": number,
        "train_loss": None if number == 0 else 0.4,
        "train_accuracy": None if number == 0 else 0.8,
        "test_accuracy": 0.25 + number / 10,
        "images_per_second": None if number == 0 else 1234.5,
        "share_of_limit": None if number == 0 else 0.614,
        "elapsed_s": elapsed_s,
    }


def test_the_first_epoch_has_a_speed_once_some_steps_were_taken():
    begun = {**STARTED, "images": 1000}  # 4 epochs of 1,000 in 40 steps: 100 a step
    line = told(begun, {**epoch(0, elapsed_s=1.0), "step": 0}, step(2, elapsed_s=2.0))
    assert "images/s" not in line.now()
    line.tell(step(5, elapsed_s=3.0))  # 5 steps in the 2 s since the untrained one was judged
    assert "   250 images/s   loss" in line.now()


def told(*events):
    line = TrainingLine(epochs=4, steps=None)
    for event in events:
        line.tell(event)
    return line


def test_the_time_left_is_that_of_the_steps_left_if_they_take_as_long():
    assert told(STARTED, step(10, elapsed_s=5.0)).left() == "15 s left"
    assert told(STARTED, step(20, elapsed_s=100.0)).left() == "1 min 40 s left"


@pytest.mark.parametrize("events", [[], [STARTED], [STARTED, step(2, elapsed_s=9.0)]])
def test_a_time_that_nobody_can_know_yet_is_not_told(events):
    assert told(*events).left() == ""


def test_the_line_tells_epoch_speed_loss_accuracy_and_time():
    line = told(STARTED, epoch(0), step(10, elapsed_s=5.0), epoch(1), step(11, elapsed_s=5.5))
    assert line.now() == (
        "epoch 2 of 4   1,234 images/s (61 % of the limit)   loss 0.500   test accuracy 35.0 %   "
        "14 s left"
    )
    old = {**epoch(1), "share_of_limit": None}  # of a log from before there was one
    assert told(STARTED, old, step(11, elapsed_s=5.5)).now().count("images/s   loss") == 1
    assert told(STARTED, step(11, elapsed_s=1.0, loss=None)).now().count("not a number") == 1
    assert told(STARTED, step(40, elapsed_s=20.0)).now() == "judging it on all photos"


def test_without_a_terminal_each_epoch_is_a_line_and_notes_are_always_told(capsys):
    for is_quiet in (False, True):
        follower = Follower(told(STARTED), is_quiet=is_quiet)
        for event in (epoch(0), step(10, elapsed_s=5.0), epoch(1, elapsed_s=6.0)):
            follower.tell(event)
        follower.tell({"kind": "note", "text": "Resumed after step 10."})
        lines = capsys.readouterr().err.splitlines()
        assert lines[-1] == "Resumed after step 10."
        assert len(lines) == (1 if is_quiet else 3)
    assert told(epoch(0)).epoch_line() == "untrained: test accuracy 25.0 %"


def test_a_pause_is_told_and_over_with_whatever_comes_next(capsys):
    paused, went_on = {"kind": "paused", "step": 12}, {"kind": "went_on", "step": 12}
    line = told(STARTED, step(12, elapsed_s=6.0), paused)
    assert line.now() == "paused after step 12, all of it saved"
    line.tell(went_on)
    assert line.now().startswith("epoch 2 of 4")
    follower = Follower(line, is_quiet=False)
    for event in (paused, went_on, {"kind": "steered", "step": 13, "rate_factor": 0.5}):
        follower.tell(event)
    assert capsys.readouterr().err.splitlines() == [
        "Paused after step 12.",
        "Goes on after step 12.",
        "Steered: 0.5 times the planned rate from step 13 on.",
    ]


@pytest.mark.parametrize("count", [1, 12, 13, 60, 500])
def test_the_table_at_the_end_has_the_first_and_the_last_epoch_and_even_steps(count):
    epochs = [{"epoch": number} for number in range(count)]
    shown = [each["epoch"] for each in chosen(epochs)]
    assert (shown[0], shown[-1]) == (0, count - 1)
    assert len(shown) == min(count, 12)
    gaps = {after - before for before, after in pairwise(shown)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "1 s"),
        (59.0, "59 s"),
        (125.4, "2 min 5 s"),
        (1500.0, "25 min"),
        (12000.0, "3 h 20 min"),
    ],
)
def test_durations_are_as_exact_as_one_wants_to_know(seconds, shown):
    assert duration(seconds) == shown


def test_a_command_can_be_copied_whatever_the_folder_is_called(tmp_path):
    folder = tmp_path / "my runs"
    line = command_line("train", "--resume", "amber-heron", runs_dir=folder)
    assert line == f"seethrough train --resume amber-heron --runs-dir '{folder}'"


def test_what_would_steer_a_terminal_is_written_out_and_words_are_not():
    assert printable("a\x1b[2J\u202eb\r\x00") == r"a\x1b[2J\u202eb\r\x00"
    assert printable("鳥 n°4 × é\u00a0😀\n") == "鳥 n°4 × é\u00a0😀\n"
