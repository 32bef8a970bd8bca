"""The documentation against the program: its Python runs, and it names everything that is there.

Python blocks of a page run in order, in one namespace, in a folder with photos/ (two classes, and a
damaged file), cup.jpg and a finished run. A block that cannot run in a test stands below a
line `<!-- no-run: why -->`. A block may show a file of the package instead, with `--8<--`; the file
has tests of its own.
"""

import re
import shlex
import shutil
import zipfile
from pathlib import Path

import click
import pytest

import seethrough as see
from seethrough.cli import runs as runs_command
from seethrough.cli.main import seethrough
from seethrough.data.builtin import builtin_path
from seethrough.model.layer import WORDS
from seethrough.model.presets import PRESETS
from seethrough.serve.app import create_app
from seethrough.serve.routes import router
from seethrough.serve.routes_compare import router as comparing
from seethrough.serve.routes_inside import router as inside
from seethrough.serve.routes_keep import router as keeping
from seethrough.serve.routes_step import router as stepping
from seethrough.serve.routes_time import router as time
from seethrough.serve.routes_train import router as training
from seethrough.serve.routes_try import router as trying

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
SET_ASIDE = re.compile(r"<!-- no-run: .+ -->\n\Z")
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r'--8<-- "[a-z_]+\.py"\n')
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def _name(page):
    return page.relative_to(ROOT).as_posix()


def _language(fence):
    """What stands behind the fence, without a title."""
    return fence[1].partition(" title=")[0]


def _blocks(page, language):
    """Line and text of each block of a language, and whether it is set aside."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        if _language(found) == language and not INCLUDED.fullmatch(found[2]):
            is_set_aside = SET_ASIDE.search(text[: found.start()]) is not None
            yield text.count("\n", 0, found.start(2)) + 1, found[2], is_set_aside


def _prose(page):
    """The page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def _commands():
    for name in seethrough.list_commands(click.Context(seethrough)):
        yield name, seethrough.get_command(click.Context(seethrough), name)
    for name, command in runs_command.command.commands.items():
        yield f"runs {name}", command


