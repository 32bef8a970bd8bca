"""Train: a run that is over, and one that learns, is held and steered while the page is open."""

import contextlib
import re

import pytest
from playwright.sync_api import expect

from seethrough.data.load import load
from seethrough.errors import RunError
from seethrough.model.presets import preset
from seethrough.runs import steering
from seethrough.runs.creation import create
from seethrough.runs.launch import launch, stop
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
    with contextlib.suppress(RunError):  # the test has stopped it
        stop(run)


def test_a_finished_run_shows_its_score_and_leads_on(window, studio):
    window.enter(f"/train/{window.run}")
    page = window.page
    state = page.get_by_role("region", name="State of the run")
    expect(state.get_by_role("status")).to_have_text("Finished")
    expect(state).to_contain_text("epoch 3 of 3")
    share = f"{100 * studio.run.report.accuracy:.1f}\N{NO-BREAK SPACE}%"
    expect(page.get_by_role("region", name="Accuracy and loss")).to_contain_text(share)
    page.get_by_role("link", name="Look inside").click()
    window.path_becomes(f"/look/{window.run}/t\\d+")


def test_a_run_is_watched_while_it_learns_and_stopped_from_the_page(
    learning, tmp_path, serve, open_window
):
    address = serve(tmp_path / "runs")
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


# ---------------------------------------------------------------- the course of it


def of_kind(run, kind):
    return [event for _, event in run.log() if event["kind"] == kind]


def said(page, panel):
    """What a panel says at the step that is read: its numbers by their names."""
    words = page.get_by_role("img", name=re.compile(f"^{panel}")).get_attribute("aria-label")
    _, _, numbers = words.partition(": ")
    return dict(each.rsplit(" ", 1) for each in numbers.split(", "))


def test_every_curve_is_read_at_the_step_of_the_slider(window, studio):
    window.enter(f"/train/{window.run}?smooth=0.5")
    page, run = window.page, studio.run
    course = page.get_by_role("region", name="The course of it")
    slider = course.get_by_role("slider", name="Step at which all curves are read")
    steps, epochs = of_kind(run, "step"), of_kind(run, "epoch")
    expect(course.get_by_text(f"step {steps[-1]['step']}", exact=True)).to_be_visible()
    slider.focus()
    per_epoch = epochs[1]["step"]
    for step in (1, 2, per_epoch, per_epoch + 1):
        slider.fill(str(step))
        expect(course.get_by_text(f"step {step}", exact=True)).to_be_visible()
        here = steps[step - 1]
        assert float(said(page, "Loss")["every step"]) == pytest.approx(here["loss"], rel=5e-3)
        mean = sum(0.5 ** (step - each["step"]) * each["loss"] for each in steps[:step])
        mean /= sum(0.5 ** (step - each["step"]) for each in steps[:step])
        assert float(said(page, "Loss")["smoothed"]) == pytest.approx(mean, rel=5e-3)
        assert float(said(page, "Learning rate")["rate"]) == pytest.approx(here["lr"], rel=5e-3)
        judged = [each for each in epochs if each["step"] <= step][-1]
        assert said(page, "Accuracy")["test"].startswith(f"{100 * judged['test_accuracy']:.1f}")
        during = epochs[here["epoch"]]
        norms = said(page, "Gradient norms")
        assert {name: float(norm) for name, norm in norms.items()} == {
            layer["name"]: pytest.approx(layer["gradient_norm"], rel=6e-3)
            for layer in during["layers"]
        }
    slider.press("ArrowLeft")
    expect(course.get_by_text(f"step {per_epoch}", exact=True)).to_be_visible()
    course.get_by_role("button", name="to the newest").click()
    expect(course.get_by_text(f"step {steps[-1]['step']}", exact=True)).to_be_visible()


def test_pointing_reads_all_curves_and_log_scale_and_smoothing_stay_in_the_address(window):
    window.enter(f"/train/{window.run}")
    page = window.page
    loss = page.get_by_role("img", name=re.compile("^Loss"))
    state = page.get_by_role("region", name="State of the run").get_by_role("status")
    expect(state).to_have_text("Finished")  # all of its log has come
    before = said(page, "Learning rate")
    box = loss.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 40)
    window.quiet()
    assert said(page, "Learning rate") != before
    path = loss.locator("path").first
    drawn = path.get_attribute("d")
    page.get_by_role("checkbox", name="log scale").check()
    expect(path).not_to_have_attribute("d", drawn)
    page.get_by_role("slider", name="smoothing").fill("0")
    page.wait_for_function(
        "() => location.search.includes('log=1') && location.search.includes('smooth=0')"
    )
    page.reload()
    expect(page.get_by_role("checkbox", name="log scale")).to_be_checked()
    expect(state).to_have_text("Finished")
    assert "smoothed" not in said(page, "Loss")


# ---------------------------------------------------------------- holding and steering


def test_a_run_is_held_turned_and_let_go_on_from_the_page(learning, tmp_path, serve, open_window):
    address = serve(tmp_path / "runs")
    window = open_window(address, learning.id)
    window.enter(f"/train/{learning.id}")
    page = window.page
    state = page.get_by_role("region", name="State of the run")
    expect(state).to_contain_text(re.compile(rf"epoch [1-9]\d* of {EPOCHS}"))
    page.get_by_role("button", name="Pause").click()
    expect(state.get_by_role("status")).to_have_text("Paused")
    held = of_kind(learning, "paused")[-1]["step"]
    expect(state).to_contain_text(f"at step {held:,}")
    assert learning.summary.state == "paused"

    page.get_by_role("combobox", name="learning rate").select_option("0.5")
    window.quiet()
    page.get_by_role("button", name="Go on").click()
    expect(state.get_by_role("status")).to_have_text("Learning")
    expect(state.get_by_text("steered", exact=True)).to_be_visible()
    turn = steering.Turn(step=held + 1, rate_factor=0.5)
    assert steering.turns(learning.folder) == (turn,)
    notes = page.get_by_role("region", name="Notes")
    expect(notes).to_contain_text(f"× 0.5 from step {held + 1:,}")

    page.get_by_role("button", name="Stop and keep").click()
    expect(state.get_by_role("status")).to_have_text("Stopped")
    window.quiet()  # the answer comes once the process is gone
    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_role("row", name=re.compile(learning.id))).to_contain_text("steered")
