"""The real program, stopped, killed and starved in every phase: nothing is lost or differs."""

import json
import os
import random
import resource
import signal
import threading
import time
from pathlib import Path

import PIL.Image
import pytest
import torch
from tests.cli.conftest import NETWORK
from tests.cli.program import at_call, forked, small_disk, started

from seethrough.cli.main import main
from seethrough.errors import CheckpointError
from seethrough.model import checkpoint
from seethrough.runs.folder import open_run, run_ids

EPOCHS = 3
# a network whose checkpoints take longer to write than its steps to compute
LARGE = "conv 8 k3 p1, norm, relu, flatten, dense 160, relu, dense"


def words(shapes, runs_dir, network=NETWORK):
    asked = ("--model", network, "--image-px", "12", "--epochs", EPOCHS, "--seed", "7", "--json")
    return ("train", shapes, *asked, "--runs-dir", runs_dir)


@pytest.fixture
def whole(seethrough, shapes, tmp_path):
    """The hash of the weights of a training that nobody disturbed."""
    said = seethrough(*words(shapes, tmp_path / "whole")).json
    return said["weights_sha256"]


def good_checkpoints(run):
    """Steps of all checkpoints that are whole."""
    found = []
    for path in sorted((run.folder / "checkpoints").glob("step-*.safetensors")):
        try:
            found.append(int(checkpoint.read(path)[1]["step"]))
        except CheckpointError:
            continue
    return found


def logged(run, kind):
    return [line for _, line in run.log() if line["kind"] == kind]


def leftovers(folder):
    return [path.name for path in folder.rglob("*") if path.suffix in {".partial", ".tmp"}]


# ---------------------------------------------------------------- asked to stop

# Where the signal comes: at the n-th call of a function of Python, Pillow or torch.
PHASES = {
    "scan": (PIL.Image, "open", 20, {}),
    "judging the untrained network": (
        torch.nn.functional,
        "cross_entropy",
        1,
        {"reduction": "sum"},
    ),
    "first step": (torch.Tensor, "backward", 1, {}),
    "fifth step": (torch.Tensor, "backward", 5, {}),
    "evaluation": (torch.nn.functional, "cross_entropy", 2, {"reduction": "sum"}),
    "checkpoint": (Path, "replace", None, {}),
    "results": (Path, "replace", None, {}),
}


def signalled(phase, number):
    """Make this process send itself a signal in a phase."""
    owner, name, call, wanted = PHASES[phase]

    def send():
        os.kill(os.getpid(), number)

    if call is not None:
        at_call(owner, name, call, send, **wanted)
        return
    wanted_name = {"checkpoint": "step-", "results": "weights"}[phase]
    rename, is_sent = Path.replace, []

    def replace(path, target):
        if Path(target).name.startswith(wanted_name) and not is_sent:
            is_sent.append(True)
            send()
        return rename(path, target)

    Path.replace = replace


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("phase", PHASES)
def test_asked_to_stop_in_any_phase_it_saves_ends_and_goes_on(
    phase, number, seethrough, shapes, whole, tmp_path, monkeypatch
):
    monkeypatch.setenv("SEETHROUGH_CACHE", str(tmp_path / "own cache"))
    runs_dir = tmp_path / "runs"
    asked = words(shapes, runs_dir)
    program = started(tmp_path / "out", *asked, before=lambda: signalled(phase, number))
    code, said = program.wait()
    assert (code, "Stopped." in said) == (130, True), said
    assert leftovers(runs_dir) == []
    assert leftovers(tmp_path / "own cache") == []
    if phase == "scan":
        assert run_ids(runs_dir) == []
        assert seethrough(*asked).json["weights_sha256"] == whole
        return
    run = open_run("last", runs_dir)
    assert run.summary.state == "stopped"
    steps = [line["step"] for line in logged(run, "step")]
    # everything that was learned is in the checkpoint, also of the step under way
    assert good_checkpoints(run)[-1:] == steps[-1:]
    assert steps
    said = seethrough("train", "--resume", "last", "--json", "--runs-dir", runs_dir)
    assert said.json["weights_sha256"] == whole


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_within_a_step_that_takes_a_minute_it_is_out_in_ten_seconds(
    number, seethrough, shapes, whole, tmp_path
):
    """Every layer takes longer from the fourth step on, and four seconds backwards in the fifth."""
    sent = tmp_path / "sent"

    def slow():
        drags_s = [0.3]

        def drag(*_):
            time.sleep(drags_s[0])

        def dragged(module, given, answer):
            drag()
            if isinstance(answer, torch.Tensor) and answer.requires_grad:
                answer.register_hook(drag)

        def begin():
            torch.nn.modules.module.register_module_forward_hook(dragged)

        def send():
            sent.write_text(str(time.monotonic()))
            os.kill(os.getpid(), number)

        def stick():
            drags_s[0] = 4
            threading.Timer(1.0, send).start()

        at_call(torch.Tensor, "backward", 5, stick)
        at_call(torch.Tensor, "backward", 3, begin)

    runs_dir = tmp_path / "runs"
    program = started(tmp_path / "out", *words(shapes, runs_dir), before=slow)
    code, said = program.wait()
    waited_s = time.monotonic() - float(sent.read_text())
    assert (code, "Stopped." in said) == (130, True), said
    assert waited_s < 10
    run = open_run("last", runs_dir)
    assert [line["step"] for line in logged(run, "step")] == [1, 2, 3, 4]
    assert good_checkpoints(run)[-1:] == [4]
    said = seethrough("train", "--resume", "last", "--json", "--runs-dir", runs_dir)
    assert said.json["weights_sha256"] == whole


