"""What `import seethrough as see` promises: these names, each where it says, each explained."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import seethrough

SOURCE = Path(seethrough.__file__)
OWN = [name for name in seethrough.__all__ if name != "__version__"]


def _imported_for_type_checkers():
    """name → module, from the `if TYPE_CHECKING:` block, which type checkers believe."""
    for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                assert isinstance(line, ast.ImportFrom)
                for alias in line.names:
                    assert alias.asname is None
                    yield alias.name, line.module


def test_type_checkers_and_programs_are_told_of_the_same_names():
    assert sorted(dict(_imported_for_type_checkers())) == sorted(OWN)


@pytest.mark.parametrize(("name", "module"), list(_imported_for_type_checkers()))
def test_a_name_is_the_one_that_its_module_defines(name, module):
    defined = getattr(importlib.import_module(module), name)
    if name == "train":  # a room of this house, too: calling it calls the function
        assert inspect.signature(seethrough.train) == inspect.signature(defined)
    else:
        assert getattr(seethrough, name) is defined


@pytest.mark.parametrize("name", OWN)
def test_a_name_says_in_a_sentence_what_it_is(name):
    words = inspect.getdoc(getattr(seethrough, name)) or ""
    first = words.split("\n\n")[0]
    assert len(first.split()) >= 4
    assert not first.startswith(f"{name}(")  # what dataclasses write by themselves


@pytest.mark.parametrize(
    "name", [each for each in OWN if not inspect.isclass(getattr(seethrough, each))]
)
def test_every_argument_of_a_public_function_has_a_type(name):
    signature = inspect.signature(getattr(seethrough, name))
    untyped = [each.name for each in signature.parameters.values() if each.annotation is each.empty]
    assert untyped == []
    assert signature.return_annotation is not inspect.Signature.empty


def test_a_star_import_gives_exactly_the_promised_names():
    namespace: dict[str, object] = {}
    exec("from seethrough import *", namespace)
    assert sorted(namespace.keys() - {"__builtins__"}) == sorted(seethrough.__all__)


def test_every_error_is_found_in_one_tree_and_drawn_in_its_module():
    errors = importlib.import_module("seethrough.errors")
    found = [value for value in vars(errors).values() if inspect.isclass(value)]
    assert all(issubclass(each, seethrough.SeethroughError) for each in found)
    drawn = ast.get_docstring(ast.parse(Path(errors.__file__).read_text(encoding="utf-8")))
    assert [each.__name__ for each in found if each.__name__ not in drawn] == []
