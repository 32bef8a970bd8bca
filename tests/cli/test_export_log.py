"""`seethrough export-log` in the terminal."""

import csv
import io
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
