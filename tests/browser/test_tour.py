"""The guided tour on the demo's network: every card, each done by what it asks for and by nothing else."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.test_accessibility import findings
from tests.browser.window import Window

PHONE = {"width": 390, "height": 844}

CARDS = [
    "pixels",
    "channels",
    "normalising",
    "kernel",
    "stride",
    "padding",
    "activation-map",
    "relu",
    "pooling",
    "receptive-field",
    "flatten",
    "dense",
    "softmax",
    "loss",
    "gradient",
    "backpropagation",
    "step",
    "epoch",
    "generalisation",
    "overfitting",
]

OVERLAP = """() => {
  const [card, outline] = ['.place', '.outline'].map((one) => document.querySelector(one));
  if (!outline) return null;
  const [a, b] = [card, outline].map((one) => one.getBoundingClientRect());
  const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.max(0, across) * Math.max(0, down);
}"""


def card(page: Page) -> Locator:
    return page.locator("[data-tour=card]")


def is_done(page: Page) -> Locator:
    return card(page).get_by_test_id("done")


def heading(page: Page) -> Locator:
    return card(page).get_by_role("heading", level=2)


def unit(page: Page, layer: str, number: int) -> Locator:
    return page.locator(f'[data-layer="{layer}"] [data-unit="{number}"]')


def asked_unit(page: Page) -> Locator:
    """The unit that the card names."""
    words = card(page).get_by_test_id("task").inner_text()
    found = re.search(r"Click unit (\d+) of (\w+)", words)
    assert found, words
    return unit(page, found[2], int(found[1]))


def bar(page: Page) -> Locator:
    words = card(page).get_by_test_id("task").inner_text()
    found = re.search(r"Click (?:the bar of )?(\w+) (?:at|in)", words)
    assert found, words
    return page.locator(".bars [data-unit]", has_text=found[1])


def press(page: Page, target: Locator, *keys: str) -> None:
    target.focus()
    for key in keys:
        page.keyboard.press(key)


def map_of(page: Page) -> Locator:
    return page.get_by_role("application", name="activation map of")


def radio(page: Page, group: str, name: str) -> Locator:
    return page.get_by_role("group", name=group).locator("label", has_text=name)


def pull(page: Page) -> None:
    press(page, page.get_by_role("slider", name="Learning rate"), "ArrowLeft", "ArrowLeft")


ACTIONS: dict[str, Callable[[Page], None]] = {
    "pixels": lambda page: press(
        page, page.get_by_role("application", name="The photo; the input"), "ArrowLeft"
    ),
    "channels": lambda page: radio(page, "Colour", "green").click(),
    "normalising": lambda page: unit(page, "normalise", 0).click(),
    "kernel": lambda page: asked_unit(page).click(),
    "stride": lambda page: press(page, map_of(page), "ArrowRight"),
    "padding": lambda page: press(page, map_of(page), *["ArrowUp"] * 8),
    "activation-map": lambda page: unit(page, "conv1", 9).click(),
    "relu": lambda page: asked_unit(page).click(),
    "pooling": lambda page: asked_unit(page).click(),
    "receptive-field": lambda page: asked_unit(page).click(),
    "flatten": lambda page: page.locator('[data-layer="flatten"]').click(),
    "dense": lambda page: unit(page, "dense1", 0).click(),
    "softmax": lambda page: bar(page).click(),
    "loss": lambda page: radio(page, "Direction", "Backwards").click(),
    "gradient": lambda page: bar(page).click(),
    "backpropagation": lambda page: asked_unit(page).click(),
    "step": pull,
    "epoch": lambda page: press(
        page, page.get_by_role("slider", name="accuracy over the epochs"), "ArrowLeft"
    ),
    "generalisation": lambda page: (
        page.locator(
            "section[aria-labelledby=confusions] button, section[aria-labelledby=confusions] td"
        )
        .nth(2)
        .click()
    ),
    "overfitting": lambda page: radio(page, "What the curves show", "loss").click(),
}


def begin(window: Window) -> Page:
    window.look()
    window.page.get_by_role("button", name="Tour", exact=True).click()
    expect(heading(window.page)).to_be_focused()
    return window.page


def pointed(page: Page) -> None:
    """Something is outlined, and the card does not lie on it."""
    expect(page.locator(".outline")).to_be_visible()
    page.wait_for_function(f"({OVERLAP})() === 0")


def test_every_card_is_done_by_what_it_asks_for_and_by_nothing_else(window):
    assert list(ACTIONS) == CARDS
    page = begin(window)
    for number, name in enumerate(CARDS, start=1):
        expect(card(page).get_by_test_id("progress")).to_have_text(f"{number} of 20")
        assert f"tour={name}" in page.url
        window.quiet()
        pointed(page)
        expect(is_done(page)).to_be_empty()
        expect(card(page).locator(".yours")).to_contain_text(re.compile(r"\d"))
        ACTIONS[name](page)
        expect(is_done(page)).to_contain_text("Done.")
        window.quiet()
        pointed(page)
        card(page).get_by_role(
            "button", name="Close" if number == 20 else "Next", exact=True
        ).click()
    expect(card(page)).to_have_count(0)
    assert "tour=" not in page.url
    kept = json.loads(page.evaluate("localStorage.getItem('seethrough-tour')"))
    assert sorted(kept["done"]) == sorted(CARDS)
