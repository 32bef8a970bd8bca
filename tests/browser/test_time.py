"""Time: every frame on the page is the network as it was, bit for bit, and Look goes there too."""

import contextlib
import re

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.window import address_of

from seethrough.data.load import load
from seethrough.draw.film import PER_SECOND, written
from seethrough.errors import RunError
from seethrough.model.presets import preset
from seethrough.runs.creation import create
from seethrough.runs.film import film_of, frames
from seethrough.runs.launch import launch, stop
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

PHOTO = "t3"
PLAYED = """() => {
  const now = document.querySelector('.now b');
  window.played = [];  // what it said, one after the other
  new MutationObserver(() => window.played.push(now.textContent))
    .observe(now, { childList: true, characterData: true, subtree: true });
}"""
CANVAS = "(part) => document.querySelector(`[data-part=${part}] .sheet canvas`).toDataURL()"


@pytest.fixture
def opened(window):
    """The page at an address of this run, once all of it is there."""

    def opening(query="", photo=PHOTO):
        window.enter(f"/time/{window.run}/{photo}{query}")
        expect(
            window.page.get_by_role("heading", name="When it learned which photo")
        ).to_be_visible()
        return window

    return opening


def image(run):
    return run.dataset().images[int(PHOTO[1:])]


def shown(window):
    """The probabilities on the page, every digit."""
    cells = window.page.locator("[data-now]").all()
    return [float(cell.get_attribute("title").replace("−", "-")) for cell in cells]


def said(run, step):
    told = run.classifier_at(step).predict(image(run)).probabilities
    return [told[name] for name in run.classifier.classes]


def slider(window):
    return window.page.get_by_role("slider", name="Moment of the training")


def stands_at(window, step):
    name = f"step {step:,}"
    expect(window.page.locator(".now b")).to_have_text(name)


def test_at_every_moment_it_shows_what_the_network_said_then(opened, studio):
    window = opened("?step=0")
    steps = [moment.step for moment in studio.run.moments]
    assert len(steps) > 5
    for number, step in enumerate(steps):
        stands_at(window, step)
        assert shown(window) == said(studio.run, step)
        if number + 1 < len(steps):
            slider(window).press("ArrowRight")
    assert len({tuple(said(studio.run, step)) for step in steps}) == len(steps)


def test_what_the_slider_shows_is_saved_as_a_film(opened, studio, tmp_path):
    window = opened("?layer=conv2")
    page = window.page
    with page.expect_download() as found:
        page.get_by_role("button", name="Save as a film").click()
    download = found.value
    assert download.suggested_filename == f"{window.run}-{PHOTO}.gif"
    download.save_as(tmp_path / "film.gif")
    dataset = studio.run.dataset()
    label = dataset.classes[dataset.labels[int(PHOTO[1:])]]
    own = written(
        film_of(
            studio.run, image(studio.run), label, frames(studio.run, image(studio.run), "conv2")
        ),
        kind="gif",
        per_second=PER_SECOND,
    )
    assert (tmp_path / "film.gif").read_bytes() == own
    expect(page.get_by_text(f"Saved: {len(studio.run.moments)} pictures.")).to_be_visible()


def test_kernels_and_maps_are_other_pictures_at_each_moment_and_the_same_again(opened, studio):
    window = opened("?step=0&layer=conv2")
    expect(window.page.get_by_role("heading", name="Kernels of conv2")).to_be_visible()
    expect(window.page.get_by_role("heading", name="Maps of relu2")).to_be_visible()
    first = {part: window.page.evaluate(CANVAS, part) for part in ("kernel", "map")}
    slider(window).press("End")
    stands_at(window, studio.run.moments[-1].step)
    window.quiet()
    last = {part: window.page.evaluate(CANVAS, part) for part in ("kernel", "map")}
    assert all(first[part] != last[part] for part in first)
    slider(window).press("Home")
    stands_at(window, 0)
    window.quiet()
    assert {part: window.page.evaluate(CANVAS, part) for part in first} == first


