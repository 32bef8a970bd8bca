"""Try: what is changed by hand on the page is what the server is asked, and what it answers."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from .test_accessibility import findings, tab_to
from .test_upload import blue_and_green, choose, drop
from .window import address_of

COVER = "4,6,20,22"


@pytest.fixture
def opened(window):
    """The page with the change that an address says, once its answer is there."""

    def opening(photo, query=""):
        window.enter(f"/try/{window.run}/{photo}{query}")
        expect(words(window)).not_to_contain_text("Sending", timeout=30_000)
        return window

    return opening


def words(window):
    return window.page.locator(".words")


def shown(window, which):
    """The probabilities of all classes, every digit that their titles have."""
    cells = window.page.locator(f"td[data-{which}]")
    return [float(cell.get_attribute("title").replace("−", "-")) for cell in cells.all()]


def becomes(window, told):
    """Wait until the probabilities on the screen are these."""
    window.page.wait_for_function(
        """(told) => [...document.querySelectorAll('td[data-after]')].every(
          (cell, k) => Math.abs(Number(cell.title.replaceAll('−', '-')) - told[k]) < 1e-12)""",
        arg=told,
    )


def asked(window, question, photo="t0"):
    """The same from the API, without the page."""
    address = f"{window.address.url}/api/runs/{window.run}/photos/{photo}/what-if"
    headers = {
        "authorization": f"Bearer {window.address.token}",
        "sec-fetch-site": "none",
    }
    return httpx.post(address, json=question, headers=headers, timeout=60).raise_for_status().json()


def picture(window):
    return window.page.get_by_role("application", name="The photo")


def unit(window, layer, number):
    return window.page.get_by_role("button", name=re.compile(rf"^{layer}, unit {number}, "))


def drag(window, start, end, size=32):
    box = picture(window).bounding_box()
    side = box["width"] / size
    mouse = window.page.mouse
    mouse.move(box["x"] + (start[1] + 0.5) * side, box["y"] + (start[0] + 0.5) * side)
    mouse.down()
    mouse.move(box["x"] + (end[1] + 0.5) * side, box["y"] + (end[0] + 0.5) * side, steps=6)
    mouse.up()


@pytest.mark.parametrize("view", ["try", "time"])
def test_the_photo_that_is_looked_at_stands_in_the_row_marked_and_in_sight(
    open_window, studio, view
):
    window = open_window(studio.address, studio.run.id, width=390)
    own = f"a[href^='/{view}/{studio.run.id}/t']"
    window.enter(f"/{view}/{studio.run.id}/t0")
    row = window.page.get_by_role("navigation", name="Photos")
    expect(row.locator(own).first).to_be_visible()
    offered = [each.get_attribute("href").split("/")[3] for each in row.locator(own).all()]
    guest = next(f"t{index}" for index in range(72) if f"t{index}" not in offered)
    for photo, at in [(guest, 0), (offered[-1], len(offered) - 1)]:
        window.enter(f"/{view}/{studio.run.id}/{photo}")
        marked = row.locator("a[aria-current=true]")
        expect(marked).to_have_attribute("href", f"/{view}/{studio.run.id}/{photo}")
        expect(marked).to_be_in_viewport(ratio=1)
        label = window.page.evaluate(
            "(photo) => fetch(photo).then((answer) => answer.json()).then(({ label }) => label)",
            f"/api/runs/{studio.run.id}/photos/{photo}",
        )
        expect(marked).to_have_attribute("title", label)
        places = [each.get_attribute("href").split("/")[3] for each in row.locator(own).all()]
        assert places.index(photo) == at
        assert len(set(places)) == len(places)


def test_a_dragged_cover_shows_the_api_s_probabilities_and_reset_the_first_ones(opened):
    window = opened("t0")
    first = shown(window, "after")
    assert first == shown(window, "before") == asked(window, {})["probabilities"]
    drag(window, (4, 6), (19, 21))
    window.page.wait_for_url(re.compile(r"cover=4%2C6%2C20%2C22"))
    expect(words(window)).to_contain_text("maps have changed")
    told = asked(window, {"photo": {"cover": [4, 6, 20, 22]}})
    becomes(window, told["probabilities_after"])
    assert shown(window, "after") == told["probabilities_after"] != first
    assert shown(window, "before") == first
    window.page.get_by_role("button", name="Reset everything").click()
    expect(words(window)).to_contain_text("As it is")
    assert shown(window, "after") == first
    assert "cover" not in address_of(window.page)
    assert window.shift() < 0.02


def test_an_address_says_the_whole_change(opened):
    query = f"?cover={COVER}&off=relu1.2,relu2.3&functions=relu3:gelu&turn=35&temperature=2"
    window = opened("t1", query)
    question = {
        "photo": {"cover": [4, 6, 20, 22], "turn_degrees": 35},
        "off": [{"layer": "relu1", "unit": 2}, {"layer": "relu2", "unit": 3}],
        "functions": {"relu3": "gelu"},
        "temperature": 2,
    }
    assert shown(window, "after") == asked(window, question, "t1")["probabilities_after"]
    expect(unit(window, "relu2", 3)).to_have_attribute("aria-pressed", "true")
    expect(window.page.get_by_label("Function of relu3")).to_have_value("gelu")
    assert findings(window.page) == []


def test_a_unit_is_switched_off_and_on_again_and_marks_what_it_reaches(opened):
    window = opened("t0")
    first = shown(window, "after")
    unit(window, "relu2", 3).click()
    expect(unit(window, "relu2", 3)).to_have_attribute("aria-pressed", "true")
    expect(words(window)).to_contain_text("changed")
    told = asked(window, {"off": [{"layer": "relu2", "unit": 3}]})
    expect(window.page.locator("button.changed")).to_have_count(
        sum(
            len(one["units"])
            for one in told["changed"]
            if one["layer"] not in {"flatten", "softmax"}
        )
    )
    assert shown(window, "after") == told["probabilities_after"]
    unit(window, "relu2", 3).click()
    expect(words(window)).to_contain_text("As it is")
    assert shown(window, "after") == first


def test_with_the_keyboard_alone_a_weight_is_changed_and_the_photo_covered(opened):
    window = opened("t0")
    page = window.page
    tab_to(page, "The photo, tool cover")
    page.keyboard.press("ArrowRight")
    expect(words(window)).to_contain_text("changed")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    # a quarter of the photo in its middle, one to the right, one taller: the address follows the
    # hand when it rests, maybe after each key
    cover = [12, 13, 21, 21]
    page.wait_for_url(re.compile("cover=" + "%2C".join(map(str, cover)) + r"\b"))
    tab_to(page, "weight, red, row 1, column 1")
    cell = page.get_by_label("weight, red, row 1, column 1")
    cell.fill("1.5")
    page.keyboard.press("Enter")
    expect(cell).to_have_class(re.compile("edited"))
    question = {
        "photo": {"cover": cover},
        "weights": [{"name": "conv1.weight", "index": [0, 0, 1, 1], "value": 1.5}],
    }
    told = asked(window, question)["probabilities_after"]
    becomes(window, told)
    assert shown(window, "after") == told
    tab_to(page, "relu1, unit 0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(unit(window, "relu1", 1)).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("give", [choose, drop])
def test_a_file_of_ones_own_is_tried_with_the_change_that_is_there(opened, give):
    window = opened("t0", f"?cover={COVER}")
    give(window, "Blick übers Land #1.png", "image/png", blue_and_green())
    window.path_becomes(f"/try/{window.run}/u-[^/]+")
    own = window.path().split("/")[-1]
    told = asked(window, {"photo": {"cover": [4, 6, 20, 22]}}, own)
    becomes(window, told["probabilities_after"])
    assert shown(window, "before") == told["probabilities"]
    assert "cover=4%2C6%2C20%2C22" in address_of(window.page)
    marked = window.page.get_by_role("navigation", name="Photos").locator("a[aria-current=true]")
    expect(marked).to_have_attribute("title", "Blick übers Land #1.png")
    window.page.reload()
    becomes(window, told["probabilities_after"])


@pytest.mark.parametrize("give", [choose, drop])
def test_a_file_that_is_no_photo_is_refused_and_what_was_tried_stays(opened, give):
    window = opened("t0", f"?cover={COVER}")
    path, before = window.path(), shown(window, "after")
    window.statuses = {415, 422}
    give(window, "letter.jpg", "image/jpeg", b"Dear reader, this is no photo.\n" * 20)
    alert = window.page.get_by_role("alert")
    expect(alert).to_contain_text("letter.jpg")
    window.page.get_by_role("button", name="Close").click()
    expect(alert).to_have_count(0)
    assert (window.path(), shown(window, "after")) == (path, before)


@pytest.mark.parametrize(
    ("term", "title"),
    [
        ("kernel", "Kernel"),
        ("softmax", "Softmax"),
        ("activation function", "ReLU"),
        ("normalise", "Normalising"),
        ("logits", "Dense layer"),
    ],
)
def test_a_term_opens_its_card(opened, term, title):
    window = opened("t0")
    button = window.page.get_by_role("button", name=term, exact=True).first
    button.click()
    expect(window.page.get_by_role("dialog", name=re.compile(title))).to_be_visible()
    assert window.path() == f"/try/{window.run}/t0"


# Every moment at which a row that is in sight shows another change than the probabilities.
TORN = """() => {
  window.torn = [];
  const look = () => {
    const says = document.querySelector('section[data-change]').dataset.change;
    for (const row of document.querySelectorAll('.layer')) {
      const { top, bottom } = row.getBoundingClientRect();
      const isSeen = bottom > 0 && top < innerHeight && !row.classList.contains('late');
      if (isSeen && row.dataset.change !== says) window.torn.push([row.textContent, says]);
    }
    window.seen = (window.seen ?? new Set()).add(says);
  };
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, characterData: true, attributes: true });
}"""
ALL = """() => {
  const rows = [...document.querySelectorAll('.layer')];
  const says = document.querySelector('section[data-change]').dataset.change;
  return rows.every((row) => row.dataset.change === says && !row.classList.contains('late'));
}"""
DRAWN = """() => [...document.querySelectorAll('.layer canvas:not(.ends canvas)')].map(
  (one) => one.toDataURL())"""


def test_maps_and_probabilities_are_always_of_the_same_change(opened):
    window = opened("t0")
    page = window.page
    page.wait_for_function(ALL)
    first = page.evaluate(DRAWN)
    page.evaluate(TORN)
    cell = page.get_by_label("weight, red, row 1, column 1")
    cell.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="As it was learned").click()
    unit(window, "relu1", 2).click()
    page.wait_for_url(re.compile(r"off=relu1\.2"))
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    window.quiet()
    page.wait_for_function(ALL)
    told = asked(window, {"off": [{"layer": "relu1", "unit": 2}]})
    assert shown(window, "after") == told["probabilities_after"]
    assert page.evaluate("window.torn") == []
    assert page.evaluate("window.seen.size") > 1
    now = page.evaluate(DRAWN)
    reached = {one["layer"] for one in told["changed"]}
    names = [each.inner_text() for each in page.locator(".layer h3").all()]
    assert len(names) == len(now) == len(first)
    for name, old, new in zip(names, first, now, strict=True):
        assert (old != new) == (name in reached), name
    page.reload()
    expect(words(window)).to_contain_text("changed")
    page.wait_for_function(ALL)
    assert page.evaluate(DRAWN) == now


@pytest.mark.parametrize(("paper", "width"), [("dark", 1440), ("light", 390)])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(open_window, studio, paper, width):
    window = open_window(studio.address, studio.run.id, width=width)
    window.page.emulate_media(color_scheme=paper)
    window.enter(f"/try/{window.run}/t0?cover={COVER}&off=relu1.2")
    expect(words(window)).to_contain_text("changed")
    window.quiet()
    assert findings(window.page) == []
    assert window.overflow_px() == 0


def test_a_question_that_cannot_be_is_answered_in_words_and_the_page_goes_on(opened):
    window = opened("t0")
    window.statuses = {404}
    window.page.goto(f"{window.address.url}/try/{window.run}/t0?off=nothing.1")
    expect(window.page.get_by_role("alert")).to_contain_text("There is no layer 'nothing'")
    window.page.get_by_role("button", name="Reset everything").click()
    expect(words(window)).to_contain_text("As it is")
    expect(window.page.get_by_role("alert")).to_have_count(0)


def test_before_and_after_stand_above_each_other_on_one_scale_that_is_told(window, opened):
    opened("t0", "?off=relu1.3&maps=both")
    page = window.page
    layer = page.get_by_role("toolbar", name="Units of relu1").locator("..")
    both = layer.locator(".maps").bounding_box()["height"]
    which = page.get_by_role("group", name="Which maps")
    bars = page.locator(".ends canvas")
    expect(bars).to_have_count(page.get_by_role("toolbar", name="Units of ").count())
    ends = layer.locator(".ends")
    expect(ends).to_have_text(re.compile(r"^\s*±\d+\.\d+\s*$"))
    told = ends.inner_text()
    for side in ("before", "after"):
        which.get_by_text(side, exact=True).click()
        window.quiet()
        expect(ends).to_have_text(told)
        one = layer.locator(".maps").bounding_box()["height"]
        assert both == 2 * one + 2  # px between the two
    which.get_by_text("difference", exact=True).click()
    page.wait_for_function("() => location.search.includes('maps=difference')")
    first = page.get_by_role("toolbar", name="Units of normalise").locator("..").locator(".ends")
    expect(first).to_have_text("all 0")  # before the change nothing differs
    expect(ends).not_to_have_text("all 0")
    address = address_of(page)
    page.reload()
    expect(page.get_by_role("radio", name="difference")).to_be_checked()
    assert address_of(page) == address
