"""`seethrough train`, from a folder to weights: repeatable, stoppable, resumable."""

import shutil

import pytest

from seethrough.evaluate import wilson
from seethrough.model.checkpoint import weights_sha256
from seethrough.runs.folder import open_run

from .conftest import ASKED, NETWORK, ctrl_c_at_a_step, logged

FIELDS = {
    "run",
    "test_accuracy",
    "test_interval",
    "train_seconds",
    "epochs",
    "weights_sha256",
    "steered",
}


def test_the_json_is_the_runs_own_numbers(trained):
    run = open_run(trained.id, trained.runs_dir)
    assert trained.said.keys() == FIELDS
    assert trained.said["test_accuracy"] == run.report.accuracy
    assert tuple(trained.said["test_interval"]) == wilson(
        sum(run.report.confusion[place][place] for place in range(3)), run.report.images
    )
    assert trained.said["epochs"] == 2
    assert trained.said["train_seconds"] > 0
    assert len(bytes.fromhex(trained.said["weights_sha256"])) == 32


def test_stopped_and_resumed_it_ends_with_the_weights_of_the_run_that_was_not(
    seethrough, shapes, trained, tmp_path
):
    runs_dir = tmp_path / "runs"
    with ctrl_c_at_a_step(lambda: logged(runs_dir, '"kind": "epoch", "epoch": 1')):
        stopped = seethrough("train", shapes, *ASKED, "--runs-dir", runs_dir, "--json")
    assert (stopped.code, stopped.out) == (130, "")
    (run_id,) = [folder.name for folder in runs_dir.iterdir() if folder.is_dir()]
    assert f"{run_id} is saved" in stopped.err
    assert f"seethrough train --resume {run_id} --runs-dir {runs_dir}" in stopped.err
    resumed = seethrough("train", "--resume", run_id[:5], "--runs-dir", runs_dir, "--json")
    assert resumed.json["run"] == run_id
    assert resumed.json["weights_sha256"] == trained.said["weights_sha256"]
    assert resumed.json["test_accuracy"] == trained.said["test_accuracy"]


def test_people_see_each_epoch_the_score_and_what_to_do_next(seethrough, shapes):
    said = seethrough("train", shapes, *ASKED)
    assert said.code == 0
    assert "48 photos to learn from, 12 set aside for testing, 3 classes, 12 px" in said.err
    assert "epoch 2 of 2: loss" in said.err
    assert "right on 12 photos it has never seen" in said.out
    run_id = open_run("last").id
    assert f"  seethrough studio {run_id} " in said.err


def test_with_json_nothing_but_the_json_is_printed_when_all_is_well(seethrough, shapes):
    said = seethrough("train", shapes, *ASKED, "--epochs", "1", "--json")
    assert said.err == ""
    assert said.json["epochs"] == 1


