"""`seethrough export-log` in the terminal."""

import csv
import io


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
