"""`train` in several processes: one run, one voice, and the weights that one process has."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from tests.cli.conftest import ASKED, NETWORK
from tests.train.together import forked, free_port

from seethrough.cli.main import main
from seethrough.model.spec import parse, to_toml
from seethrough.runs.folder import open_run, run_ids
from seethrough.runs.steering import ask


def told(size, *words):
    """Exit code, standard output and standard error of every process of a world of this size."""

    def work(rank):
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = main([str(word) for word in words])
        return json.dumps([code, out.getvalue(), err.getvalue()])

    answers = []
    for child, pipe in forked(size, work):
        with os.fdopen(pipe, "rb") as said:
            content = said.read()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        answers.append(json.loads(content[content.index(b"[") : content.rindex(b"]") + 1]))
    return answers


@pytest.fixture
def sliced(tmp_path):
    """A recipe whose batches three processes can share."""
    path = tmp_path / "recipe.toml"
    path.write_text("epochs = 2\nbatch = 16\npeak_lr = 0.05\nshift_px = 1\nslices = 4\n")
    return path


def test_only_the_first_process_prints_and_records(seethrough, shapes, sliced, tmp_path):
    words = ("train", shapes, *ASKED, "--recipe", sliced, "--json", "--runs-dir")
    alone = seethrough(*words, tmp_path / "alone")
    first, *others = told(3, *words, tmp_path / "several")
    assert others == [[0, "", ""]] * 2
    assert first[0] == 0
    said = json.loads(first[1])
    assert said["weights_sha256"] == alone.json["weights_sha256"]
    assert run_ids(tmp_path / "several") == [said["run"]]


def test_the_number_of_slices_is_chosen_said_and_kept(seethrough, shapes, tmp_path):
    (first, other) = told(2, "train", shapes, *ASKED, "--runs-dir", tmp_path)
    assert other == [0, "", ""]
    assert "2 processes share each batch, cut into 2 slices." in first[2]
    run = open_run("last", tmp_path)
    assert run.manifest.recipe.slices == 2
    notes = [line["text"] for _, line in run.log() if line["kind"] == "note"]
    assert [note[:11] for note in notes] == ["2 processes"]
    recipe = tmp_path / "again.toml"
    recipe.write_text(run.manifest.recipe.to_toml())
    again = seethrough("train", shapes, *ASKED, "--recipe", recipe, "--json")
    (end,) = [line for _, line in run.log() if line["kind"] == "end"]
    assert again.json["weights_sha256"] == end["weights_sha256"]


@pytest.mark.full
def test_a_pause_holds_all_and_all_go_on(seethrough, shapes, sliced, tmp_path):
    words = ("train", shapes, *ASKED, "--recipe", sliced, "--epochs", "9", "--json", "--runs-dir")
    alone = seethrough(*words, tmp_path / "alone")
    runs_dir = tmp_path / "several"
    started = forked(2, lambda rank: main([str(word) for word in (*words, runs_dir)]))

    def log():
        return "".join(path.read_text() for path in runs_dir.glob("*/log.jsonl"))

    while '"kind": "step"' not in log():
        assert os.waitpid(started[0][0], os.WNOHANG) == (0, 0)
    run = open_run("last", runs_dir)
    ask(run.folder, is_paused=True)
    while '"kind": "paused"' not in log():
        assert os.waitpid(started[0][0], os.WNOHANG) == (0, 0)
    ask(run.folder, is_paused=False)
    for child, pipe in started:
        with os.fdopen(pipe, "rb") as said:
            assert said.read()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    (end,) = [line for _, line in run.log() if line["kind"] == "end"]
    assert '"kind": "went_on"' in log()
    assert end["weights_sha256"] == alone.json["weights_sha256"]


def test_a_mistake_is_told_once_and_all_end(shapes, tmp_path):
    first, other = told(2, "train", tmp_path / "nowhere", "--runs-dir", tmp_path / "runs")
    assert first[0] == other[0] == 2
    assert "nowhere" in first[2]
    assert other[1:] == ["", ""]


def test_a_run_of_one_slice_takes_no_second_process(seethrough, shapes, trained):
    first, other = told(2, "train", "--resume", trained.id, "--runs-dir", trained.runs_dir)
    assert (first[0], other) == (2, [2, "", ""])
    assert "is finished" in first[2]


# Real programs, started by torchrun itself.


def torchrun(size, *words, **options):
    """torchrun on this machine, in a session of its own."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", size]
    command += ["--master-port", free_port(), "-m", "seethrough", *words]
    return subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


