"""`seethrough export-log` in the terminal."""

import csv
import io
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest


def test_the_log_is_printed_as_a_table(seethrough, trained):
    said = seethrough("export-log", trained.id, "--csv", "--runs-dir", trained.runs_dir)
    assert said.code == 0
    table = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["epoch"] for row in table if row["kind"] == "epoch"] == ["0", "1", "2"]
    assert float(table[-1]["test_accuracy"]) == trained.said["test_accuracy"]


def test_a_file_for_tensorboard_is_written_and_named(seethrough, trained, tmp_path):
    place = tmp_path / "boards"
    said = seethrough(
        "export-log", trained.id, "--tensorboard", place, "--runs-dir", trained.runs_dir
    )
    assert said.code == 0
    (written,) = place.iterdir()
    assert said.err == f"Written: {written}\n"


def test_without_a_wish_it_asks_for_one(seethrough, trained):
    said = seethrough("export-log", trained.id, "--runs-dir", trained.runs_dir)
    assert said.code == 2
    assert "Say what to make: --csv or --tensorboard DIR." in said.err


def to_a_full_disk(*words, output):
    command = [sys.executable, "-m", "seethrough", *map(str, words)]
    return subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_output_that_takes_nothing_is_an_error_and_not_a_traceback(trained):
    words = "export-log", trained.id, "--csv", "--runs-dir", trained.runs_dir
    whole = to_a_full_disk(*words, output=subprocess.DEVNULL)
    assert (whole.returncode, whole.stderr) == (0, "")
    with Path("/dev/full").open("w") as full:
        said = to_a_full_disk(*words, output=full)
    assert said.returncode == 2
    assert said.stderr.startswith("The result could not be written to standard output: ")
    assert len(said.stderr.splitlines()) == 3


def starved(*words, most):
    """The program where no file may be longer than so many bytes."""
    return subprocess.run(
        [sys.executable, "-m", "seethrough", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )


@pytest.mark.parametrize("most", [0, 20, 1000])
def test_a_full_disk_is_said_with_the_bytes_and_nothing_is_left(trained, tmp_path, most):
    place = tmp_path / "boards"
    words = "export-log", trained.id, "--runs-dir", trained.runs_dir, "--tensorboard", place
    said = starved(*words, most=most)
    assert said.returncode == 2
    assert re.search(r"could not be written: [\d,]+ bytes needed, [\d,]+ free", said.stderr)
    assert list(place.iterdir()) == []


def test_an_onnx_file_on_a_full_disk_too(seethrough, trained, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    words = "export", trained.id, "--runs-dir", trained.runs_dir, "--output"
    assert seethrough(*words, tmp_path / "whole.onnx").code == 0  # the photos are decoded now
    said = starved(*words, place / "net.onnx", most=1000)
    assert said.returncode == 2, said.stderr
    assert re.search(r"at least [\d,]+ bytes needed, [\d,]+ free", said.stderr), said.stderr
    assert list(place.iterdir()) == []
