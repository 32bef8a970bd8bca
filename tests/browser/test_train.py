"""Train: a run that is over, and one that learns while the page is open."""

import re

import pytest
from playwright.sync_api import expect

from seethrough.data.load import load
from seethrough.model.presets import preset
from seethrough.runs.creation import create
from seethrough.runs.launch import launch, stop
from seethrough.serve.server import running_server
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

EPOCHS = 500  # more than any machine trains before it is stopped


@pytest.fixture
def learning(photos, tmp_path, monkeypatch):
    """A run that is being recorded by another process."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    recipe = Recipe(epochs=EPOCHS, batch=24, peak_lr=0.05)
    images = load(photos, image_px=32)
    run = create(images, preset("demo"), recipe, runs_dir=tmp_path / "runs", place=Place(threads=1))
    launch(run)
    yield run
    if run.summary.state in {"waiting", "training"}:
        stop(run)


def test_a_finished_run_shows_its_score_and_leads_on(window, studio):
    window.enter(f"/train/{window.run}")
    page = window.page
    expect(page.get_by_role("status")).to_have_text("Finished")
    expect(page.get_by_role("region", name="State of the run")).to_contain_text("epoch 3 of 3")
    share = f"{100 * studio.run.report.accuracy:.1f}\N{NO-BREAK SPACE}%"
    expect(page.get_by_role("region", name="Accuracy and loss")).to_contain_text(share)
    page.get_by_role("link", name="Look inside").click()
    window.path_becomes(f"/look/{window.run}/t\\d+")


def test_a_run_is_watched_while_it_learns_and_stopped_from_the_page(
    learning, tmp_path, open_window
):
    with running_server(tmp_path / "runs") as address:
        window = open_window(address, learning.id)
        window.enter()  # home leads to what is learning
        window.path_becomes(f"/train/{learning.id}")
        page = window.page
        state = page.get_by_role("region", name="State of the run")
        expect(state).to_contain_text(re.compile(rf"epoch [1-9]\d* of {EPOCHS}"))
        first = state.inner_text()
        curve = page.locator("[aria-label^='accuracy over the epochs'] path").last
        drawn = curve.get_attribute("d")
        expect(state).not_to_contain_text(re.search(r"epoch \d+ of", first)[0])
        expect(curve).not_to_have_attribute("d", drawn)
        watched = page.get_by_role("region", name=re.compile("photos|watch", re.I)).first
        expect(watched.locator("img").first).to_be_visible()

        page.get_by_role("button", name="Stop and keep").click()
        expect(state.get_by_role("status")).to_have_text("Stopped")
        assert learning.summary.state == "stopped"
        # what it has learned so far can be looked through at once
        page.get_by_role("link", name="Look inside").click()
        expect(window.unit("softmax", 0)).to_be_visible()