def test_with_json_a_file_that_cannot_be_used_is_still_named(seethrough, shapes, tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(shapes, photos)
    first = sorted(folder for folder in photos.rglob("*") if folder.is_dir())[-1]
    (first / "notes.jpg").write_text("not a picture")
    said = seethrough("train", photos, *ASKED, "--epochs", "1", "--json")
    assert "1 file could not be used" in said.err
    assert "notes.jpg" in said.err
    assert said.json["epochs"] == 1


def test_a_recipe_file_holds_the_rest_and_flags_outrank_it(seethrough, shapes, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('epochs = 9\nbatch = 8\noptimizer = "adamw"\npeak_lr = 0.003\nshift_px = 1\n')
    words = ("--model", NETWORK, "--epochs", "1", "--recipe", recipe, "--json")
    run = open_run(seethrough("train", shapes, *words).json["run"])
    made = run.manifest.recipe
    assert (made.epochs, made.batch, made.peak_lr, made.shift_px) == (1, 8, 0.003, 1)
    assert run.manifest.dataset.image_px == 32


def test_a_preset_brings_its_own_size(seethrough, shapes):
    said = seethrough("train", shapes, "--model", "lenet-5", "--epochs", "1", "--json")
    assert open_run(said.json["run"]).manifest.network.image_px == 32
    assert open_run(said.json["run"]).manifest.network.name == "lenet-5"


@pytest.mark.parametrize(
    ("words", "remark"),
    [
        (["NOWHERE"], "NOWHERE"),
        (["SHAPES", "--model", "conv 4 k3, relu, conv"], "conv"),
        (["SHAPES", "--model", "conv 4 k99, flatten, dense"], "99"),
        (["--resume", "nobody"], "nobody"),
        (["SHAPES", "--resume", "last"], "Leave the others out"),
        ([], "FOLDER is missing"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_run_is_made(
    seethrough, shapes, tmp_path, words, remark
):
    named = [str(shapes) if word == "SHAPES" else word for word in words]
    said = seethrough("train", *named, "--runs-dir", tmp_path / "runs")
    assert (said.code, said.out) == (2, "")
    assert remark in said.err
    assert not list((tmp_path / "runs").glob("*/run.json"))


def test_a_finished_run_is_not_trained_on(seethrough, trained):
    said = seethrough("train", "--resume", trained.id, "--runs-dir", trained.runs_dir)
    assert said.code == 2
    assert f"{trained.id} is finished." in said.err


def test_files_that_are_no_photos_are_listed_and_the_rest_is_used(seethrough, shapes, tmp_path):
    folder = tmp_path / "photos"
    for path in shapes.rglob("*.png"):
        target = folder / path.relative_to(shapes)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (folder / "circle" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n half")
    (folder / "circle" / "words.jpg").write_text("not a photo")
    said = seethrough("train", folder, *ASKED, "--epochs", "1")
    assert said.code == 0
    assert "2 files could not be used:" in said.err
    assert "circle/broken.png" in said.err
    assert "circle/words.jpg" in said.err


def test_from_another_run_it_begins_with_that_run_s_network_and_weights(
    seethrough, shapes, trained, tmp_path
):
    photos = tmp_path / "photos"
    for label in ("circle", "square"):
        shutil.copytree(shapes / label, photos / label)
    place = ("--runs-dir", trained.runs_dir)
    try:
        said = seethrough("train", photos, "--from", trained.id, "--epochs", "2", *place)
        assert said.code == 0
        assert f"with the weights of {trained.id}, 2 epochs" in said.err
        run = open_run("last", trained.runs_dir)
        assert run.manifest.network == open_run(trained.id, trained.runs_dir).manifest.network
        assert run.manifest.start.weights_sha256 == trained.said["weights_sha256"]
        assert run.classifier.classes == ("circle", "square")
    finally:
        for folder in trained.runs_dir.iterdir():
            if folder.is_dir() and folder.name != trained.id:
                shutil.rmtree(folder)


@pytest.mark.parametrize("words", [("--model", "demo"), ("--image-px", "32")])
def test_from_another_run_takes_no_other_network_and_size(seethrough, shapes, trained, words):
    said = seethrough("train", shapes, "--from", trained.id, *words, "--runs-dir", trained.runs_dir)
    assert said.code == 2
    assert "Leave --model and --image-px out" in said.err


def notes(run):
    return [event["text"] for _, event in run.log() if event["kind"] == "note"]


def test_what_was_chosen_and_how_long_it_takes_is_said_once_and_logged(seethrough, shapes):
    said = seethrough("train", shapes, "--image-px", "12", "--epochs", "1", "--model", NETWORK)
    assert said.code == 0
    chosen, lasts = (line for line in said.err.splitlines() if line.startswith(("For ", "It will")))
    assert "48 photos to learn from, most about 16 px" in chosen
    assert "at 12 px (as asked); batches of 16, sgd with a rate of up to 0.0187" in chosen
    assert chosen.endswith("; 1 epoch (as asked).")
    assert "on this machine" in lasts
    assert notes(open_run("last")) == [chosen, lasts]


def test_minutes_choose_the_epochs_and_the_run_can_be_repeated_without_them(seethrough, shapes):
    words = ("--model", NETWORK, "--image-px", "12", "--seed", "7", "--json")
    timed = seethrough("train", shapes, *words, "--minutes", "0.02")
    assert timed.code == 0
    run = open_run(timed.json["run"])
    assert run.manifest.recipe.epochs == timed.json["epochs"] > 1
    assert len(notes(run)) == 2
    again = seethrough("train", shapes, *words, "--epochs", timed.json["epochs"])
    assert again.json["weights_sha256"] == timed.json["weights_sha256"]
    assert notes(open_run(again.json["run"])) == []


@pytest.mark.parametrize(
    ("words", "remark"),
    [
        (["--epochs", "2", "--minutes", "1"], "leave one of them out"),
        (["--minutes", "0"], "range"),
    ],
)
def test_minutes_that_cannot_be_are_refused(seethrough, shapes, tmp_path, words, remark):
    said = seethrough("train", shapes, *words, "--runs-dir", tmp_path / "runs")
    assert (said.code, said.out) == (2, "")
    assert remark in said.err
    assert not (tmp_path / "runs").exists()


def test_find_lr_draws_the_curve_suggests_a_rate_and_writes_nothing(seethrough, shapes, tmp_path):
    words = ("--model", NETWORK, "--image-px", "12", "--runs-dir", tmp_path / "runs", "--find-lr")
    said = seethrough("train", shapes, *words)
    assert said.code == 0
    assert "smoothed loss" in said.out
    assert "Nothing is written" in said.err
    told = seethrough("train", shapes, *words, "--json").json
    assert told.keys() == {"steepest", "diverged", "suggested", "trials"}
    assert told["trials"][0].keys() == {"rate", "loss", "smoothed"}
    assert f"peak_lr = {told['suggested']:.2g}" in said.out
    assert not (tmp_path / "runs").exists()


def test_find_lr_ends_at_ctrl_c_without_a_word_on_standard_output(seethrough, shapes):
    with ctrl_c_at_a_step():
        said = seethrough("train", shapes, "--model", "lenet-5", "--find-lr", "--json")
    assert (said.code, said.out) == (130, "")


@pytest.mark.parametrize("words", [("--epochs", "2"), ("--minutes", "1"), ("--from", "last")])
def test_find_lr_takes_nothing_that_it_would_not_use(seethrough, shapes, words):
    said = seethrough("train", shapes, "--find-lr", *words)
    assert said.code == 2
    assert "--epochs and --minutes out" in said.err


def test_where_memory_is_short_batches_are_computed_in_parts_and_it_is_said(
    seethrough, shapes, monkeypatch
):
    monkeypatch.setattr("seethrough.train.memory.free_bytes", lambda _: 250_000)
    said = seethrough("train", shapes, *ASKED)
    assert open_run("last").manifest.recipe.micro_batch == 8
    assert (
        "batches of 16, sgd with a rate of up to 0.0187, computed 8 at a time because" in said.err
    )


def test_averaged_weights_are_the_run_s_weights_also_after_a_stop(seethrough, shapes, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("batch = 8\nshift_px = 1\nema = 0.95\nmixup = 0.2\ncutout_px = 3\n")
    words = (*ASKED, "--recipe", recipe, "--json")
    whole = seethrough("train", shapes, *words, "--runs-dir", tmp_path / "whole").json
    place = ("--runs-dir", tmp_path / "cut")
    with ctrl_c_at_a_step(lambda: logged(tmp_path / "cut", '"kind": "epoch", "epoch": 1')):
        stopped = seethrough("train", shapes, *words, *place)
    assert stopped.code == 130
    run = open_run("last", tmp_path / "cut")
    (kept,) = [e for _, e in run.log() if e["kind"] == "checkpoint"][-1:]
    assert weights_sha256(run.classifier.module) == kept["weights_sha256"]
    resumed = seethrough("train", "--resume", "last", *place, "--json").json
    assert resumed["weights_sha256"] == whole["weights_sha256"]
    assert (
        weights_sha256(open_run("last", tmp_path / "cut").classifier.module)
        == (whole["weights_sha256"])
    )


@pytest.mark.parametrize(
    ("words", "threads"), [((), "1"), (("--device", "cpu"), "1"), (("--threads", 2), "2")]
)
def test_how_many_threads_compute_is_recorded(seethrough, shapes, tmp_path, words, threads):
    said = seethrough("train", shapes, *ASKED, "--runs-dir", tmp_path, "--json", *words)
    run = open_run(said.json["run"], tmp_path)
    assert run.manifest.environment["threads"] == threads
