"""Compare, with both taught a step, both shown a changed photo, and both at an earlier epoch."""

import re
from decimal import Decimal

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.beside import PATIENCE_MS, number, open_pair
from tests.browser.test_accessibility import findings_everywhere
from tests.browser.window import MINUS, exact

UNIT = 3
PHOTO = "t5"
TRUTH = "ship"
SIDES = ("first", "second")
ARROW = "\N{RIGHTWARDS ARROW}"


@pytest.fixture
def opened(open_window, pair):
    """The page at an address below /compare, once everything is drawn."""

    def opening(query, rest="", *, width=1440):
        window = open_window(pair.address, pair.first.id, width=width)
        return open_pair(window, f"{pair.first.id}/{pair.second.id}/{PHOTO}{rest}?{query}")

    return opening


def map_in(pair, run, floats, layer, unit):
    """One unit's map among all activations of the photo."""
    trace = pair.ask(f"{run.id}/photos/{PHOTO}/trace").json()
    found = next(one for one in trace["layers"] if one["name"] == layer)
    shape = found["shape"]
    return np.array(floats[found["offset"] :][: np.prod(shape)]).reshape(shape)[unit]


def shares(pair, run, window, side, after):
    """The row of every class says what the run says, and its digits follow from each other."""
    trace = pair.ask(f"{run.id}/photos/{PHOTO}/trace").json()
    for name, was, now in zip(trace["classes"], trace["probabilities"], after, strict=True):
        cell = window.page.locator(f"[data-class='{name}'] [data-side={side}]")
        told = (cell.get_attribute("title") or "").split(ARROW)
        assert [float(each.replace(MINUS, "-")) for each in told] == [was, now]
        shown = [exact(each) for each in cell.inner_text().split(ARROW)]
        assert abs(shown[1] - Decimal(100 * now)) <= Decimal("0.0501")
        points = cell.locator("xpath=following-sibling::td[1]").inner_text()
        assert shown[0] + exact(points) == shown[1]


def test_one_step_of_both_is_the_step_that_either_takes_alone(opened, pair):
    query = f"truth={TRUTH}&rate=0.05"
    window = opened(f"mode=step&{query}", f"/conv2/{UNIT}")
    page = window.page
    partner = pair.match("conv2")["units"][UNIT]
    expect(page.get_by_role("heading", name="What the step does")).to_be_visible()
    asked = f"label={TRUTH}&learning_rate=0.05"
    for side, run, unit in zip(SIDES, (pair.first, pair.second), (UNIT, partner), strict=True):
        photo = f"{run.id}/photos/{PHOTO}"
        step = pair.ask(f"{photo}/learning-step?{asked}").json()
        loss = page.locator(f"[data-loss] [data-side={side}]")
        assert number(loss) == step["loss"]
        assert number(loss.locator("b")) == step["loss_after"]
        before, after = (exact(each) for each in loss.inner_text().split(ARROW))
        change = loss.locator("xpath=following-sibling::td[1]").inner_text()
        assert before + exact(change) == after
        shares(pair, run, window, side, step["probabilities_after"])
        old = map_in(pair, run, pair.floats(f"{photo}/activations"), "conv2", unit)
        new = map_in(pair, run, pair.floats(f"{photo}/activations-after?{asked}"), "conv2", unit)
        shown = number(page.locator(f"[data-value={side}]"))
        row, column = marked(page)
        assert shown == pytest.approx(new[row, column] - old[row, column], rel=1e-5, abs=1e-7)
    expect(page.locator("[data-moved]")).to_contain_text("conv2.weight")


def marked(page):
    told = page.locator("[aria-live=polite]", has_text="on all:").inner_text()
    row, column = re.match(r"Row (\d+), column (\d+)", told).groups()
    return int(row), int(column)


def test_a_rate_and_a_number_of_steps_are_for_both(opened, pair):
    window = opened(f"mode=step&truth={TRUTH}")
    page = window.page
    peaks = {run.manifest.recipe.peak_lr for run in (pair.first, pair.second)}
    assert len(peaks) == 1
    expect(page.get_by_label("Learning rate, typed")).to_have_value(f"{peaks.pop():g}")
    page.get_by_label("Learning rate, typed").fill("0.001")
    page.get_by_label("Learning rate, typed").press("Enter")
    page.get_by_label("Steps").fill("3")
    page.get_by_label("Steps").press("Enter")
    expect(page).to_have_url(re.compile(r"[?&]times=3\b"))
    expect(page).to_have_url(re.compile(r"[?&]rate=0.001\b"))
    window.quiet()
    for side, run in zip(SIDES, (pair.first, pair.second), strict=True):
        asked = f"label={TRUTH}&learning_rate=0.001&steps=3"
        step = pair.ask(f"{run.id}/photos/{PHOTO}/learning-step?{asked}").json()
        after = page.locator(f"[data-loss] [data-side={side}] b")
        assert number(after) == step["loss_after"]


