"""The studio for those who use no mouse, read another way, or hold a phone.

axe-core (studio/node_modules, installed with the studio) judges every view, on both papers.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from tests.browser.window import Window

STUDIO = Path(__file__).parents[2] / "studio"
AXE = STUDIO / "node_modules" / "axe-core" / "axe.min.js"
FINDINGS = """async (rules) => (await axe.run(document, {
    resultTypes: ['violations'], ...(rules && {runOnly: rules})
  })).violations
  .filter((one) => ['serious', 'critical'].includes(one.impact))
  .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)}`))"""
CHECKED = "async () => (await axe.run(document)).passes.length"
FOCUSED = "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.innerText"
VIEWS = {
    "/runs": "Runs",
    "/train/{run}": "The network",
    "/train/{run}?curve=loss": "The network",
    "/look/{run}/{photo}": "Click any unit",
    "/look/{run}/{photo}/conv3/7": "conv3 · unit 7",
    "/look/{run}/{photo}/conv2/3/0,0": "One cell, every factor",
    "/look/{run}/{photo}/norm2/1": "norm2 · unit 1",
    "/look/{run}/{photo}/pool1/3": "pool1 · unit 3",
    "/look/{run}/{photo}/flatten/4": "flatten · unit 4",
    "/look/{run}/{photo}/dense1/1": "dense1 · unit 1",
    "/look/{run}/{photo}/softmax/1": "softmax · unit 1",
    "/sandbox/{run}?photo={photo}": "Convolution sandbox",
    "/sandbox/{run}?photo={photo}&stride=2&fill=reflect&channel=red&values=unit-3-0": "The kernel",
    "/report/{run}": "What it takes for what",
    "/photos/{run}": "Photos of each class",
    "/time/{run}/{photo}?step=2": "When it learned which photo",
    "/look/{run}/{photo}?step=2": "Click any unit",
    "/look/{run}/{photo}/conv3/7?mode=step&batch=run&memory=run&times=2": "Who pulls at it",
}
SCREEN: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def findings(page: Page, *rules: str) -> list[str]:
    """What axe calls serious or critical, the part of the page beside it; by all its rules."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE.read_text())
    return list(page.evaluate(FINDINGS, list(rules) or None))


def findings_everywhere(window: Window) -> dict[str, list[str]]:
    """Of this view on a screen and on a phone, and its colours on dark paper."""
    page, found = window.page, {}
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(SCREEN)
    window.quiet()
    found["screen"] = findings(page)
    page.emulate_media(color_scheme="dark")
    window.quiet()
    found["dark"] = findings(page, "color-contrast")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    window.quiet()
    found["phone"] = findings(page)
    return {where: what for where, what in found.items() if what}


@pytest.mark.parametrize("part", [0, 1])
def test_axe_finds_nothing_serious_in_any_view(window, studio, part):
    page = window.page
    window.look()
    photo = window.path().split("/")[3]
    found, views = {}, list(VIEWS.items())[part::2]
    for path, heading in views:
        page.set_viewport_size(SCREEN)
        page.goto(studio.address.url + path.format(run=studio.run.id, photo=photo))
        expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        window.quiet()
        found[path] = findings_everywhere(window)
    assert found == {path: {} for path, _ in views}
    assert page.evaluate(CHECKED) > 10


def test_axe_would_find_words_that_are_too_pale_on_dark_paper(window):
    window.enter("/runs")
    heading = window.page.get_by_role("heading", name="Runs")
    expect(heading).to_be_visible()
    heading.evaluate("(one) => (one.style.color = '#444')")
    assert [*findings_everywhere(window)] == ["dark"]


def test_axe_would_find_a_picture_without_words(window):
    window.look()
    window.page.evaluate("document.querySelector('.photos img').removeAttribute('alt')")
    assert any(found.startswith("image-alt") for found in findings(window.page))


def tab_to(page: Page, pattern: str) -> str:
    """Tab until what has the keyboard is called like this."""
    passed = []
    for _ in range(80):
        page.keyboard.press("Tab")
        name = str(page.evaluate(FOCUSED) or "").strip()
        if re.search(pattern, name):
            return name
        passed.append(name)
    raise AssertionError(f"no Tab leads to {pattern!r}, only to {passed}")


def test_from_the_runs_to_one_product_and_the_report_with_the_keyboard_alone(window, studio):
    window.enter("/runs")
    page = window.page
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    expect(page.get_by_role("link", name=studio.run.id)).to_be_visible()
    tab_to(page, f"^{studio.run.id}$")
    tab_to(page, "^Look$")
    page.keyboard.press("Enter")
    expect(window.unit("softmax", 0)).to_be_visible()

    window.quiet()
    before = window.path()
    photos = page.locator(".photos a")
    expect(photos.nth(2)).to_be_visible()
    for _ in range(80):
        page.keyboard.press("Tab")
        if photos.nth(2).evaluate("(one) => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_function("(path) => location.pathname !== path", arg=before)
    expect(photos.nth(2)).to_have_attribute("aria-current", "true")

    tab_to(page, r", unit \d+$")
    while not page.evaluate(FOCUSED).startswith("conv2"):
        page.keyboard.press("ArrowRight")
    name = page.evaluate(FOCUSED)
    page.keyboard.press("Enter")
    expect(window.map).to_be_focused()
    expect(window.sentence).to_have_text(re.compile(f"^{name}, row "))
    for _ in range(16):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    expect(window.sentence).to_contain_text(f"{name}, row 0, column 0: ")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(window.sentence).to_contain_text(f"{name}, row 1, column 1: ")
    window.path_becomes(f"/look/{window.run}/t\\d+/conv2/\\d+/1,1")

    tab_to(page, "^Report$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What it takes for what")).to_be_visible()


def test_on_a_phone_the_bench_is_a_sheet_over_the_network(open_window, studio):
    window = open_window(studio.address, studio.run.id, **PHONE)
    page = window.page
    window.look()
    window.quiet()
    shift = window.shift()
    window.select("conv1", 12)
    expect(window.map).to_be_focused()
    sheet = page.locator(".drawer")
    box = sheet.bounding_box()
    assert box["y"] + box["height"] == PHONE["height"]
    assert 0.5 * PHONE["height"] < box["height"] < 0.65 * PHONE["height"]
    # what was chosen is not under it
    page.wait_for_function(
        """(free) => document.querySelector('[aria-label="conv1, unit 12"]')
          .getBoundingClientRect().bottom <= free""",
        arg=box["y"],
    )
    assert window.shift() - shift < 0.02

    taller = page.get_by_role("button", name="Bench: taller")
    taller.click()
    page.wait_for_function(
        "(low) => document.querySelector('.drawer').getBoundingClientRect().height > low",
        arg=box["height"] + 100,
    )
    page.get_by_role("button", name="Bench: smaller").click()
    page.keyboard.press("Escape")
    expect(window.unit("conv1", 12)).to_be_focused()
    expect(page.get_by_role("region", name="The unit")).to_have_count(0)

    window.select("conv1", 12)
    page.get_by_role("button", name="Bench: close").click()
    expect(page.get_by_role("region", name="The unit")).to_have_count(0)
    expect(window.unit("conv1", 12)).to_be_focused()


def test_a_sheet_that_is_pulled_down_closes(open_window, studio):
    window = open_window(studio.address, studio.run.id, **PHONE)
    page = window.page
    window.look()
    window.select("conv1", 3)
    box = page.get_by_role("button", name="Bench: taller").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 20)
    page.mouse.move(x, y + 120)
    page.mouse.up()
    expect(page.get_by_role("region", name="The unit")).to_have_count(0)


def test_a_wide_window_has_no_sheet(window):
    window.look()
    window.select("conv1", 3)
    expect(window.page.get_by_role("button", name="Bench: close")).to_be_hidden()
    place = "getComputedStyle(document.querySelector('.drawer')).position"
    assert window.page.evaluate(place) == "static"
