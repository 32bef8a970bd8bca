"""A run's log as a table and as TensorBoard reads it, against the log itself."""

import builtins
import csv
import io
from datetime import datetime

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seethrough.errors import RunError, StorageError
from seethrough.runs.series import to_csv, to_tensorboard


def lines_of(run, kind):
    return [line for _, line in run.log() if line["kind"] == kind]


def test_every_step_and_epoch_is_a_row_of_the_table_with_the_log_s_own_digits(finished):
    table = list(csv.DictReader(io.StringIO(to_csv(finished))))
    steps, epochs = lines_of(finished, "step"), lines_of(finished, "epoch")
    assert [row["kind"] for row in table] == [
        line["kind"] for _, line in finished.log() if line["kind"] in {"step", "epoch"}
    ]
    assert [(float(row["loss"]), float(row["lr"])) for row in table if row["kind"] == "step"] == [
        (line["loss"], line["lr"]) for line in steps
    ]
    last = table[-1]
    assert float(last["test_accuracy"]) == epochs[-1]["test_accuracy"]
    assert float(last["seconds.forward"]) == epochs[-1]["time_s"]["forward"]
    for layer in epochs[-1]["layers"]:
        assert float(last[f"gradient_norm.{layer['name']}"]) == layer["gradient_norm"]
        assert float(last[f"update_share.{layer['name']}"]) == layer["update_share"]
    untrained = table[0]
    assert (untrained["train_loss"], untrained["gradient_norm.conv1"]) == ("", "")


def test_tensorboard_reads_back_what_the_log_says(finished, tmp_path):
    written = to_tensorboard(finished, tmp_path / "boards")
    assert written.parent == tmp_path / "boards"
    board = EventAccumulator(str(written), size_guidance={"scalars": 0})
    board.Reload()
    steps, epochs = lines_of(finished, "step"), lines_of(finished, "epoch")
    loss = board.Scalars("loss/step")
    assert [each.step for each in loss] == [line["step"] for line in steps]
    assert [each.value for each in loss] == [np.float32(line["loss"]) for line in steps]
    began = datetime.fromisoformat(finished.manifest.created).timestamp()
    assert loss[-1].wall_time == pytest.approx(began + steps[-1]["elapsed_s"])
    accuracy = board.Scalars("accuracy/test")
    assert [each.step for each in accuracy] == [line["step"] for line in epochs]
    assert accuracy[-1].value == np.float32(epochs[-1]["test_accuracy"])
    norms = board.Scalars("gradient_norm/conv1")
    assert len(norms) == len(epochs) - 1  # the untrained network was not pulled
    parts = set(epochs[-1]["time_s"])
    assert {tag for tag in board.Tags()["scalars"] if tag.startswith("seconds/")} == {
        f"seconds/{part}" for part in parts
    }


def test_written_again_it_takes_the_place_of_what_was_there(finished, tmp_path):
    first = to_tensorboard(finished, tmp_path / "boards")
    content = first.read_bytes()
    assert to_tensorboard(finished, tmp_path / "boards") == first
    assert [path.read_bytes() for path in (tmp_path / "boards").iterdir()] == [content]


def test_without_the_library_it_says_what_to_install(finished, tmp_path, monkeypatch):
    """The import fails as it does where the extra was not installed."""
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("tensorboard"):
            raise ModuleNotFoundError("No module named 'tensorboard'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RunError, match="a library that is not installed") as refused:
        to_tensorboard(finished, tmp_path / "boards")
    assert "seethrough[tensorboard]" in refused.value.fix
    assert not (tmp_path / "boards").exists()


def test_a_folder_that_cannot_be_made_is_named(finished, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file/boards/.* could not be written"):
        to_tensorboard(finished, tmp_path / "file" / "boards")
