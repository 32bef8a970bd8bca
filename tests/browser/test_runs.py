"""The list of runs: what each began with, on a wide window and on a phone."""

import json
import re
import shutil

import pytest
from playwright.sync_api import expect

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PUBLISHED = {"revision": COMMIT, "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]}


@pytest.fixture
def listed(studio, tmp_path, serve):
    """The studio's run, and copies of it that say to have begun with something."""

    def copy(name: str, **said: object) -> None:
        folder = tmp_path / name
        shutil.copytree(studio.run.folder, folder)
        stored = json.loads((folder / "run.json").read_text()) | {"id": name} | said
        (folder / "run.json").write_text(json.dumps(stored))

    def start(run: str, **more: object) -> dict[str, object]:
        told = {"weights_sha256": "0" * 64, "head": [], "first_share": 0.0, "smallest": 0.1}
        return {"run": run, **told, **more}

    shutil.copytree(studio.run.folder, tmp_path / studio.run.id)
    copy("begun-heron", start=start(studio.run.id))
    copy("gone-heron", start=start("long-lost-bittern"))
    copy("shipped-heron", start=start("cifar10"))
    published = {**PUBLISHED, "licence": "apache-2.0"}
    copy("hub-heron", start=start(f"hf:microsoft/resnet-18@{COMMIT}", published=published))
    edited = {"run": studio.run.id, "step": None, "weights_sha256": "0" * 64, "changes": ["one"]}
    copy("hand-heron", edited=edited)
    return serve(tmp_path)


SAYS = {
    "gone-heron": "from long-lost-bittern",
    "shipped-heron": "from cifar10",
    "hub-heron": "from hf:microsoft/resnet-18 apache-2.0",
}


@pytest.mark.parametrize("width", [1440, 390])
def test_a_run_says_what_it_began_with_and_leads_there(open_window, studio, listed, width):
    window = open_window(listed, studio.run.id, width=width)
    page = window.page
    window.enter("/runs")

    def row(name: str):
        return page.get_by_role("row", name=re.compile(f"Compare {name} "))

    began = page.locator(".began")
    expect(began).to_have_count(5)
    expect(row(studio.run.id).locator(".began")).to_have_count(0)
    for name, words in SAYS.items():
        expect(row(name).locator(".began")).to_have_text(words)
        expect(row(name).locator(".began a")).to_have_count(0)
    told = row("hub-heron").locator(".began").get_attribute("title") or ""
    assert COMMIT[:12] in told
    expect(row("hand-heron").locator(".began")).to_have_text(f"a copy of {studio.run.id}")
    assert window.shift() < 0.02
    for narrower in (width, *((1024, 881) if width > 881 else (320,))):
        page.set_viewport_size({"width": narrower, "height": 900})
        assert window.overflow_px() == 0, narrower
    expect(row("begun-heron").locator(".began")).to_have_text(f"from {studio.run.id}")
    row("begun-heron").locator(".began a").click()
    window.path_becomes(f"/look/{studio.run.id}(/.*)?")