def workers(agent, size):
    """Ids of the processes that torchrun started, in the order of their ranks."""
    found = {}
    for child in Path(f"/proc/{agent}/task/{agent}/children").read_text().split():
        try:
            settings = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for setting in settings:
            if setting.startswith(b"RANK="):
                found[int(setting[5:])] = int(child)
    return [found[rank] for rank in sorted(found)] if len(found) == size else []


def wait_for(what, process):
    """The first answer of `what` that is not empty."""
    while process.poll() is None:
        if answer := what():
            return answer
    out, err = process.communicate()
    raise AssertionError(f"it ended too early: {out}{err}")


def steps_of(runs_dir):
    """How many steps the only run has logged."""
    return sum(log.read_text().count('"kind": "step"') for log in runs_dir.glob("*/log.jsonl"))


@pytest.mark.full
@pytest.mark.parametrize("killed", [0, 1, 2])
def test_torchrun_with_one_process_killed_ends_and_names_it(shapes, sliced, tmp_path, killed):
    runs_dir = tmp_path / "runs"
    words = ("train", shapes, *ASKED, "--epochs", "100000", "--recipe", sliced)
    agent = torchrun(3, *words, "--runs-dir", runs_dir)
    ranks = wait_for(lambda: workers(agent.pid, 3), agent)
    wait_for(lambda: runs_dir.exists() and steps_of(runs_dir) > 20, agent)
    os.kill(ranks[killed], signal.SIGKILL)
    _, err = agent.communicate(timeout=60)  # the promise itself: all are gone within a minute
    assert agent.returncode != 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in ranks)
    assert f"The process with rank {killed} of the 3 that train together is gone." in err
    cause = err[err.index("Root Cause") :]
    assert f"rank      : {killed}" in cause
    run = open_run("last", runs_dir)
    assert run.summary.state == ("stopped" if killed == 0 else "failed")


@pytest.mark.full
def test_a_process_that_only_falls_silent_is_missed_and_all_end(shapes, sliced, tmp_path):
    runs_dir = tmp_path / "runs"
    words = ("train", shapes, *ASKED, "--epochs", "100000", "--recipe", sliced)
    agent = torchrun(2, *words, "--runs-dir", runs_dir)
    ranks = wait_for(lambda: workers(agent.pid, 2), agent)
    wait_for(lambda: runs_dir.exists() and steps_of(runs_dir) > 20, agent)
    os.kill(ranks[1], signal.SIGSTOP)
    _, err = agent.communicate(timeout=60)
    assert "The process with rank 1 of the 2 that train together is gone." in err
    assert not any(Path(f"/proc/{pid}").exists() for pid in ranks)
    assert open_run("last", runs_dir).summary.state == "stopped"


# Two machines, each with a network of its own, and one wire between them. $1 and on: torchrun.
MACHINES = r"""
set -e
ip link set lo up
ip link add left type veth peer name right
ip addr add 10.77.0.1/24 dev left && ip link set left up
unshare -n sleep 600 & other=$!
while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
ip link set right netns $other
in_other="nsenter -t $other -n"
$in_other ip link set lo up
$in_other ip addr add 10.77.0.2/24 dev right && $in_other ip link set right up
export OMP_NUM_THREADS=1
set +e
GLOO_SOCKET_IFNAME=right $in_other "$@" --node-rank 1 $TRAIN --runs-dir "$NOWHERE" \
    >"$OUT/right" 2>&1 & right=$!
GLOO_SOCKET_IFNAME=left "$@" --node-rank 0 $TRAIN --runs-dir "$RUNS" >"$OUT/left" 2>&1 & left=$!
if [ -n "$CUT" ]; then
    until [ "$(cat "$RUNS"/*/log.jsonl 2>/dev/null | grep -c '"step"')" -gt 20 ]; do
        kill -0 $left || break
    done
    ip link set left down
fi
wait $left; echo "left $?" >>"$OUT/codes"
wait $right; echo "right $?" >>"$OUT/codes"
kill $other
"""


