"""record.py: what stands on the disk, and what interruptions leave of it."""

import dataclasses
import json

import numpy as np
import pytest
from pydantic import TypeAdapter
from tests.runs.history import history, notes, weights

from seethrough.data.split import Split
from seethrough.errors import (
    CheckpointError,
    RecipeError,
    RunError,
    ShapeError,
    StorageError,
    TrainingDiverged,
)
from seethrough.model import checkpoint
from seethrough.model.spec import parse
from seethrough.runs import checkpoints, creation
from seethrough.runs.folder import find_run
from seethrough.runs.record import record, train
from seethrough.serve import wire
from seethrough.train.place import Place, exact
from seethrough.train.recipe import Recipe


def kinds(run):
    return [line["kind"] for _, line in run.log()]


def test_the_log_tells_everything_in_the_words_of_the_server(make_run, go):
    run = make_run()
    lines = go(run)
    assert [line for _, line in run.log()] == lines
    event = TypeAdapter(wire.LogEvent)
    for line in lines:
        event.validate_python(line)
        assert next(iter(line)) == "kind"
    epoch = ["step"] * 3 + ["epoch", "checkpoint"]
    assert kinds(run) == ["started", "epoch", *epoch, *epoch, *epoch, "end"]
    assert lines[-1]["state"] == "finished"
    assert lines[-1]["test_accuracy"] == run.report.accuracy


def test_kernels_in_the_log_are_the_very_numbers_of_the_network(finished):
    *_, last = [line for _, line in finished.log() if line["kind"] == "epoch"]
    module = finished.classifier.module
    kernels = np.array(last["kernels"], dtype=np.float32)
    assert np.array_equal(kernels, module.conv1.weight.detach().numpy())


def test_the_hash_in_the_log_is_that_of_the_weights_in_the_file(finished):
    *_, last = [line for _, line in finished.log() if line["kind"] == "checkpoint"]
    end = [line for _, line in finished.log()][-1]
    found = checkpoint.weights_sha256(finished.classifier.module)
    assert end["weights_sha256"] == last["weights_sha256"] == found


def test_predictions_and_report_are_what_the_opened_run_says(finished, photos):
    said = finished.predictions
    assert np.array_equal(said.index, photos.indices(Split.TEST))
    again = finished.classifier.probabilities(np.ascontiguousarray(photos.images[said.index]))
    assert np.array_equal(said.probabilities, again)
    hits = again.argmax(1) == photos.labels[said.index]
    assert finished.report.accuracy == hits.mean()
    train_index = photos.indices(Split.TRAIN)
    of_train = finished.classifier.probabilities(np.ascontiguousarray(photos.images[train_index]))
    assert finished.report.train_accuracy == pytest.approx(
        np.mean(of_train.argmax(1) == photos.labels[train_index])
    )


def test_of_many_training_photos_some_are_judged(make_run, go, photos, monkeypatch):
    monkeypatch.setattr("seethrough.runs.results.MOST_TRAINED", 7)
    run = make_run()
    go(run)
    chosen = photos.some(Split.TRAIN, 7)
    said = run.classifier.probabilities(np.ascontiguousarray(photos.images[chosen]))
    assert run.report.train_images == 7
    assert run.report.train_accuracy == np.mean(said.argmax(1) == photos.labels[chosen])


def test_the_same_seed_gives_the_same_weights_in_another_run(finished, make_run, go):
    again, other = make_run(), make_run(seed=5)
    go(again)
    go(other)
    assert weights(again) == weights(finished)
    assert weights(other) != weights(finished)
    assert history(again) == history(finished)


@pytest.mark.parametrize("number", range(1, 9))
def test_a_run_stopped_after_any_step_goes_on_to_the_same_end(number, finished, make_run, go):
    run = make_run()
    first = go(run, stop_after=number)
    assert first[-1]["kind"] == "end"
    assert first[-1]["state"] == run.summary.state == "stopped"
    assert first[-2]["kind"] == "checkpoint"
    assert first[-2]["step"] == number
    go(run)
    assert weights(run) == weights(finished)
    assert history(run) == history(finished)
    assert notes(run) == [f"Resumed after step {number}."]
    assert run.summary.state == "finished"


