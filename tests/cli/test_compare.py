"""`seethrough compare`: the terminal says what the JSON says, and the JSON what Python says."""

import contextlib
import io
import json
import shutil

import pytest

import seethrough as see
from seethrough.cli.main import main

from .conftest import ASKED


@pytest.fixture(scope="module")
def runs_dir(trained, tmp_path_factory):
    """A copy: other tests count the runs of the one that they share."""
    return shutil.copytree(trained.runs_dir, tmp_path_factory.mktemp("compared") / "runs")


@pytest.fixture(scope="module")
def second(runs_dir, shapes, tmp_path_factory):
    """The same once more, with another seed."""
    asked = [word if word != "7" else "8" for word in ASKED]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(tmp_path_factory.mktemp("cache")))
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert main(["train", str(shapes), *asked, "--runs-dir", str(runs_dir), "--json"]) == 0
    return json.loads(out.getvalue())["run"]


@pytest.fixture(scope="module")
def found(trained, second, runs_dir):
    return see.compare(trained.id, second, runs_dir=runs_dir)


def test_the_json_is_what_python_says(seethrough, trained, second, runs_dir, found):
    said = seethrough("compare", trained.id, second, "--runs-dir", runs_dir, "--json")
    assert said.code == 0
    assert said.json == json.loads(json.dumps(found.to_dict()))
    assert [one["name"] for one in said.json["settings"]] == ["seed"]


def test_the_terminal_says_who_is_right_what_was_told_and_what_is_least_alike(
    seethrough, trained, second, runs_dir, found
):
    said = seethrough("compare", trained.id, second, "--runs-dir", runs_dir)
    assert said.code == 0
    assert f"{100 * found.paired.difference:+.1f} points for {second}" in said.out
    assert f"Only {second} is right: {found.paired.only_second}." in said.out
    assert f"Only {trained.id} is right: {found.paired.only_first}." in said.out
    assert "seed" in said.out
    lines = said.out.splitlines()
    title = next(i for i, line in enumerate(lines) if line.startswith("Layers, the least alike"))
    named = [line.split()[0] for line in lines[title + 2 :] if line]
    assert named == [layer.first for layer in found.layers]


def test_two_moments_of_one_run_are_named_with_an_at_sign(seethrough, trained, runs_dir):
    said = seethrough("compare", f"{trained.id}@0", trained.id, "--runs-dir", runs_dir, "--json")
    assert said.json["first"]["step"] == 0
    assert said.json["second"]["step"] is None
    assert said.json["settings"] == []
    assert all(layer["distance"] > 0 for layer in said.json["layers"])


def test_a_moment_that_is_not_there_is_refused_in_three_lines(seethrough, trained, runs_dir):
    said = seethrough("compare", trained.id, f"{trained.id}@99999", "--runs-dir", runs_dir)
    assert said.code == 2
    assert said.out == ""
    assert "has no moment at step 99999" in said.err