def test_the_address_names_the_moment_and_the_newest_needs_no_name(opened, studio):
    window = opened()
    steps = [moment.step for moment in studio.run.moments]
    stands_at(window, steps[-1])
    slider(window).press("Home")
    window.page.wait_for_url(re.compile(r"\?step=0$"))
    slider(window).press("ArrowRight")
    window.page.wait_for_url(re.compile(rf"\?step={steps[1]}$"))
    slider(window).press("End")
    window.page.wait_for_url(re.compile(rf"/time/{window.run}/{PHOTO}$"))


def test_a_step_that_was_not_kept_opens_the_nearest_moment(opened, studio):
    steps = [moment.step for moment in studio.run.moments]
    between = next(step for step in range(steps[-1]) if step not in steps)
    window = opened(f"?step={between}")
    nearest = min(steps, key=lambda step: (abs(step - between), step))
    stands_at(window, nearest)
    assert shown(window) == said(studio.run, nearest)


def test_it_plays_from_the_beginning_to_the_newest_moment(opened, studio):
    window = opened()
    window.page.get_by_role("button", name="Faster").click()
    steps = [f"step {moment.step:,}" for moment in studio.run.moments]
    window.page.evaluate(PLAYED)
    window.page.get_by_role("button", name="Play", exact=True).click()
    window.page.wait_for_function("(last) => window.played.at(-1) === last", arg=steps[-1])
    assert window.page.evaluate("window.played") == steps
    expect(window.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert shown(window) == said(studio.run, studio.run.moments[-1].step)


def test_keys_play_and_step_wherever_the_page_stands(opened, studio):
    window = opened("?step=0")
    steps = [moment.step for moment in studio.run.moments]
    window.page.locator("h1").click()
    window.page.keyboard.press("ArrowRight")
    stands_at(window, steps[1])
    window.page.keyboard.press("End")
    stands_at(window, steps[-1])
    window.page.keyboard.press("ArrowLeft")
    stands_at(window, steps[-2])
    window.page.keyboard.press("Home")
    window.page.keyboard.press(" ")
    expect(window.page.get_by_role("button", name="Pause")).to_be_visible()
    window.page.keyboard.press(" ")
    expect(window.page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_photos_say_when_they_were_learned(opened, studio):
    window = opened("?step=2")
    told = studio.run.timeline()
    classes = studio.run.classifier.classes
    links = window.page.locator("[data-part=learned] a")
    expect(links).to_have_count(len(told.photos))
    words = sorted(link.get_attribute("title") for link in links.all())
    assert words == sorted(
        f"{classes[label]}, " + ("not learned so far" if at is None else f"learned at step {at:,}")
        for label, at in zip(told.labels, told.learned, strict=True)
    )
    done = sum(at is not None and at <= 2 for at in told.learned)
    assert links.and_(window.page.locator(":not(.yet)")).count() == done
    dots = window.page.locator("[data-part=plane] a")
    expect(dots).to_have_count(len(told.photos))
    at = told.steps.index(2)
    wrong = int((told.probabilities[at].argmax(1) != told.labels).sum())
    assert window.page.locator("[data-part=plane] a.wrong").count() == wrong


def test_dead_units_are_those_of_the_timeline(opened, studio):
    window = opened()
    told = studio.run.timeline()
    units = window.page.locator("[data-part=living] dd a")
    expect(units).to_have_count(sum(len(died) for died in told.died.values()))
    dead = sum(at is not None for died in told.died.values() for at in died)
    assert window.page.locator("[data-part=living] a.dead").count() == dead


def test_the_photo_s_own_curve_says_where_it_was_learned(opened, studio):
    window = opened()
    label = studio.run.dataset().labels[int(PHOTO[1:])]
    right = [
        int(np.argmax(said(studio.run, moment.step))) == label for moment in studio.run.moments
    ]
    lasting = [moment.step for at, moment in enumerate(studio.run.moments) if all(right[at:])]
    text = window.page.locator("[data-part=chances] > p")
    if not lasting:
        expect(text).to_contain_text("it is not taken for")
    elif lasting[0] == 0:
        expect(text).to_contain_text("at all moments")
    else:
        expect(text).to_contain_text(f"Learned at step {lasting[0]:,}:")


def test_look_shows_the_network_as_it_was_and_leads_back_to_now(opened, studio):
    window = opened("?step=2")
    window.page.get_by_role("link", name="Look through the network as it was here").click()
    expect(window.unit("softmax", 0)).to_be_visible()
    mark = window.page.locator("[data-part=as-it-was]")
    expect(mark).to_contain_text("As it was at step 2, epoch 1.")
    bars = window.network.locator(".bars [data-unit]")
    for told, bar in zip(said(studio.run, 2), bars.all(), strict=True):
        expect(bar).to_contain_text(f"{100 * told:.1f}")
    window.select("conv1", 3)
    window.point(2, 3, size=(16, 16))
    was = studio.run.classifier_at(2).trace(image(studio.run)).equation("conv1", 3, 2, 3)
    expect(window.sentence).to_contain_text(was.shown_sum)
    assert "step=2" in address_of(window.page)
    now = studio.run.classifier.trace(image(studio.run)).equation("conv1", 3, 2, 3)
    assert now.shown_sum != was.shown_sum
    mark.get_by_role("link", name="Back to now").click()
    expect(mark).to_be_hidden()
    expect(window.sentence).to_contain_text(now.shown_sum)


def test_a_moment_that_was_not_kept_is_refused_in_words(window, studio):
    missing = studio.run.moments[-1].step - 1
    window.statuses.add(409)
    window.enter(f"/look/{window.run}/{PHOTO}?step={missing}")
    alert = window.page.get_by_role("alert")
    expect(alert).to_contain_text(f"has no moment at step {missing}")
    expect(alert).to_contain_text("nearest")


def test_a_run_without_moments_says_so(window, studio):
    file = studio.run.folder / "moments.bin"
    aside = file.rename(file.with_suffix(".aside"))
    try:
        window.enter(f"/time/{window.run}/{PHOTO}")
        expect(window.page.get_by_role("heading", name="No moment of this run")).to_be_visible()
    finally:
        aside.rename(file)


@pytest.fixture
def learning(photos, tmp_path, monkeypatch):
    """A run that is being recorded by another process, for longer than a test looks at it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    images, recipe = load(photos, image_px=32), Recipe(epochs=400, batch=24, peak_lr=0.05)
    run = create(images, preset("demo"), recipe, runs_dir=tmp_path / "runs", place=Place(threads=1))
    launch(run)
    yield run
    with contextlib.suppress(RunError):  # it has come to its end
        stop(run)


def test_the_slider_grows_while_the_run_learns_and_a_chosen_moment_stays(
    learning, tmp_path, serve, open_window
):
    newest = """() => {
      const { value, max } = document.querySelector('.slider input');
      return value === max;
    }"""
    grown = "(before) => Number(document.querySelector('.slider input').max) > before"
    address = serve(tmp_path / "runs")
    window = open_window(address, learning.id)
    window.enter(f"/train/{learning.id}")
    window.page.wait_for_function("() => /epoch [1-9]/.test(document.body.innerText)")
    window.page.goto(f"{address.url}/time/{learning.id}")
    expect(window.page.locator(".live")).to_have_text("it is learning")
    for _ in range(2):  # at the newest moment it goes along
        before = int(slider(window).get_attribute("max"))
        window.page.wait_for_function(grown, arg=before)
        window.page.wait_for_function(newest)
    slider(window).press("Home")
    stands_at(window, 0)
    before = int(slider(window).get_attribute("max"))
    window.page.wait_for_function(grown, arg=before)
    stands_at(window, 0)
    assert len(learning.moments) > before
