"""The way back and one step as a reader of the screen sees them."""

from decimal import Decimal

from playwright.sync_api import Locator, expect
from tests.browser.window import MINUS, Window, exact

# Every text of a list of factors in one go, as it stands on the screen.
BLOCKS = """(list) => [...list.querySelectorAll('.row:not(.head)')].map(
  (row) => ({
    ...Object.fromEntries(['gradient', 'turned kernel', 'products'].map((name) => [name,
      [...row.querySelectorAll(`[aria-label^="${name} "] > span`)].map((tile) => ({
        shown: tile.textContent, title: tile.title
      }))])),
    sum: row.querySelector('.right').textContent
  }))"""
TERMS = """(list) => [...list.querySelectorAll('.list .row')].map(
  (row) => [...row.querySelectorAll('.right')].map((one) => one.textContent))"""


def turn(window: Window, mode: str) -> None:
    """Choose a direction and wait until its numbers are there."""
    window.page.get_by_text(mode, exact=True).click()
    if mode != "Forwards":
        expect(formula(window)).to_contain_text("log(")


def formula(window: Window) -> Locator:
    return window.page.get_by_role("group", name="The loss").locator(".formula")


def gradient_map(window: Window) -> Locator:
    return window.page.get_by_role("application", name="gradient map of")


def heard(window: Window, text: str) -> None:
    """Wait for the sentence of an equation."""
    expect(
        window.page.locator("[aria-live=polite]", has_text=f"Gradient of the loss {text}")
    ).to_be_attached()


def select(window: Window, layer: str, unit: int) -> None:
    window.unit(layer, unit).click()
    heard(window, f"at {layer}, unit {unit}")


def point(window: Window, row: int, column: int, size: int) -> None:
    box = gradient_map(window).bounding_box()
    assert box is not None
    x, y = (column + 0.5) * box["width"] / size, (row + 0.5) * box["height"] / size
    gradient_map(window).hover(position={"x": x, "y": y})


def added(shown: list[str]) -> Decimal:
    return sum(map(exact, shown), Decimal(0))


def shown_sum(sum_region: Locator) -> Decimal:
    """The digits of the sum, once the page says that autograd has the same."""
    expect(sum_region.locator(".check")).to_contain_text("✓ recomputed")
    return exact(sum_region.locator("li").first.locator("b").inner_text())


def steps_hold(sum_region: Locator) -> None:
    """Each step begins with the digits with which the one before ended; the last is the result."""
    before = exact(sum_region.locator("li").first.locator("b").inner_text())
    lines = sum_region.locator("li .line").all_inner_texts()
    for line in lines:
        left, _, right = line.replace("≈", "=").partition("=")
        assert Decimal(left.split("×")[0].strip().replace(MINUS, "-")) == before, lines
        before = exact(right)
    if lines:
        assert exact(sum_region.locator("li").last.locator("b").inner_text()) == before


def full(title: str) -> float:
    """The number with all its digits, behind the colon of a title."""
    return float(title.rpartition(": ")[2].replace(MINUS, "-"))
