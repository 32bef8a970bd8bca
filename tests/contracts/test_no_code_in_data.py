"""No file that the program reads can run code: nothing in the package can unpickle."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "seethrough"
REFUSED_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "yaml",
}
REFUSED_NAMES = {"torch.load", "torch.save", "torch.jit.load", "torch.export.load"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_a_module_neither_imports_nor_calls_what_can_run_code_from_a_file(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in (
            node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")]
        )
    }
    assert imported & REFUSED_MODULES == set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in REFUSED_NAMES
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "compile", "__import__"}
            pickles = [k.value for k in node.keywords if k.arg == "allow_pickle"]
            assert [ast.unparse(value) for value in pickles] in ([], ["False"])


def _calling(*names: str) -> set[str]:
    """The modules in which a function of one of these names is called."""
    return {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in names
    }


def test_other_people_s_code_is_imported_in_one_place_and_asked_for_by_two() -> None:
    imports = _calling("import_module", "exec_module", "spec_from_file_location")
    assert imports == {"__init__.py", "cli/main.py", "model/reference.py"}  # two for our own
    # What the user types: `verify nets.py:make`, and networks that `make` was given.
    assert _calling("load_module") == {"cli/verify.py", "model/make.py"}
    # Networks of runs go through `buildable`, which asks whether the user named the code.
    assert _calling("make", "restore", "measured") & {"runs/folder.py"} == set()
    assert "runs/results.py" in _calling("restore")
