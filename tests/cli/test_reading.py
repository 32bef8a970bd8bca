"""`runs`, `evaluate`, `predict`: what is printed is what Python gives."""

import pytest

from seethrough.evaluate import Report
from seethrough.runs.folder import open_run
from seethrough.serve.wire import PredictionMessage, ReportMessage, RunSummary


def test_runs_are_listed_newest_first_in_the_servers_words(seethrough, trained):
    said = seethrough("runs", "--runs-dir", trained.runs_dir, "--json")
    (summary,) = [RunSummary.model_validate(each) for each in said.json]
    assert (summary.id, summary.state, summary.epoch) == (trained.id, "finished", 2)
    assert summary.test_accuracy == trained.said["test_accuracy"]
    shown = seethrough("runs", "--runs-dir", trained.runs_dir).out.splitlines()
    assert shown[0].split()[:2] == ["run", "state"]
    assert shown[1].split()[:3] == [trained.id, "finished", "shapes"]


def test_no_runs_is_an_empty_list(seethrough, tmp_path):
    assert seethrough("runs", "--runs-dir", tmp_path, "--json").json == []
    said = seethrough("runs", "--runs-dir", tmp_path)
    assert (said.code, "There are no runs in" in said.out) == (0, True)


@pytest.mark.parametrize("reference", ["last", "ID", "BEGINNING", "FOLDER"])
def test_a_run_is_found_by_id_beginning_folder_and_last(seethrough, trained, reference):
    names = {"ID": trained.id, "BEGINNING": trained.id[:6], "FOLDER": trained.runs_dir / trained.id}
    said = seethrough(
        "evaluate", names.get(reference, reference), "--runs-dir", trained.runs_dir, "--json"
    )
    assert said.json["accuracy"] == trained.said["test_accuracy"]


def test_the_evaluation_is_the_runs_report_in_the_servers_words(seethrough, trained):
    said = seethrough("evaluate", trained.id, "--runs-dir", trained.runs_dir, "--json")
    report = open_run(trained.id, trained.runs_dir).report
    assert Report.from_dict(said.json) == report
    assert ReportMessage.model_validate(said.json).verdict == report.verdict
    shown = seethrough("evaluate", trained.id, "--runs-dir", trained.runs_dir).out
    flowing = " ".join(shown.split())
    assert f"{100 * report.accuracy:.1f} % right on 12 photos it has never seen" in flowing
    assert report.verdict in flowing
    assert report.explanation in flowing
    assert "circle" in shown.splitlines()[-3]


def test_predictions_are_those_of_python_to_the_last_digit(seethrough, shapes, trained):
    paths = sorted((shapes / "circle").iterdir())[:3]
    said = seethrough("predict", trained.id, *paths, "--runs-dir", trained.runs_dir, "--json")
    classifier = open_run(trained.id, trained.runs_dir).classifier
    assert said.code == 0
    for row, path in zip(said.json, paths, strict=True):
        message = PredictionMessage.model_validate(row)
        assert row == classifier.predict(path).to_dict()
        assert message.path == str(path)
        assert sum(message.probabilities.values()) == pytest.approx(1, abs=1e-6)
        assert max(message.probabilities.values()) == message.probability


def test_a_folder_stands_for_all_photos_in_it_and_words_are_listed_with_the_reason(
    seethrough, shapes, trained, tmp_path
):
    deep = tmp_path / "holiday" / "day 1 ☀"
    deep.mkdir(parents=True)
    (deep / "one.png").write_bytes(next((shapes / "square").iterdir()).read_bytes())
    (deep / "two.jpg").write_text("no photo")
    words = ("predict", trained.id, tmp_path / "holiday", "--runs-dir", trained.runs_dir)
    said = seethrough(*words, "--json")
    good, bad = said.json
    assert said.code == 0
    assert good["path"].endswith("day 1 ☀/one.png")
    assert bad.keys() == {"path", "error"}
    assert bad["error"].keys() == {"what", "why", "fix"}
    shown = seethrough(*words)
    assert good["label"] in shown.out
    assert "fix: " in shown.err


def test_if_no_file_can_be_read_the_code_is_2(seethrough, trained, tmp_path):
    (tmp_path / "words.txt").write_text("no photo")
    words = ("predict", trained.id, tmp_path / "words.txt", tmp_path / "missing.jpg")
    said = seethrough(*words, "--runs-dir", trained.runs_dir, "--json")
    assert said.code == 2
    assert [each["path"] for each in said.json] == [str(word) for word in words[2:]]
