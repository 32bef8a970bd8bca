"""One step of learning: what it does to the loss, to every class, and to one weight."""

import random
import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect
from tests.browser.back import turn
from tests.browser.counts import counts
from tests.browser.pencil import READ_UPDATE, update_added_up
from tests.browser.window import MINUS, NUMBER


def one_step(window, rate=None):
    window.look()
    turn(window, "One step")
    if rate is not None:
        learn_at(window, rate)


def learn_at(window, rate):
    field = window.page.get_by_role("textbox", name="Learning rate, typed")
    expect(field).not_to_have_value("")  # the rate that arrives would push aside what is typed
    field.fill(rate)
    field.press("Enter")
    expect(changes(window)).to_contain_text(re.compile(rf"η {re.escape(rate)}\b"))


def changes(window):
    return window.page.get_by_role("region", name="What changes most")


def losses(window) -> tuple[Decimal, Decimal]:
    text = window.page.get_by_role("group", name="One step").locator(".loss").inner_text()
    before, after = NUMBER.findall(text)[:2]
    return Decimal(before), Decimal(after)


def numbers(text: str) -> list[Decimal]:
    return [Decimal(found.replace(MINUS, "-")) for found in NUMBER.findall(text)]


def test_a_small_step_lowers_the_loss_that_is_shown(window):
    one_step(window, "0.0005")
    before, after = losses(window)
    assert after < before
    expect(window.page.get_by_role("group", name="One step")).to_contain_text("↓ lower")
    window.page.wait_for_function("() => location.search.includes('rate=0.0005')")


def test_the_true_class_gains_in_the_paired_bars(window):
    one_step(window, "0.0005")
    truth = window.page.locator(".bars .truth")
    shares = numbers(truth.locator(".num").inner_text().replace("\N{THIN SPACE}", ""))
    assert shares[1] >= shares[0]
    expect(window.page.locator(".bars button.row")).to_have_count(6)


def test_the_slider_begins_at_the_recipes_peak_and_answers_to_keys(window):
    one_step(window)
    slider = window.page.get_by_role("slider", name="Learning rate")
    expect(slider).to_have_attribute("aria-valuetext", "0.1")  # of the recipe that trained it
    slider.focus()
    slider.press("ArrowLeft")
    expect(slider).not_to_have_attribute("aria-valuetext", "0.1")
    text = slider.get_attribute("aria-valuetext")
    expect(changes(window)).to_contain_text(f"η {text}")
    window.page.get_by_role("button", name="the recipe’s peak").click()
    expect(slider).to_have_attribute("aria-valuetext", "0.1")
    window.page.wait_for_function("() => !location.search.includes('rate')")


@pytest.mark.parametrize("rate", ["0.0005", "0.07"])
def test_the_lines_of_an_update_add_up_in_the_digits_that_are_shown(window, rate):
    one_step(window, rate)
    page = window.page
    update = page.get_by_role("region", name="The update")
    for layer, unit in [("conv1", 2), ("conv4", 9), ("norm5", 3)]:
        window.unit(layer, unit).click()
        weights = page.get_by_role("region", name="Weights")
        expect(weights).to_contain_text(f"Weights of {layer} · unit {unit}")
        for at in (0, 1):
            number = weights.locator("button[data-at]").nth(at)
            name, place = number.get_attribute("aria-label").split(": ")[0].split(" ")
            number.click()
            expect(update.get_by_role("heading")).to_have_text(
                re.compile(rf"{layer}\.{name}\s+{place}")
            )
            expect(update.locator(".check")).to_contain_text("✓ recomputed")
            lines = update.locator(".digits span").all_inner_texts()
            assert len(lines) >= 4
            assert update_added_up(lines, update.locator("b").inner_text()) >= 2


