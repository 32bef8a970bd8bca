"""pages.py: one page for every view, and only the files that were built."""

import pytest

from seethrough.serve.app import create_app
from seethrough.serve.opening import Opening
from seethrough.serve.pages import pages

from .conftest import OWN_PAGE, PORT, TOKEN, Client


@pytest.fixture
def built(tmp_path):
    """What the studio's build leaves, in small."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>the studio")
    (tmp_path / "mark.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-Bx1.js").write_text("export {}")
    (tmp_path.parent / "secret.txt").write_text("secret")
    return pages(tmp_path)


@pytest.mark.parametrize("address", ["", "index.html", "train/amber-heron", "look/a/t1/conv1/3"])
def test_every_view_is_the_same_page_and_never_kept(built, address):
    answer = built.page(address)
    assert answer.status_code == 200
    assert answer.path.name == "index.html"
    assert "max-age" not in answer.headers.get("cache-control", "")


def test_hashed_files_are_kept_and_have_their_kind(built):
    answer = built.page("assets/index-Bx1.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert built.page("mark.svg").headers["cache-control"] == "no-cache"


def test_a_hashed_file_of_an_older_build_is_404_and_not_the_page(built):
    assert built.page("assets/index-old.js").status_code == 404


@pytest.mark.parametrize("address", ["../secret.txt", "assets/../../secret.txt", "/secret.txt"])
def test_what_was_not_built_is_never_read(built, address):
    answer = built.page(address)
    assert getattr(answer, "path", None) is None or answer.path.name == "index.html"


def test_a_bare_checkout_says_how_to_build_the_studio(tmp_path):
    answer = pages(tmp_path / "nothing").page("")
    assert answer.status_code == 503
    assert b"make studio" in answer.body


def test_a_page_that_is_open_early_is_told_how_far_the_program_has_come(tmp_path, portal):
    opening = Opening("Reading the photos")
    app = create_app(tmp_path, token=TOKEN, port=PORT, opening=opening)
    client = Client(app, portal, OWN_PAGE)
    at_first = client.get("/api/window").json()["opening"]
    assert at_first == {"what": "Reading the photos", "done": 0, "total": 0}
    opening.tell("Reading photos", 250, 1000)
    assert client.get("/api/window").json()["opening"]["done"] == 250
    opening.end()
    assert client.get("/api/window").json()["opening"] is None