# ---------------------------------------------------------------- the code in it


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with a few built-in photos, one more beside them, and a run trained on them."""
    folder = tmp_path_factory.mktemp("reader")
    with zipfile.ZipFile(builtin_path("everyday")) as archive:
        for label in ("frog", "horse"):
            place = folder / "photos" / label
            place.mkdir(parents=True)
            for number in range(1, 13):
                name = f"{number:04}.jpg"
                (place / name).write_bytes(archive.read(f"train/{label}/{name}"))
    (folder / "photos" / "frog" / "half.jpg").write_bytes(b"\xff\xd8\xff")
    shutil.copy(folder / "photos" / "horse" / "0007.jpg", folder / "cup.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(folder / "cache"))
        photos = see.load(folder / "photos", image_px=32)
        recipe = see.Recipe(epochs=1, batch=16)
        see.train(photos, recipe=recipe, runs_dir=folder / "runs")
    return folder


WITH_PYTHON = [page for page in PAGES if any(True for _ in _blocks(page, "python"))]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=_name)
def test_the_python_of_a_page_runs_as_it_stands(page, prepared, tmp_path, monkeypatch, capsys):
    place = tmp_path / "reader"
    shutil.copytree(prepared, place)
    monkeypatch.chdir(place)
    monkeypatch.setenv("SEETHROUGH_RUNS", str(place / "runs"))
    namespace = {"__name__": "page"}
    for line, text, is_set_aside in _blocks(page, "python"):
        code = compile("\n" * (line - 1) + text, str(page), "exec")
        if not is_set_aside:
            exec(code, namespace)
    assert "Traceback" not in capsys.readouterr().out


def test_some_pages_have_python_and_few_blocks_are_set_aside():
    blocks = [block for page in WITH_PYTHON for block in _blocks(page, "python")]
    assert len(blocks) >= 10
    assert sum(is_set_aside for _, _, is_set_aside in blocks) <= 2


def test_every_fenced_block_names_its_language():
    allowed = {"python", "console", "text", "toml"}
    named = {
        (_name(page), _language(found))
        for page in PAGES
        for found in FENCE.finditer(page.read_text(encoding="utf-8"))
    }
    assert {(page, language) for page, language in named if language not in allowed} == set()


def _command_lines():
    for page in PAGES:
        for line, text, _ in _blocks(page, "console"):
            for number, words in enumerate(text.splitlines()):
                found = re.match(r"\$ (?:\.venv/bin/)?seethrough (.*)", words)
                if found:
                    yield f"{_name(page)}:{line + number}", found[1]


@pytest.mark.parametrize(("place", "words"), list(_command_lines()))
def test_a_command_line_in_the_docs_is_one_that_the_program_takes(
    place, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("recipe.toml").touch()  # the one file that has to exist before a command begins
    name, *arguments = shlex.split(words, comments=True)
    command = seethrough.get_command(click.Context(seethrough), name)
    assert command is not None, f"{place}: no command {name}"
    command.make_context(name, arguments)  # raises where it cannot be parsed


# ---------------------------------------------------------------- what it names


def test_every_command_and_every_flag_is_described():
    page = (ROOT / "docs/rooms/cli.md").read_text(encoding="utf-8")
    missing = []
    for name, command in _commands():
        usage = re.search(rf"`seethrough {name}( [^`]*)?`", page)
        missing += [] if usage else [name]
        own = re.search(rf"^## {name.split()[0]}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        section = own[1] if own else ""
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                missing += [f"{name} {flag}" for flag in parameter.opts if flag not in section]
    assert missing == []


def test_every_exit_code_is_described():
    page = (ROOT / "docs/rooms/cli.md").read_text(encoding="utf-8")
    source = (ROOT / "src/seethrough/cli/main.py").read_text(encoding="utf-8")
    codes = re.findall(r"^    (\d+) {2,}", source, re.MULTILINE)
    assert len(codes) == 5
    assert [code for code in codes if f"| {code} |" not in page] == []


def test_every_address_of_the_server_is_described(tmp_path):
    page = (ROOT / "docs/http-api.md").read_text(encoding="utf-8")
    paths = create_app(tmp_path, token="t", port=1).openapi()["paths"]
    missing = [
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if f"| `{method.upper()} {path}` |" not in page
    ]
    assert missing == []
    assert len(paths) == len(
        {
            route.path
            for route in [
                *router.routes,
                *inside.routes,
                *keeping.routes,
                *stepping.routes,
                *trying.routes,
                *time.routes,
                *comparing.routes,
                *training.routes,
            ]
        }
    )


def test_every_query_of_an_address_is_described(tmp_path):
    rows = (ROOT / "docs/http-api.md").read_text(encoding="utf-8").splitlines()
    for path, methods in create_app(tmp_path, token="t", port=1).openapi()["paths"].items():
        for method, said in methods.items():
            (row,) = [row for row in rows if row.startswith(f"| `{method.upper()} {path}` |")]
            queries = [each["name"] for each in said.get("parameters", []) if each["in"] == "query"]
            assert [name for name in queries if f"`{name}`" not in row] == [], path


def test_every_message_of_the_server_is_named(tmp_path):
    page = (ROOT / "docs/http-api.md").read_text(encoding="utf-8")
    schemas = create_app(tmp_path, token="t", port=1).openapi()["components"]["schemas"]
    assert [name for name in schemas if f"`{name}`" not in page] == []


def test_every_status_of_a_refusal_is_described():
    page = (ROOT / "docs/http-api.md").read_text(encoding="utf-8")
    serve = ROOT / "src/seethrough/serve"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(serve.glob("*.py")))
    statuses = set(re.findall(r"Refusal\(\s*(\d{3}),", source))
    statuses |= set(re.findall(r"return (\d{3})$", source, re.MULTILINE))
    assert {"404", "409", "413", "415", "422", "503"} <= statuses
    assert [status for status in sorted(statuses) if f"| {status} |" not in page] == []


def test_every_word_of_a_network_and_every_ready_network_is_described():
    page = (ROOT / "docs/rooms/model.md").read_text(encoding="utf-8")
    assert [word for word in WORDS if not re.search(rf"^\| `{word}( N)?` \|", page, re.M)] == []
    assert [name for name in PRESETS if f"| `{name}` |" not in page] == []
    plain = " ".join(page.split())
    assert [name for name, ready in PRESETS.items() if ready.text not in plain] == []


def test_every_field_of_a_recipe_is_described_with_its_default():
    page = (ROOT / "docs/rooms/train.md").read_text(encoding="utf-8")
    for name, value in see.Recipe().to_dict().items():
        shown = str(value).lower() if isinstance(value, bool) else value
        quoted = f'`"{shown}"`' if isinstance(value, str) else f"{shown}"
        assert re.search(rf"^\| `{name}` \| {re.escape(quoted)} \|", page, re.MULTILINE), name


def test_every_kind_of_layer_that_can_be_explained_is_described():
    page = (ROOT / "docs/rooms/explain.md").read_text(encoding="utf-8")
    explain = ROOT / "src/seethrough/explain"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(explain.rglob("*.py")))
    kinds = set(re.findall(r'kind: ClassVar\[str\] = "(\w+)"', source))
    kinds |= set(re.findall(r'(?:_curve\(|_applied\(asked, )"(\w+)"', source))
    kinds |= set(re.findall(r'kind="(\w+)"', source))
    assert {"conv", "gelu", "scale", "max_pool"} <= kinds
    steps = {"standardise", "divide"}  # of normalise and of softmax: no layers of their own
    assert [kind for kind in sorted(kinds - steps) if f"`{kind}`" not in page] == []


def test_every_public_name_is_described():
    page = (ROOT / "docs/rooms/python.md").read_text(encoding="utf-8")
    assert [name for name in see.__all__ if f"`see.{name}" not in page] == []


# ---------------------------------------------------------------- its links


def _slug(heading):
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", plain))


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=_name
)
def test_every_link_within_the_project_leads_somewhere(page):
    broken = []
    for target in LINK.findall(_prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists():
            broken.append(target)
        elif anchor and place.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", _prose(place), re.MULTILINE)
            broken += [] if anchor in map(_slug, headings) else [target]
    assert broken == []


def test_every_page_stands_in_the_table_of_contents():
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page for page in DOCS if f" {page.relative_to(ROOT / 'docs')}\n" not in listed] == []


def test_the_pages_load_nothing_from_elsewhere():
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.search(r"^ {2}font: false", settings, re.MULTILINE)
    assert "://" not in settings
    assert [
        _name(page) for page in PAGES if re.search(r"!\[[^\]]*\]\(http", page.read_text())
    ] == []
