"""folder.py: a run is found by what people remember of it, and nothing else is found."""

import json

import pytest

from seethrough.data.load import load
from seethrough.errors import RunError
from seethrough.model.spec import parse
from seethrough.runs.creation import create
from seethrough.runs.folder import default_runs_dir, find_run, open_run, run_ids
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe


@pytest.fixture
def runs_dir(make_run, tmp_path):
    """Runs amber-heron, amber-wren (the newest) and calm-owl, with other things between them."""
    place = tmp_path / "runs"
    for day, name in enumerate(("calm-owl", "amber-heron", "amber-wren"), start=1):
        folder = make_run().folder
        stored = json.loads((folder / "run.json").read_text())
        stored |= {"id": name, "created": f"2026-01-0{day}T00:00:00.000000+00:00"}
        (folder / "run.json").write_text(json.dumps(stored))
        folder.rename(place / name)
    (place / "not-a-run").mkdir()
    (place / "index.sqlite").touch()
    (place / "amber-file").touch()
    return place


def test_a_run_is_opened_by_name_by_beginning_by_folder_and_as_the_last(runs_dir, monkeypatch):
    assert open_run("calm-owl", runs_dir).id == "calm-owl"
    assert open_run("c", runs_dir).id == "calm-owl"
    assert open_run("amber-h", runs_dir).id == "amber-heron"
    assert open_run("last", runs_dir).id == "amber-wren"
    assert open_run("last", str(runs_dir)).id == "amber-wren"
    assert open_run(runs_dir / "amber-heron").id == "amber-heron"
    assert open_run(str(runs_dir / "amber-heron")).id == "amber-heron"
    monkeypatch.chdir(runs_dir / "calm-owl")
    assert open_run(".").id == "calm-owl"
    monkeypatch.chdir(runs_dir)
    assert open_run("calm-owl", runs_dir.parent).id == "calm-owl"


def test_a_beginning_of_several_names_lists_them(runs_dir):
    with pytest.raises(RunError, match="'amber' may mean 2 runs") as caught:
        open_run("amber", runs_dir)
    assert caught.value.why == "amber-heron, amber-wren begin with it."


def test_an_unknown_name_lists_the_nearest(runs_dir):
    with pytest.raises(RunError, match="There is no run 'amber-horn'") as caught:
        open_run("amber-horn", runs_dir)
    assert "amber-heron" in caught.value.why
    with pytest.raises(RunError, match="There is no run 'xyz'") as caught:
        open_run("xyz", runs_dir)
    assert caught.value.why == "no name is like it."
    with pytest.raises(RunError, match="There is no run ''"):
        open_run("", runs_dir)


def test_without_runs_the_way_to_the_first_is_told(tmp_path):
    with pytest.raises(RunError, match="There is no run 'last'") as caught:
        open_run("last", tmp_path / "nowhere")
    assert "seethrough train" in caught.value.fix


def test_a_folder_without_a_run_is_refused(runs_dir):
    with pytest.raises(RunError, match="not-a-run holds no run"):
        open_run(runs_dir / "not-a-run")


@pytest.mark.parametrize("name", ["..", ".", "", "amber", "../runs/calm-owl", "last", "not-a-run"])
def test_readers_that_take_ids_get_nothing_for_anything_else(runs_dir, name):
    with pytest.raises(RunError, match="There is no run"):
        find_run(name, runs_dir)


def test_only_folders_with_a_manifest_are_runs(runs_dir, tmp_path):
    assert run_ids(runs_dir) == ["amber-heron", "amber-wren", "calm-owl"]
    assert run_ids(tmp_path / "nowhere") == []


def test_runs_live_where_the_environment_says(tmp_path, monkeypatch):
    assert default_runs_dir() == tmp_path / "runs"
    monkeypatch.delenv("SEETHROUGH_RUNS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_runs_dir() == tmp_path / "seethrough" / "runs"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "cannot be read"),
        ('{"schema": 1}', "cannot be read"),
        ('{"schema": "1"}', "cannot be read"),
        ('{"schema": 4}', "was written by a newer Seethrough"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(make_run, content, said):
    run = make_run()
    (run.folder / "run.json").write_text(content)
    with pytest.raises(RunError, match=said):
        open_run(run.folder)


def test_the_images_are_loaded_again_and_must_be_the_same(photo_folder):
    images = load(photo_folder, image_px=12)
    spec = parse("conv 4 k3 s2, relu, flatten, dense", image_px=12)
    run = create(images, spec, Recipe(), place=Place(threads=1))
    again = open_run(run.id).dataset()
    assert again.fingerprint == images.fingerprint
    assert (again.splits == images.splits).all()
    next((photo_folder / "red").iterdir()).unlink()
    with pytest.raises(RunError, match="are not those that"):
        run.dataset()
