"""The page that shows the reference shows all of it, in an order in which it can be read."""

import re
import subprocess
import sys
from pathlib import Path

from seethrough.explain import reference

FOLDER = Path(reference.__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "reference-network.md"


def _shown():
    return re.findall(r'^--8<-- "(\w+)\.py"$', PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_module_stands_on_the_page_once_under_its_own_name():
    assert sorted(_shown()) == sorted(
        path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"
    )
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in _shown() if f'title="{name}.py"\n--8<-- "{name}.py"' not in text] == []


def test_a_module_stands_behind_those_that_it_imports():
    known = set()
    for name in _shown():
        text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
        assert set(re.findall(r"^from \.(\w+) import", text, re.MULTILINE)) <= known, name
        known.add(name)


def test_the_page_prints_what_the_example_prints():
    done = subprocess.run(
        [sys.executable, "-m", "seethrough.explain.reference"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert f"$ python -m reference\n{done.stdout}```" in PAGE.read_text(encoding="utf-8")