# ---------------------------------------------------------------- killed


def in_writing(run):
    """Whether a checkpoint was being written: under its temporary name, or not yet in the log."""
    folder = run.folder / "checkpoints"
    if any(folder.glob(".step-*.partial")):
        return True
    told = {line["step"] for line in logged(run, "checkpoint")}
    return any(int(path.stem[5:]) not in told for path in folder.glob("step-*.safetensors"))


def killed(program, run_dir, chance, *, lasts_s):
    """Kill it at a random moment; of all moments, or of those in which it writes a checkpoint."""
    until = time.monotonic() + chance.random() * lasts_s
    if chance.random() < 0.5:
        wanted = chance.randrange(1, EPOCHS + 1)
        seen, until = set(), time.monotonic() + 2 * lasts_s
        while len(seen) < wanted and time.monotonic() < until:
            for folder in run_dir.glob("*/checkpoints"):
                seen |= set(folder.glob(".step-*"))
        until = time.monotonic() + chance.random() * 0.01
    while time.monotonic() < until:
        pass
    os.kill(program.pid, signal.SIGKILL)
    return program.wait()[0]


@pytest.mark.parametrize(
    "trials", [pytest.param(3, id="3"), pytest.param(200, id="200", marks=pytest.mark.full)]
)
def test_killed_at_random_moments_it_resumes_without_flags_to_the_same_bits(
    trials, seethrough, shapes, tmp_path
):
    chance = random.Random(13)
    whole = seethrough(*words(shapes, tmp_path / "whole", LARGE)).json["weights_sha256"]
    began = time.monotonic()
    program = started(tmp_path / "out", *words(shapes, tmp_path / "timed", LARGE))
    assert program.wait()[0] == 0
    lasts_s = time.monotonic() - began
    hits, kills = 0, 0
    while kills < trials:
        runs_dir = tmp_path / f"runs-{kills}"
        program = started(tmp_path / "out", *words(shapes, runs_dir, LARGE))
        code = killed(program, runs_dir, chance, lasts_s=lasts_s)
        if code == 0 or not run_ids(runs_dir):  # too late, or before there was a run
            continue
        assert code == -signal.SIGKILL
        run = open_run("last", runs_dir)
        kills += 1
        if run.summary.state == "finished":
            continue
        hits += in_writing(run)
        assert run.summary.state == "stopped"
        steps = [0, *(line["step"] for line in logged(run, "step"))]
        per_epoch = 3  # 48 photos in batches of 16
        kept = good_checkpoints(run)
        assert steps[-1] - ([0, *kept])[-1] <= per_epoch  # at most one interval is lost
        assert len(kept) >= min(2, len(logged(run, "checkpoint")))
        said = seethrough("train", "--resume", "last", "--json", "--runs-dir", runs_dir)
        assert said.json["weights_sha256"] == whole
        assert leftovers(run.folder) == []
    print(f"{hits} of {kills} kills hit a checkpoint being written")
    assert hits >= 0.3 * kills or trials < 100


def test_killed_before_its_first_epoch_a_run_is_stopped_not_waiting(
    seethrough, shapes, whole, tmp_path
):
    runs_dir = tmp_path / "runs"

    def deadly():
        act = lambda: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
        at_call(torch.nn.functional, "cross_entropy", 1, act, reduction="sum")

    code, _ = started(tmp_path / "out", *words(shapes, runs_dir), before=deadly).wait()
    assert code == -signal.SIGKILL
    run = open_run("last", runs_dir)
    assert logged(run, "epoch") == logged(run, "step") == []
    assert run.summary.state == "stopped"
    said = seethrough("train", "--resume", "last", "--json", "--runs-dir", runs_dir)
    assert said.json["weights_sha256"] == whole