def test_a_run_stopped_again_and_again_keeps_a_whole_history(finished, make_run, go):
    run = make_run()
    while run.summary.state != "finished":
        go(run, stop_after=1)
    assert weights(run) == weights(finished)
    assert history(run) == history(finished)


def test_a_run_stopped_before_its_first_checkpoint_starts_over(finished, make_run, go):
    run = make_run()
    assert go(run, stop_after=0)[-1]["state"] == "stopped"
    go(run)
    assert history(run) == history(finished)
    assert notes(run) == ["Started over: there was no checkpoint to go on from."]


def test_a_recording_that_is_dropped_ends_and_can_go_on(finished, make_run, go, photos):
    run = make_run()
    going = record(run, dataset=photos, place=Place(threads=1))
    for _ in range(9):
        next(going)
    assert run.summary.state == "training"
    going.close()
    assert run.summary.state == "stopped"
    go(run)
    assert history(run) == history(finished)


def test_one_run_is_recorded_once_at_a_time(make_run, go, photos):
    run = make_run()
    going = record(run, dataset=photos, place=Place(threads=1))
    next(going)
    with pytest.raises(RunError, match=f"{run.id} is being trained already"):
        go(run)
    going.close()


def test_a_finished_run_is_not_trained_again(finished, go):
    with pytest.raises(RunError, match=f"{finished.id} is finished"):
        go(finished)


@pytest.mark.parametrize("name", ["weights.safetensors", "predictions.safetensors", "report.json"])
def test_a_damaged_result_is_made_again_from_the_last_checkpoint(finished, go, name):
    path = finished.folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    go(finished)
    assert path.read_bytes() == whole
    assert finished.summary.state == "finished"
    with pytest.raises(RunError, match=f"{finished.id} is finished"):
        go(finished)


def test_damaged_weights_of_a_finished_run_name_the_way_back(finished):
    path = finished.folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="is damaged") as caught:
        _ = finished.classifier
    assert f"seethrough train --resume {finished.id}" in caught.value.fix


def test_other_images_are_refused(make_run, photos):
    run = make_run()
    others = dataclasses.replace(photos, fingerprint="1" * 64)
    with pytest.raises(RunError, match="are not those that"):
        next(record(run, dataset=others))


def test_a_damaged_newest_checkpoint_is_set_aside_and_named(finished, make_run, go):
    run = make_run()
    go(run, stop_after=8)
    older, newest = sorted((run.folder / "checkpoints").iterdir())
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    lines = go(run)
    assert lines[0]["step"] == int(older.stem.removeprefix("step-"))
    assert any("step-00000008.safetensors was skipped" in text for text in notes(run))
    assert newest.with_suffix(".damaged").exists()
    assert history(run) == history(finished)
    assert weights(run) == weights(finished)


def test_with_all_checkpoints_damaged_the_run_starts_over_and_says_so(finished, make_run, go):
    run = make_run()
    go(run, stop_after=8)
    for path in (run.folder / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:-9])
    go(run)
    assert history(run) == history(finished)
    assert len([text for text in notes(run) if "was skipped" in text]) == 2


def test_only_the_two_newest_checkpoints_are_kept(finished):
    names = sorted(path.name for path in (finished.folder / "checkpoints").iterdir())
    assert names == ["step-00000006.safetensors", "step-00000009.safetensors"]


def test_a_checkpoint_remembers_how_long_the_log_was(finished):
    kept = checkpoints.newest(finished.folder)
    content = (finished.folder / "log.jsonl").read_bytes()
    rest = content[kept.log.length :].decode().splitlines()
    assert [json.loads(line)["kind"] for line in rest] == ["checkpoint", "end"]


def test_a_changed_log_is_noticed(make_run, go):
    run = make_run()
    go(run, stop_after=4)
    path = run.folder / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"step": 2,', b'"step": 7,', 1))
    go(run)
    assert any("The log was changed" in text for text in notes(run))


def test_other_ground_is_told(make_run, go, photos):
    run = make_run()
    go(run, stop_after=4)
    for _ in record(run, dataset=photos, place=Place(threads=2)):
        pass
    assert any("threads 1 → 2" in text for text in notes(run))


