"""What importing costs: the package and the terminal's help load neither torch nor a server."""

import json
import subprocess
import sys

import pytest

import seethrough

HEAVY = ("torch", "numpy", "scipy", "sklearn", "PIL", "fastapi", "uvicorn", "pydantic", "jaxtyping")


def _loaded(code: str) -> set[str]:
    """The heavy packages that a fresh process has loaded after the code."""
    report = f"import json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], check=True, capture_output=True, text=True
    ).stdout
    return set(json.loads(said.splitlines()[-1]))


def test_the_package_loads_nothing_heavy():
    assert _loaded("import seethrough") == set()
    assert _loaded("import seethrough as see; dir(see); see.__version__; see.train") == set()


def test_the_names_that_need_no_torch_load_none():
    code = (
        "import seethrough as see; see.preset('demo'); see.NetworkSpec; see.Recipe; see.SplitPlan"
    )
    assert "torch" not in _loaded(code)


@pytest.mark.parametrize(
    "module", ["seethrough.model.spec", "seethrough.model.shapes", "seethrough.model.presets"]
)
def test_networks_are_read_and_measured_without_torch_and_numpy(module):
    assert _loaded(f"import {module}") == set()


@pytest.mark.parametrize("name", seethrough.__all__)
def test_every_public_name_exists_and_says_what_it_is(name):
    value = getattr(seethrough, name)
    assert name in dir(seethrough)
    assert isinstance(value, str) or value.__doc__


def test_the_list_of_public_names_is_kept():
    assert seethrough.__all__ == [
        "Classifier",
        "Dataset",
        "NetworkSpec",
        "Place",
        "Recipe",
        "Run",
        "SeethroughError",
        "Split",
        "SplitPlan",
        "__version__",
        "compare",
        "load",
        "open_run",
        "preset",
        "studio",
        "train",
        "wrap",
    ]


def test_a_name_that_does_not_exist_says_so():
    with pytest.raises(AttributeError, match="'seethrough' has no attribute 'nonsense'"):
        _ = seethrough.nonsense


def test_train_is_a_function_whichever_room_was_imported_before():
    code = """
import inspect
import seethrough as see
{before}
from seethrough.runs.record import train
assert callable(see.train), see.train
assert inspect.signature(see.train) == inspect.signature(train)
try:
    see.train("/nowhere/at/all")
except see.SeethroughError as error:
    print("refused:", error.what)
import seethrough.train.recipe
assert callable(see.train) and see.train.recipe.Recipe is see.Recipe
"""
    for before in ("", "import seethrough.train.recipe; see.Recipe; see.wrap"):
        said = subprocess.run(
            [sys.executable, "-c", code.format(before=before)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert said.startswith("refused: ")
        assert "/nowhere/at/all" in said