def what_if(pair, run, photo):
    trace = pair.ask(f"{run.id}/photos/{PHOTO}/trace").json()
    question = {"photo": photo, "weights_sha256": trace["weights_sha256"]}
    return pair.tell(f"{run.id}/photos/{PHOTO}/what-if", question).json()


def test_a_photo_that_is_changed_is_changed_for_both(opened, pair):
    window = opened("mode=photo")
    page = window.page
    hand = page.get_by_role("application", name=re.compile("^The photo, tool cover"))
    hand.press("ArrowUp")
    expect(page.get_by_role("heading", name="What they say of it now")).to_be_visible()
    page.get_by_label("Brightness").fill("40")
    expect(page).to_have_url(re.compile(r"[?&]brightness=40\b"))
    cover = re.search(r"cover=([\d%C]+)", page.url).group(1).split("%2C")
    window.quiet()
    for side, run in zip(SIDES, (pair.first, pair.second), strict=True):
        told = what_if(pair, run, {"cover": [int(each) for each in cover], "brightness": 40})
        shares(pair, run, window, side, told["probabilities_after"])
    expect(page.get_by_text("says now")).to_have_count(2)
    page.get_by_role("button", name="Reset everything").click()
    expect(page).not_to_have_url(re.compile("cover="))
    window.quiet()
    trace = pair.ask(f"{pair.first.id}/photos/{PHOTO}/trace").json()
    shares(pair, pair.first, window, "first", trace["probabilities"])


def test_paint_is_seen_by_both(opened, pair):
    window = opened("mode=photo")
    page = window.page
    page.get_by_text("paint", exact=True).click()
    hand = page.get_by_role("application", name=re.compile("^The photo, tool paint"))
    for key in ("ArrowDown", "ArrowRight", " "):
        hand.press(key)
    window.quiet()
    for side, run in zip(SIDES, (pair.first, pair.second), strict=True):
        told = what_if(pair, run, {"paint": [[1, 1, 208, 32, 32]]})
        shares(pair, run, window, side, told["probabilities_after"])


def test_one_slider_leads_through_both_trainings(opened, pair):
    window = opened("")
    page = window.page
    slider = page.get_by_label("Both trainings, at the same epoch")
    expect(slider).to_be_visible(timeout=PATIENCE_MS)
    moments = [pair.ask(f"{run.id}/moments").json()["moments"] for run in (pair.first, pair.second)]
    slider.press("Home")
    expect(page).to_have_url(re.compile("step=0.*other_step=0"))
    expect(slider).to_have_attribute(
        "aria-valuetext",
        "before anything was learned: step 0 of the first, step 0 of the second",
    )
    window.quiet()
    for run, side in zip((pair.first, pair.second), SIDES, strict=True):
        trace = pair.ask(f"{run.id}/photos/{PHOTO}/trace?step=0").json()
        label = page.locator(f"tr.truth [data-{side}]")
        truth = trace["probabilities"][trace["classes"].index(trace["photo"]["label"])]
        assert number(label) == truth
    slider.press("End")
    steps = [each[-1]["step"] for each in moments]
    expect(page).to_have_url(re.compile(f"step={steps[0]}&other_step={steps[1]}$"))
    page.get_by_role("button", name="as they are now").last.click()
    expect(page).not_to_have_url(re.compile("step="))


def test_it_plays_until_the_end_and_stops_there(opened, pair):
    window = opened("step=0&other_step=0")
    page = window.page
    group = page.get_by_role("group", name="Both trainings")
    expect(group).to_be_visible(timeout=PATIENCE_MS)
    slider = group.get_by_role("slider")
    last = int(slider.get_attribute("max"))
    slider.fill(str(max(0, last - 2)))
    window.quiet()
    group.get_by_role("button", name="Play").click()
    expect(group.get_by_role("button", name="Pause")).to_be_visible()
    expect(slider).to_have_value(str(last), timeout=PATIENCE_MS)
    expect(group.get_by_role("button", name="Play")).to_be_visible(timeout=PATIENCE_MS)


def test_two_moments_of_one_run_have_no_slider_in_common(open_window, pair):
    window = open_window(pair.address, pair.first.id)
    open_pair(window, f"{pair.first.id}/{pair.first.id}/{PHOTO}?step=0")
    expect(window.page.get_by_role("group", name="Both trainings")).to_have_count(0)


@pytest.mark.parametrize("mode", ["step", "photo"])
def test_axe_finds_nothing_and_a_phone_needs_no_second_direction(opened, mode):
    window = opened(f"mode={mode}", f"/conv2/{UNIT}")
    assert findings_everywhere(window) == {}
    assert window.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert window.complaints == []