# ---------------------------------------------------------------- a full disk


def spread(low, high, count):
    return [low + (high - low) * number // (count - 1) for number in range(count)]


def check_refused(said, run):
    """The error names the place, what was needed and what was free; two good ones are kept."""
    assert "needed" in said, said
    assert "free" in said
    assert "Traceback" not in said
    if run is not None:
        assert str(run.folder) in said or "photos cannot be written" in said
        assert run.summary.state in {"waiting", "stopped", "failed"}
        kept = good_checkpoints(run)
        told = [line["step"] for line in logged(run, "checkpoint")]
        assert len(kept) >= min(2, len(told))
        assert ([0, *kept])[-1] >= ([0, *told])[-1]


@pytest.mark.parametrize(
    "trials", [pytest.param(6, id="6"), pytest.param(100, id="100", marks=pytest.mark.full)]
)
def test_where_files_may_not_grow_any_offset_of_every_writer_is_refused_in_order(
    trials, seethrough, shapes, whole, tmp_path, monkeypatch
):
    """RLIMIT_FSIZE: no file may be longer than that, wherever its writer is then."""
    files = [path for path in (tmp_path / "whole").rglob("*") if path.is_file()]
    largest = max(path.stat().st_size for path in files)
    for number, limit in enumerate(spread(0, largest - 1, trials)):
        runs_dir = tmp_path / f"runs-{number}"
        monkeypatch.setenv("SEETHROUGH_CACHE", str(tmp_path / f"cache-{number}"))

        def starved(limit=limit):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        # what the program prints goes to a pipe, which may grow
        code, said = limited(tmp_path, words(shapes, runs_dir), starved)
        assert code == 2, said
        made = run_ids(runs_dir)
        run = open_run("last", runs_dir) if made else None
        check_refused(said, run)
        asked = ("train", "--resume", "last", "--json", "--runs-dir", runs_dir)
        again = seethrough(*(asked if made else words(shapes, runs_dir)))
        assert again.json["weights_sha256"] == whole
        assert leftovers(runs_dir) == []


def limited(tmp_path, asked, before):
    """Exit code and words of the program, which come through a pipe."""
    out, into = os.pipe()

    def work():
        os.dup2(into, 1)
        os.dup2(into, 2)
        before()
        return main([str(word) for word in asked])

    program = forked(tmp_path / "out", work)
    os.close(into)
    with os.fdopen(out) as said:
        content = said.read()
    return program.wait()[0], content


@pytest.mark.parametrize(
    "trials", [pytest.param(4, id="4"), pytest.param(100, id="100", marks=pytest.mark.full)]
)
def test_on_a_disk_that_is_really_full_it_says_so_and_goes_on_when_there_is_room(
    trials, seethrough, shapes, whole, tmp_path
):
    """A file system of its own for every trial, of so many pages, that grows when all was said."""
    disk = tmp_path / "disk"
    disk.mkdir()
    written = sum(path.stat().st_size for path in (tmp_path / "whole").rglob("*"))
    page = resource.getpagesize()

    for pages in spread(3, written // page - 1, trials):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)

        def work(pages=pages, report=report):
            try:
                small_disk(disk, pages * page)
            except OSError as error:
                report.write_text(json.dumps({"skipped": str(error)}))
                return 0
            asked = words(shapes, disk / "runs")
            code = main([str(word) for word in asked])
            made = run_ids(disk / "runs")
            run = open_run("last", disk / "runs") if made else None
            told = (tmp_path / "out").read_text()
            check_refused(told, run)
            small_disk(disk, 1 << 28, is_there=True)
            resume = ["train", "--resume", "last", "--json", "--runs-dir", str(disk / "runs")]
            again = main(resume if made else [str(word) for word in asked])
            (end,) = logged(open_run("last", disk / "runs"), "end")[-1:]
            answer = {"code": code, "again": again, "weights": end["weights_sha256"]}
            report.write_text(json.dumps(answer))
            return 0

        code, said = forked(tmp_path / "out", work).wait()
        assert code == 0, said
        answer = json.loads(report.read_text())
        if "skipped" in answer:
            pytest.skip(f"this user may not mount a file system: {answer['skipped']}")
        assert answer == {"code": 2, "again": 0, "weights": whole}
