"""`seethrough timeline`: what it prints is the timeline of the run; what it writes, a film."""

import numpy as np
import pytest
from PIL import Image

import seethrough as see


@pytest.fixture(scope="module")
def run(trained):
    return see.open_run(trained.id, trained.runs_dir)


def test_the_json_is_the_timeline_of_the_run(seethrough, run, trained):
    said = seethrough("timeline", run.id, "--runs-dir", trained.runs_dir, "--json")
    assert said.code == 0
    told, dataset = run.timeline(), run.dataset()
    assert said.json["run"] == run.id
    assert said.json["steps"] == [moment.step for moment in run.moments]
    assert said.json["accuracy"] == told.accuracy.tolist()
    assert [each["photo"] for each in said.json["photos"]] == [
        dataset.paths[photo] for photo in told.photos
    ]
    assert [each["learned"] for each in said.json["photos"]] == list(told.learned)
    died = {(each["layer"], each["unit"]): each["step"] for each in said.json["died"]}
    assert died == {
        (layer, unit): step
        for layer, units in told.died.items()
        for unit, step in enumerate(units)
        if step is not None
    }
    assert said.json["film"] is None


def test_the_terminal_says_it_in_words(seethrough, run, trained):
    said = seethrough("timeline", run.id, "--runs-dir", trained.runs_dir)
    told = run.timeline()
    learned = sum(step is not None for step in told.learned)
    assert f"Of {len(told.photos)} test photos {learned} have been learned" in said.out
    rows = [line.split() for line in said.out.splitlines()[1 : 1 + len(told.steps)]]
    for row, step, share in zip(rows, told.steps, told.accuracy, strict=True):
        done = sum(at is not None and at <= step for at in told.learned)
        assert (row[0], row[2], row[-1]) == (str(step), f"{100 * share:.1f}", str(done))


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_a_film_has_a_picture_for_every_moment(kind, seethrough, run, trained, tmp_path):
    path = tmp_path / f"it.{kind}"
    said = seethrough("timeline", run.id, "--to", path, "--runs-dir", trained.runs_dir)
    assert (said.code, said.out) == (0, "")
    with Image.open(path) as film:
        assert film.n_frames == len(run.moments)
    assert [each for each in tmp_path.iterdir() if each.is_file()] == [path]


def test_a_film_of_a_photo_of_one_s_own_says_so_in_the_json(seethrough, run, trained, tmp_path):
    photo, path = tmp_path / "mine.png", tmp_path / "mine.webp"
    pixels = np.random.default_rng(1).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(photo)
    words = ("--photo", photo, "--layer", "conv1", "--runs-dir", trained.runs_dir, "--json")
    said = seethrough("timeline", run.id, "--to", path, *words)
    assert said.json["film"] == str(path)
    assert path.exists()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--to", "film.mp4"], "'film.mp4' is no kind of film that is written: .gif or .webp."),
        (["--layer", "conv1"], "--photo and --layer go with --to"),
        (["--to", "film.gif", "--layer", "relu1"], "relu1 has no kernels to draw."),
    ],
)
def test_what_cannot_be_filmed_is_refused_in_words(
    words, what, seethrough, run, trained, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    said = seethrough("timeline", run.id, *words, "--runs-dir", trained.runs_dir)
    assert (said.code, said.out) == (2, "")
    assert what in said.err
    assert not list(tmp_path.glob("film.*"))
