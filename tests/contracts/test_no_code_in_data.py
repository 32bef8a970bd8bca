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
REFUSED_CALLS = {("torch", "load"), ("torch", "save"), ("torch", "jit"), ("np", "load")}


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
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) == ("np", "load"):
                continue  # refused below unless pickles are
            assert (node.value.id, node.attr) not in REFUSED_CALLS
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"np.load", "numpy.load"}:
            refused = [k for k in node.keywords if k.arg == "allow_pickle"]
            assert refused == [] or ast.unparse(refused[0].value) == "False"
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in {"eval", "exec", "compile", "__import__"}
