"""The program as a whole: help without torch, errors in three lines, exit codes."""

import json
import os
import re
import subprocess
import sys

import pytest

from seethrough.cli.main import COMMANDS

HEAVY = {"torch", "numpy", "fastapi", "uvicorn", "rich", "scipy", "sklearn", "PIL", "pydantic"}


def python(*words, **options):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=60, **options
    )


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys, json; from seethrough.cli.main import main; code = main(sys.argv[1:]);"
        "print(json.dumps([code, sorted({name.split('.')[0] for name in sys.modules})]))"
    )
    code, modules = json.loads(python("-c", code, *words, check=True).stdout.splitlines()[-1])
    assert code == 0
    assert HEAVY.isdisjoint(modules)


def test_help_takes_less_than_three_tenths_of_a_second():
    """Of processor time, the least of five: other programs on the machine do not count."""
    times = []
    for _ in range(5):
        before = os.times()
        python("-m", "seethrough", "--help", check=True)
        after = os.times()
        times.append(
            after.children_user
            - before.children_user
            + after.children_system
            - before.children_system
        )
    assert min(times) < 0.3


def test_help_lists_every_command_in_whole_lines(seethrough):
    said = seethrough("--help")
    for name in COMMANDS:
        assert re.search(rf"^  {name}\b.*\.$", said.out, re.MULTILINE)
        assert seethrough(name, "--help").code == 0


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_error_is_three_lines_and_code_2_and_standard_output_stays_empty(seethrough, as_json):
    said = seethrough("evaluate", "no-such-run", *as_json)
    what, why, fix = said.err.splitlines()
    assert (said.code, said.out) == (2, "")
    assert "no-such-run" in what
    assert why.startswith("why: ")
    assert fix.startswith("fix: ")


@pytest.mark.parametrize("words", [["trian"], ["train", "--epoch"], ["runs", "a", "b"], ["train"]])
def test_a_command_line_that_cannot_be_read_is_code_2(seethrough, words):
    said = seethrough(*words)
    assert (said.code, said.out) == (2, "")
    assert "Error: " in said.err


def test_a_reader_who_leaves_is_no_error():
    run = [sys.executable, "-m", "seethrough", "runs"]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        child.stdout.close()
        remarks = child.stderr.read()
    assert child.returncode == 141
    assert "Traceback" not in remarks
    assert "Broken" not in remarks


def test_control_characters_in_names_never_reach_the_terminal(seethrough, tmp_path, trained):
    (tmp_path / "a\x1b[31mred\n.jpg").write_text("no photo")
    said = seethrough("predict", trained.id, tmp_path, "--runs-dir", trained.runs_dir)
    assert said.code == 2
    assert "\x1b" not in said.err + said.out
    assert r"a\x1b[31mred" in said.err