@pytest.mark.parametrize("count", counts(6, 60))
def test_the_lines_of_random_weights_updates_add_up_as_they_are_shown(window, count):
    """Any learned number of the run, at a slow and at a fast rate, from both memories."""
    one_step(window)
    chance = random.Random(60)
    photos = window.photos()
    api = f"{window.address.url}/api/runs/{window.run}/photos/{photos[0]}"
    label = window.page.request.get(f"{api}/trace").json()["photo"]["label"]
    step = window.page.request.get(f"{api}/learning-step?label={label}").json()
    learned = {one["name"]: one["shape"] for one in step["parameters"]}
    held = 0
    for number in range(count):
        photo = photos[number // 10 % len(photos)]
        name = chance.choice(list(learned))
        layer, _, part = name.rpartition(".")
        at = [chance.randrange(size) for size in learned[name]]
        place = ",".join(map(str, at))
        rate, memory = chance.choice(["0.0005", "0.07"]), chance.choice(["", "&memory=run"])
        query = f"mode=step&weight={part},{place}&rate={rate}{memory}"
        window.go(f"/look/{window.run}/{photo}/{layer}/{at[0]}?{query}")
        asked = [f"{name} {place}", "is what the run left" if memory else "begins at 0"]
        seen = window.page.wait_for_function(READ_UPDATE, arg=asked).json_value()
        assert seen["lines"][-2].startswith(f"{rate} × "), seen
        held += update_added_up(seen["lines"], seen["result"])
    assert held >= 3 * count  # momentum, the look ahead, the step; where it decays, one more


def test_maps_are_those_before_after_or_what_changed(window):
    one_step(window, "0.01")
    page = window.page
    maps = page.get_by_role("group", name="Maps")
    legend = page.locator(".legend")
    pixels = "(canvas) => canvas.toDataURL()"
    drawn = {}
    for side, said in [
        ("before", ""),
        ("after", "after the step"),
        ("difference", "after − before"),
    ]:
        maps.get_by_text(side, exact=True).click()
        expect(legend).to_contain_text(said)
        window.quiet()
        drawn[side] = window.network.locator(".column canvas").nth(4).evaluate(pixels)
    assert len(set(drawn.values())) == 3
    page.wait_for_function("() => location.search.includes('maps=difference')")


def test_slow_motion_goes_through_all_directions_with_a_sentence_each(window):
    window.look()
    page = window.page
    motion = page.get_by_role("group", name="Slow motion")
    expect(motion.get_by_role("button")).to_have_count(1)  # nothing moves by itself: reduced motion
    motion.get_by_role("button").click()
    for sentence, mode in [
        ("1. Forwards: the photo", "Forwards"),
        ("2. The loss: it should have said", "Backwards"),
        ("3. ← Backwards: from right to left", "Backwards"),
        ("4. Update: every weight moves", "One step"),
        ("5. Again, forwards with the new weights: the loss was", "One step"),
        ("1. Forwards: the photo", "Forwards"),
    ]:
        expect(page.locator(".told")).to_contain_text(sentence)
        expect(page.get_by_role("radio", name=mode, exact=True)).to_be_checked()
        motion.get_by_role("button", name="Next").click()


def test_a_rate_that_is_typed_while_the_step_is_awaited_stays(window):
    window.look()
    held = []
    window.page.route("**/learning-step*", lambda route: held.append(route), times=1)
    with window.page.expect_request("**/learning-step*"):
        turn(window, "One step")
    field = window.page.get_by_role("textbox", name="Learning rate, typed")
    expect(field).to_have_value("")  # the recipe's arrives with the step
    field.fill("0.5")
    held.pop().continue_()
    expect(changes(window)).to_contain_text("η 0.1")
    expect(field).to_have_value("0.5")
    field.press("Enter")
    expect(changes(window)).to_contain_text(re.compile(r"η 0\.5\b"))
    field.fill("nonsense")
    field.press("Enter")
    expect(field).to_have_value("0.5")


def test_the_run_stays_as_it_is(window, studio):
    files = {path: path.read_bytes() for path in studio.run.folder.rglob("*.safetensors")}
    assert files
    one_step(window, "0.5")
    losses(window)
    assert {path: path.read_bytes() for path in files} == files
