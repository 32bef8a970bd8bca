"""A trace in a notebook: the page that anywidget loads, in Chromium, answered by Python."""

import re
from decimal import Decimal

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Locator, expect
from tests.browser.cell import Cell
from tests.browser.test_accessibility import AXE, FINDINGS
from tests.browser.window import exact, last
from torch import nn

from seethrough.draw.colour import painted
from seethrough.explain import Trace, trace

MINUS = "\N{MINUS SIGN}"
PIXELS = """(canvas, cells) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const step = canvas.width / cells;
  return Array.from({ length: cells * cells }, (_, i) => {
    const [row, column] = [Math.floor(i / cells), i % cells];
    const [y, x] = [row, column].map((place) => Math.floor((place + 0.5) * step));
    const at = 4 * (y * canvas.width + x);
    return Array.from(data.slice(at, at + 3));
  });
}"""


@pytest.fixture(scope="module")
def seen() -> Trace:
    torch.manual_seed(2)
    network = nn.Sequential(
        nn.Conv2d(3, 20, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(20, 5, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(5 * 36, 4),
    )
    photo = np.random.default_rng(5).integers(256, size=(12, 12, 3), dtype=np.uint8)
    return trace(network, photo, classes=["ant", "bee", "cat", "dog"])


@pytest.fixture
def open_cell(chromium: Browser, seen: Trace):
    cells = []

    def opened(*, width: int = 1440, is_dark: bool = False) -> Cell:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce"
        )
        cells.append(Cell(context, seen, is_dark=is_dark))
        return cells[-1]

    yield opened
    for cell in cells:
        cell.page.context.close()
    assert [complaint for cell in cells for complaint in cell.complaints] == []


def digits(places: Locator) -> list[str]:
    return [text.replace(MINUS, "-").lstrip("+") for text in places.all_inner_texts()]


def select(cell: Cell, name: str) -> None:
    """Click a unit; its equation, whose sentence begins with it, follows."""
    cell.page.get_by_role("button", name=name, exact=True).click()
    sentence = cell.page.locator("[aria-live=polite]")
    expect(sentence).to_have_text(re.compile(rf"^{re.escape(name)}[,:]"))


def test_a_click_on_a_unit_and_a_cell_shows_digits_that_are_pythons_and_add_up(open_cell, seen):
    cell = open_cell()
    page = cell.page
    select(cell, "2, unit 3")
    box = page.get_by_role("application").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 4.5 * box["width"] / 12, box["y"] + 7.5 * box["height"] / 12)
    expect(page.locator("[aria-live=polite]")).to_contain_text("row 7, column 4: ")
    equation = seen.equation("2", 3, 7, 4)

    factors = page.get_by_role("region", name="Every factor")
    fold = factors.locator("button[aria-expanded=false]")
    folded = exact(fold.locator(".num").inner_text())
    rows = factors.locator(".row:not(.head)")
    shown = [exact(text) for text in rows.locator("> .right").all_inner_texts()]
    total = page.get_by_role("region", name="The sum").locator("li").first.inner_text()
    bias = Decimal(equation.shown_bias)
    assert sum(shown) + folded + bias == last(total) == Decimal(equation.shown_sum)

    fold.click()
    expect(rows).to_have_count(20)
    order = [channel.channel for channel in equation.channels]
    assert digits(rows.locator("> .right")) == [channel.shown for channel in equation.channels]
    for channel in order:
        terms = [term for term in equation.terms if term.channel == channel]
        products = factors.get_by_role("group", name=f"products of channel {channel}", exact=True)
        found = digits(products.locator("span"))
        assert found == [term.shown_product for term in terms]
        own = next(one.shown for one in equation.channels if one.channel == channel)
        assert sum(map(Decimal, found)) == Decimal(own)
    activation = page.get_by_role("region", name="The sum").locator(".result b").inner_text()
    assert activation.replace(MINUS, "-") == equation.shown_activation
    expect(page.get_by_text("✓ recomputed")).to_be_visible()
    top, left, bottom, right = equation.sees
    expect(page.get_by_text(f"sees {bottom - top} × {right - left} px")).to_be_visible()