def two_machines(tmp_path, recipe, shapes, *words, cut=""):
    """What torchrun answered on both, their words, and the folder of runs of the first."""
    if subprocess.run(["unshare", "-rn", "true"], check=False).returncode:
        pytest.skip("this user may not make a network namespace")
    train = ["-m", "seethrough", "train", shapes, *words, "--recipe", recipe]
    settings = {
        "OUT": tmp_path,
        "RUNS": tmp_path / "several",
        "NOWHERE": tmp_path / "nowhere",
        "TRAIN": " ".join(map(str, train)),
        "CUT": cut,
    }
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"]
    command += ["--nproc-per-node", "1", "--master-addr", "10.77.0.1", "--master-port", "29511"]
    subprocess.run(
        ["unshare", "-rn", "bash", "-c", MACHINES, "machines", *command],
        env={**os.environ, **{name: str(value) for name, value in settings.items()}},
        check=False,
        timeout=300,
    )
    said = {name: (tmp_path / name).read_text() for name in ("left", "right", "codes")}
    return said, tmp_path / "several"


@pytest.mark.full
def test_across_two_networks_it_ends_with_the_weights_of_one_process(
    seethrough, shapes, sliced, tmp_path
):
    words = ("--model", NETWORK, "--image-px", "12", "--seed", "7", "--json")
    alone = seethrough("train", shapes, *words, "--recipe", sliced)
    words = ("--model", f"{sliced.with_name('net.toml')}", *words[2:])
    spec = parse(NETWORK, name="small", image_px=12)
    sliced.with_name("net.toml").write_text(to_toml(spec))
    said, runs_dir = two_machines(tmp_path, sliced, shapes, *words)
    assert said["codes"] == "left 0\nright 0\n", said
    assert f'"weights_sha256": "{alone.json["weights_sha256"]}"' in said["left"]
    assert not (tmp_path / "nowhere").exists()
    assert len(run_ids(runs_dir)) == 1


@pytest.mark.full
def test_where_the_wire_between_two_machines_is_cut_both_sides_end(shapes, sliced, tmp_path):
    words = ("--model", "lenet-5", "--epochs", "100000", "--seed", "7")
    said, runs_dir = two_machines(tmp_path, sliced, shapes, *words, cut="yes")
    assert "left 0" not in said["codes"]
    assert "right 0" not in said["codes"]
    assert "The process with rank 1 of the 2 that train together is gone." in said["left"]
    assert open_run("last", runs_dir).summary.state == "stopped"


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_torchrun_asked_to_stop_saves_and_one_process_goes_on(
    seethrough, shapes, sliced, tmp_path, number
):
    words = ("train", shapes, *ASKED, "--epochs", "40", "--recipe", sliced)
    whole = seethrough(*words, "--json", "--runs-dir", tmp_path / "whole")
    runs_dir = tmp_path / "runs"
    agent = torchrun(2, *words, "--runs-dir", runs_dir)
    wait_for(lambda: runs_dir.exists() and steps_of(runs_dir) > 20, agent)
    # Ctrl-C reaches every process of the terminal, and torchrun passes it on as well
    os.killpg(agent.pid, number)
    _, err = agent.communicate(timeout=60)
    run = open_run("last", runs_dir)
    assert run.summary.state == "stopped", err
    assert f"--resume {run.id}" in err
    resumed = seethrough("train", "--resume", "last", "--json", "--runs-dir", runs_dir)
    assert resumed.json["weights_sha256"] == whole.json["weights_sha256"]


def test_threads_are_for_one_process(shapes, tmp_path):
    said = told(2, "train", shapes, *ASKED, "--threads", 2, "--runs-dir", tmp_path)
    assert [code for code, _, _ in said] == [2, 2]
    assert all("OMP_NUM_THREADS=N before torchrun" in errors for _, _, errors in said)
    assert run_ids(tmp_path) == []
