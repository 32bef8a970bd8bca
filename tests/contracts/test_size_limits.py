"""The house's limits on size: a module or component that outgrows them is more than one noun."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "src" / "seethrough").rglob("*.py"))
# The top one resolves its names lazily; test_import_weight.py looks at it.
ROOMS = [
    path for path in MODULES if path.name == "__init__.py" and path.parent.name != "seethrough"
]
SCRIPTS = sorted(
    path
    for path in (ROOT / "studio" / "src").rglob("*.ts")
    if path.name != "types.ts"  # made from the server's schema
)
COMPONENTS = sorted((ROOT / "studio" / "src").rglob("*.svelte"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_stays_under_400_lines_and_its_functions_under_50(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 50
    }
    assert long == {}


@pytest.mark.parametrize("path", COMPONENTS, ids=name)
def test_a_component_stays_under_250_lines_with_its_style(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


@pytest.mark.parametrize("path", ROOMS, ids=name)
def test_an_init_file_holds_names_only(path: Path) -> None:
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    assert all(isinstance(node, allowed) for node in ast.parse(path.read_text()).body)


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_of_the_studio_stays_under_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