def test_the_keyboard_leads_through_the_network_and_over_the_map(open_cell, seen):
    cell = open_cell()
    page = cell.page
    select(cell, "2, unit 0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    sentence = page.locator("[aria-live=polite]")
    expect(sentence).to_have_text(re.compile("^3, unit 1, "))
    big = page.get_by_role("application")
    big.focus()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    expect(sentence).to_have_text(re.compile("^3, unit 1, row 0, column 1: "))
    assert seen.equation("3", 1, 0, 1).sentence == sentence.inner_text()
    reachable = page.locator("[data-reach][tabindex='0']")
    expect(reachable).to_have_count(1)


def test_a_unit_that_was_not_sent_is_asked_for_and_drawn_in_the_colours_of_the_package(
    open_cell, seen
):
    cell = open_cell()
    page = cell.page
    layer = seen.layer("0")
    sent = set(cell.widget.sheet["layers"][0]["units"])
    unit = min(set(range(20)) - sent)
    page.get_by_role("spinbutton").fill(str(unit))
    page.keyboard.press("Enter")
    expect(page.locator("[aria-live=polite]")).to_have_text(re.compile(f"^0, unit {unit}, "))
    canvas = page.get_by_role("application").locator("canvas")
    wanted = painted(layer.output[unit], float(np.abs(layer.output).max()))
    colours = np.array(canvas.evaluate(PIXELS, 12)).reshape(12, 12, 3)
    assert np.abs(colours - wanted.astype(int)).max() <= 1


def test_a_number_of_a_vector_and_a_probability_are_taken_apart(open_cell, seen):
    cell = open_cell()
    page = cell.page
    page.get_by_role("button", name="6, 4 numbers").click()
    best = int(np.abs(seen.logits).argmax())
    expect(page.locator("[aria-live=polite]")).to_have_text(re.compile(f"^6, unit {best}[,:]"))
    result = page.get_by_role("region", name="The sum").locator(".result b")
    assert result.inner_text().replace(MINUS, "-") == seen.equation("6", best).shown_sum
    page.get_by_role("button", name=re.compile("^dog")).click()
    equation = seen.equation("softmax", 3)
    expect(result).to_have_text(equation.shown_activation)
    products = page.get_by_role("region", name="Every factor").locator(".product")
    assert sum(map(exact, products.all_inner_texts())) == Decimal(equation.shown_sum)


@pytest.mark.parametrize(("width", "is_dark"), [(1440, False), (1440, True), (390, False)])
def test_it_fits_can_be_read_on_both_papers_and_leaves_nothing_behind(open_cell, width, is_dark):
    cell = open_cell(width=width, is_dark=is_dark)
    page = cell.page
    expect(page.get_by_role("region", name="The sum")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE.read_text())
    assert page.evaluate(FINDINGS) == []
    page.evaluate("window.close_cell()")
    assert page.locator("#cell *").count() == 0
    assert page.evaluate("window.listeners.size") == 0


# As JupyterLab: the mark is read on the way down, what it does not stop is a shortcut.
SHORTCUTS = """() => {
  window.shortcuts = [];
  document.addEventListener('keydown', (event) => {
    if (event.target.closest('[data-lm-suppress-shortcuts]')) return;
    window.shortcuts.push(event.key);
    event.preventDefault();
  }, true);
  window.heard = [];
  document.addEventListener('keydown', (event) => window.heard.push(event.key));
}"""


def test_keys_that_move_stay_in_the_page_and_those_with_a_modifier_are_the_notebooks(open_cell):
    cell = open_cell()
    page = cell.page
    page.evaluate(SHORTCUTS)
    select(cell, "2, unit 0")
    for key in ("ArrowDown", "Enter", "Control+s", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate("window.shortcuts.filter((key) => key !== 'Control')") == ["s"]
    assert page.evaluate("window.heard.filter((key) => key !== 'Control')") == ["s"]
    page.evaluate("window.close_cell()")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("window.heard").count("ArrowDown") == 1


def test_the_picture_keeps_its_ink_where_a_notebook_has_another_one_for_tables(chromium, seen):
    page = chromium.new_page()
    page.set_content(f"<style>table {{ color: #fff }}</style>{seen._repr_html_()}")
    colours = "found => [...new Set(found.map(one => getComputedStyle(one).color))]"
    assert page.locator("td").evaluate_all(colours) == ["rgb(29, 28, 26)"]
    page.close()
