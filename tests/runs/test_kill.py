"""Real kills: a process that records is killed, and what is left goes on to the same bits.

The killed processes are forked from the test, on one thread, so that none of them loads torch
again; what they run is `record` itself. The program by its name is stopped in test_launch.py.
"""

import os
import random
import resource
import signal
from contextlib import nullcontext
from pathlib import Path

import pytest
from tests.runs.history import history, moments, weights

from seethrough.errors import StorageError
from seethrough.runs import checkpoints
from seethrough.runs.interruption import interruption
from seethrough.runs.record import record
from seethrough.train import loop
from seethrough.train.place import Place

# Calls that make something durable, in an undisturbed run of 3 epochs: per checkpoint an fsync of
# the moments, one of the log and three of the checkpoint's file; one for their folder; three
# results; the log's end.
DURABLE_CALLS = 3 * (1 + 1 + 3) + 1 + 3 * 3 + 1


def in_a_child(work):
    """Run `work` in a forked process; how that ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # a child must never go on as a second test run
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(number):
    """Make this process kill itself at the n-th call that makes something durable."""
    left = [number]

    def deadly(call):
        def wrapped(*arguments, **options):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return wrapped

    os.fsync = deadly(os.fsync)
    Path.replace = deadly(Path.replace)


def leftovers(run):
    return list(run.folder.rglob("*.partial"))


def recording(run, photos):
    for _ in record(run, dataset=photos, place=Place(threads=1)):
        pass


def test_an_undisturbed_run_makes_as_many_durable_calls_as_the_next_test_kills(make_run, photos):
    run = make_run()

    def work():
        killed_at(DURABLE_CALLS + 1)
        recording(run, photos)

    assert in_a_child(work) == 0
    other = make_run()

    def shorter():
        killed_at(DURABLE_CALLS)
        recording(other, photos)

    assert in_a_child(shorter) == -signal.SIGKILL


@pytest.mark.parametrize("number", range(1, DURABLE_CALLS + 1))
def test_killed_at_any_durable_call_it_resumes_to_the_same_bits(
    number, finished, make_run, photos, go
):
    run = make_run()

    def work():
        killed_at(number)
        recording(run, photos)

    assert in_a_child(work) == -signal.SIGKILL
    if run.summary.state == "finished":
        assert (
            number == DURABLE_CALLS
        )  # the log's last line was there, not yet safe from a power cut
    else:
        assert run.summary.state == "stopped"
        go(run)
    assert weights(run) == weights(finished)
    assert history(run) == history(finished)
    assert moments(run) == moments(finished)
    assert run.report == finished.report
    assert leftovers(run) == []


def test_killed_many_times_in_one_run_it_ends_with_the_same_bits(finished, make_run, photos):
    run = make_run()
    chance = random.Random(7)
    kills = 0
    while run.summary.state != "finished":
        number = chance.randrange(4, 12)

        def work(number=number):
            killed_at(number)
            recording(run, photos)

        kills += in_a_child(work) == -signal.SIGKILL
        assert kills < 60
    assert kills > 1
    assert weights(run) == weights(finished)
    assert history(run) == history(finished)
    assert moments(run) == moments(finished)


def started(run, photos, *, with_signals=False):
    """A child that records, and a pipe with one byte for every line of its log."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with interruption() if with_signals else nullcontext(loop.never) as should_stop:
                place = Place(threads=1)
                for _ in record(run, dataset=photos, place=place, should_stop=should_stop):
                    os.write(tell, b".")
            os._exit(0)
        except BaseException:
            os._exit(1)
    os.close(tell)
    return child, told


@pytest.mark.parametrize(
    "trials", [pytest.param(6, id="6"), pytest.param(200, id="200", marks=pytest.mark.full)]
)
def test_killed_at_random_moments_it_resumes_to_the_same_bits(
    trials, finished, make_run, photos, go
):
    chance = random.Random(11)
    for _ in range(trials):
        run = make_run()
        child, told = started(run, photos)
        for _ in range(chance.randrange(1, 19)):
            os.read(told, 1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(told)
        if run.summary.state != "finished":
            go(run)
        assert weights(run) == weights(finished)
        assert history(run) == history(finished)
        assert moments(run) == moments(finished)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("lines", [1, 2, 4, 8])
def test_asked_to_stop_by_a_signal_it_saves_and_ends_cleanly(
    number, lines, finished, make_run, photos, go
):
    run = make_run()
    child, told = started(run, photos, with_signals=True)
    for _ in range(lines):
        os.read(told, 1)
    os.kill(child, number)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(told)
    assert run.summary.state in {"stopped", "finished"}  # finished: the signal came too late
    if run.summary.state == "stopped":
        go(run)
    assert weights(run) == weights(finished)
    assert history(run) == history(finished)
    assert moments(run) == moments(finished)


@pytest.mark.parametrize(
    "limit",
    [0, 700, 1_400, 2_100, 2_800, 3_500, 4_200, 4_900, 5_600, 6_300, 7_000],
)
def test_on_a_full_disk_it_says_so_loses_nothing_and_goes_on_when_there_is_room(
    limit, finished, make_run, photos, go
):
    run = make_run()
    largest = max(path.stat().st_size for path in finished.folder.rglob("*") if path.is_file())
    assert limit < largest  # else the limit would limit nothing

    def work():
        # no file may grow beyond this: what a full disk does, without filling one
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with pytest.raises(
            StorageError, match=r"could not be written: [\d,]+ bytes needed, [\d,]+"
        ):
            recording(run, photos)

    assert in_a_child(work) == 0
    assert run.summary.state in {"waiting", "stopped", "failed"}
    kept = checkpoints.newest(run.folder)
    logged = [line for _, line in run.log() if line["kind"] == "checkpoint"]
    assert (kept.state.step if kept else 0) >= (logged[-1]["step"] if logged else 0)
    go(run)
    assert weights(run) == weights(finished)
    assert history(run) == history(finished)
    assert moments(run) == moments(finished)
    assert leftovers(run) == []