def test_it_goes_on_with_as_many_threads_as_it_began_with(make_run, photos):
    run = make_run(place=Place(threads=2))
    seen = []
    with exact(Place(threads=2)):  # where two are to be had
        for line in record(run, dataset=photos, should_stop=lambda: len(seen) > 4):
            seen.append(line)
        for _ in record(run, dataset=photos):
            pass
    assert run.summary.is_finished
    assert not any("threads" in text for text in notes(run))


def test_a_training_that_diverges_ends_failed_with_the_reason_and_its_last_weights(make_run, go):
    run = make_run(peak_lr=100.0, momentum=0.99, epochs=12, weight_decay=10.0)
    with pytest.raises(TrainingDiverged, match="stopped being a number"):
        go(run)
    end = [line for _, line in run.log()][-1]
    assert end["state"] == run.summary.state == "failed"
    fix = end["error"]["fix"]
    assert "peak_lr" in fix
    kept = checkpoints.newest(run.folder)
    assert ("no weights to go back to" in fix) == (kept is None)
    assert (f"--from {run.id}" in fix) == (kept is not None)
    for path in (run.folder / "checkpoints").iterdir():
        tensors, _ = checkpoint.read(path)
        assert all(np.isfinite(tensor.numpy()).all() for tensor in tensors.values())


def test_an_unfinished_run_shows_the_network_of_its_last_checkpoint(make_run, go):
    run = make_run()
    with pytest.raises(RunError, match="has no weights yet"):
        _ = run.classifier
    go(run, stop_after=4)
    kept = checkpoints.newest(run.folder)
    assert checkpoint.weights_sha256(run.classifier.module) == kept.weights_sha256
    with pytest.raises(RunError, match="has no report") as caught:
        _ = run.report
    assert "this run is stopped" in caught.value.why
    with pytest.raises(RunError, match="has no predictions"):
        _ = run.predictions


def test_the_manifest_comes_back_as_it_was_written(make_run, photos):
    run = make_run()
    again = find_run(run.id, run.folder.parent)
    assert again.manifest == run.manifest
    assert again.network == run.network
    assert sum(count.test for count in run.manifest.dataset.counts) == 9
    assert sum(count.train for count in run.manifest.dataset.counts) == 40
    watched = list(run.manifest.watched)
    assert len(set(watched)) == 8
    assert all(photos.splits[index] == Split.TEST for index in watched)
    assert set(photos.labels[watched[:3]]) == {0, 1, 2}


def test_what_cannot_be_trained_is_refused_before_a_folder_is_made(photos, tmp_path):
    spec = parse("conv 4 k3 p1, relu, flatten, dense", image_px=16)
    with pytest.raises(ShapeError, match="takes 16 px images and these have 12 px"):
        creation.create(photos, spec, Recipe(), runs_dir=tmp_path / "runs")
    spec = parse("conv 4 k3 p1, relu, flatten, dense", image_px=12)
    with pytest.raises(RecipeError, match="shift_px=12 does not suit images of 12 px"):
        creation.create(photos, spec, Recipe(shift_px=12), runs_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_runs_folder_that_cannot_be_made_is_a_refusal(photos, tmp_path):
    (tmp_path / "file").touch()
    spec = parse("conv 4 k3 p1, relu, flatten, dense", image_px=12)
    with pytest.raises(StorageError, match="could not be written"):
        creation.create(photos, spec, Recipe(), runs_dir=tmp_path / "file" / "runs")


def test_without_test_images_a_run_finishes_without_a_report(photos, tmp_path):
    splits = np.zeros_like(photos.splits)
    alone = dataclasses.replace(photos, splits=splits)
    spec = parse("conv 4 k3 s2, relu, flatten, dense", image_px=12)
    recipe = Recipe(epochs=1, batch=16, peak_lr=0.01)
    run = train(alone, network=spec, recipe=recipe, place=Place(threads=1))
    assert run.summary.state == "finished"
    assert run.summary.test_accuracy is None
    assert run.folder.parent == tmp_path / "runs"
    with pytest.raises(RunError, match="has no report") as caught:
        _ = run.report
    assert "no images were set aside" in caught.value.why
