"""The guided tour on the demo's network: a card is done by what it asks for, by nothing else."""

import json
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.test_accessibility import findings
from tests.browser.window import Window, address_of

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

TITLES = {
    "kernel": "Kernel",
    "padding": "Padding",
    "gradient": "Gradient",
    "epoch": "Epoch",
}

OVERLAP = """() => {
  const card = document.querySelector('[data-tour=card]');
  const outline = document.querySelector('.outline');
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
    page.wait_for_function(f"() => ({OVERLAP})() === 0")


def test_every_card_is_done_by_what_it_asks_for_and_by_nothing_else(window):
    assert list(ACTIONS) == CARDS
    page = begin(window)
    for number, name in enumerate(CARDS, start=1):
        expect(card(page).get_by_test_id("progress")).to_have_text(f"{number} of 20")
        assert f"tour={name}" in address_of(page)
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
    assert "tour=" not in address_of(page)
    kept = json.loads(page.evaluate("localStorage.getItem('seethrough-tour')"))
    assert sorted(kept["done"]) == sorted(CARDS)


def opened(window: Window, address: str, title: str) -> Page:
    """Follow a link to a card."""
    window.enter(address)
    expect(heading(window.page)).to_have_text(title)
    expect(card(window.page).locator(".yours")).to_contain_text(re.compile(r"\d"))
    window.quiet()
    return window.page


def test_a_link_leads_to_the_place_of_its_card_unless_it_names_one(window):
    page = opened(window, "/?tour=stride", "Stride")
    window.path_becomes(f"/look/{window.run}/t\\d+/conv1/\\d+/8,8")
    pointed(page)
    page.reload()
    expect(heading(page)).to_have_text("Stride")
    expect(is_done(page)).to_be_empty()

    page = opened(window, f"/train/{window.run}?tour=relu", "ReLU")
    assert window.path() == f"/train/{window.run}"
    card(page).get_by_role("button", name="Show me").click()
    window.path_becomes(f"/look/{window.run}/t\\d+")
    pointed(page)
    page.go_back()
    window.path_becomes(f"/train/{window.run}")
    expect(heading(page)).to_have_text("ReLU")


def test_a_word_opens_its_card_and_leaves_the_reader_where_they_are(window):
    window.look("t1", at="/conv1/3/8,8")
    page = window.page
    words = page.get_by_role("region", name="The unit")
    expect(words).to_be_visible()
    expect(page.locator(".photos a").nth(10)).to_be_visible()
    window.quiet()
    path = unquote(window.path())
    boxes = [part.bounding_box() for part in (window.network, words)]
    stride = words.get_by_role("button", name="stride")
    stride.click()
    expect(heading(page)).to_have_text("Stride")
    expect(heading(page)).to_be_focused()
    window.quiet()
    assert unquote(window.path()) == path
    assert [part.bounding_box() for part in (window.network, words)] == boxes
    expect(page.locator(".outline")).to_have_count(0)

    page.keyboard.press("Escape")
    expect(card(page)).to_have_count(0)
    expect(stride).to_be_focused()
    assert unquote(window.path()) == path  # Escape closed the card, not the bench

    page.get_by_role("button", name="Loss", exact=True).click()
    expect(heading(page)).to_have_text("Loss")
    card(page).get_by_role("button", name="Show me").click()
    window.path_becomes(f"/look/{window.run}/t1")
    pointed(page)


@pytest.mark.parametrize(
    ("path", "word", "title"),
    [
        ("/train/{run}", "sees", "Depth and receptive field"),
        ("/train/{run}", "gradient", "Gradient"),
        ("/train/{run}", "Learning rate", "A step of learning"),
        ("/report/{run}", "never seen", "Generalisation"),
        ("/time/{run}/t1?step=1", "Kernels", "Kernel"),
        ("/time/{run}/t1?step=1", "test photos", "Generalisation"),
        ("/compare/{run}/{run}/t1?step=0", "epochs", "Epoch"),
    ],
)
def test_a_word_opens_its_card_in_every_view_that_has_it(window, path, word, title):
    window.enter(path.format(run=window.run))
    page = window.page
    term = page.get_by_role("main").get_by_role("button", name=word, exact=True).first
    expect(term).to_be_visible(timeout=120_000)  # compare asks two networks before it has words
    window.quiet()
    place = window.path()
    term.click()
    expect(heading(page)).to_have_text(title)
    assert window.path() == place
    page.keyboard.press("Escape")
    expect(card(page)).to_have_count(0)
    expect(term).to_be_focused()


def test_the_keyboard_alone_goes_from_card_to_task_and_back(window):
    page = opened(window, "/?tour=kernel", "Kernel")
    pointed(page)
    page.keyboard.press("F2")
    expect(heading(page)).not_to_be_focused()
    page.keyboard.press("Enter")
    expect(is_done(page)).to_contain_text("Done.")
    expect(window.map).to_be_focused()
    page.keyboard.press("F2")
    expect(heading(page)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(heading(page)).to_have_text("Stride")
    expect(window.map).to_be_visible()
    page.keyboard.press("F2")
    expect(window.map).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(is_done(page)).to_contain_text("Done.")
    page.keyboard.press("F2")
    page.keyboard.press("ArrowLeft")
    expect(heading(page)).to_have_text("Kernel")
    page.keyboard.press("Escape")
    expect(card(page)).to_have_count(0)

    page.reload()
    page.get_by_role("button", name="Tour", exact=True).click()
    expect(heading(page)).to_have_text("Kernel")  # where it was
    card(page).get_by_role("button", name="All cards").click()
    entries = card(page).get_by_role("list", name="All cards").get_by_role("button")
    expect(entries).to_have_count(20)
    expect(entries.filter(has_text="done")).to_have_count(2)
    entries.filter(has_text="Pooling").click()
    expect(heading(page)).to_have_text("Pooling")


def test_a_teachers_address_hides_what_it_says_and_takes_the_steps_it_names(window):
    plan = "steps=kernel,loss&hide=header,strip,modes,scale"
    page = opened(window, f"/?tour=kernel&{plan}", "Kernel")
    expect(card(page).get_by_test_id("progress")).to_have_text("1 of 2")
    for part in ("header", "strip", "modes", "scale"):
        expect(page.locator(f"[data-part={part}]")).to_have_count(1)
        expect(page.locator(f"[data-part={part}]")).to_be_hidden()
    expect(window.network).to_be_visible()

    card(page).get_by_role("button", name="Next").click()
    expect(heading(page)).to_have_text("Loss")
    expect(page.locator("[data-part=modes]")).to_be_visible()  # the card needs it
    expect(page.locator("[data-part=strip]")).to_be_hidden()
    card(page).get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("[data-part=modes]")).to_be_hidden()
    assert plan in address_of(page)

    window.enter(f"/look/{window.run}?hide=sandbox,report")
    views = page.get_by_role("navigation", name="Views")
    expect(views.get_by_role("link", name="Look")).to_be_visible()
    expect(views.get_by_role("link", name="Sandbox")).to_be_hidden()
    views.get_by_role("link", name="Train").click()
    window.path_becomes(f"/train/{window.run}")
    expect(views.get_by_role("link", name="Report")).to_be_hidden()  # it stays so


def test_the_dialog_builds_an_address_that_does_what_it_says(window):
    page = opened(window, "/?tour=relu", "ReLU")
    card(page).get_by_role("button", name="Share this view").click()
    dialog = page.get_by_role("dialog", name="Share this view")
    address = dialog.get_by_label("Address")
    expect(address).to_have_value("/?tour=relu")
    dialog.get_by_label("Only these cards").fill("relu, pooling, poling")
    expect(dialog).to_contain_text("No card is called poling.")
    dialog.get_by_label("header").check()
    expect(address).to_have_value("/?tour=relu&steps=relu,pooling&hide=header")
    dialog.get_by_label("This run and this place").check()
    expect(address).to_have_value(re.compile(rf"^/look/{window.run}/t\d+\?tour=relu&steps="))
    assert findings(page) == []
    path = address.input_value()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(heading(page)).to_have_text("ReLU")  # Escape closed the dialog only

    page = opened(window, path, "ReLU")
    expect(card(page).get_by_test_id("progress")).to_have_text("1 of 2")
    expect(page.locator("[data-part=header]")).to_be_hidden()


PLACES = ["kernel", "padding", "gradient", "epoch"]
PAPERS = ["light", pytest.param("dark", marks=pytest.mark.full)]


@pytest.mark.parametrize("paper", PAPERS)
def test_on_a_phone_no_card_hides_what_it_points_at(open_window, studio, paper):
    window = open_window(studio.address, studio.run.id, **PHONE)
    window.page.emulate_media(color_scheme=paper)
    for name in PLACES if paper == "light" else PLACES[:1]:
        page = opened(window, f"/?tour={name}", TITLES[name])
        pointed(page)
        assert window.overflow_px() == 0
        assert findings(page) == []
        ACTIONS[name](page)
        expect(is_done(page)).to_contain_text("Done.")
        window.quiet()
        pointed(page)
        box = card(page).bounding_box()
        assert box["height"] < 0.5 * PHONE["height"]
        assert box["width"] > 0.95 * PHONE["width"]


@pytest.mark.parametrize("paper", PAPERS)
def test_axe_finds_nothing_serious_in_a_card_and_in_the_list_of_all(window, paper):
    window.page.emulate_media(color_scheme=paper)
    page = opened(window, "/?tour=kernel", "Kernel")
    assert findings(page) == []
    card(page).get_by_role("button", name="All cards").click()
    expect(card(page).get_by_role("list", name="All cards")).to_be_visible()
    assert findings(page) == []
