"""Steps on the run's own batches: what is said of them, who pulls at a weight, and one by one."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.back import turn
from tests.browser.window import exact

from seethrough.runs.continued import continuation


@pytest.fixture(scope="module")
def own(studio):
    """The losses of the run's next batches, by its own training."""
    training = continuation(studio.run)
    return [training.take().loss for _ in range(4)]


def on_batch(window):
    window.look()
    turn(window, "One step")
    window.page.get_by_text("the run’s batch", exact=True).click()
    expect(batch_line(window)).to_contain_text("24 photos")
    window.quiet()


def batch_line(window) -> Locator:
    return window.page.locator("[data-part=batch]")


def pulls(window) -> Locator:
    return window.page.get_by_role("region", name="Who pulls")


def shown_loss(window) -> str:
    return window.page.locator(".of-batch span").nth(1).inner_text()


def more(window, times):
    window.page.get_by_role("button", name="One step more").click()
    expect(window.page.get_by_label("Steps taken")).to_have_text(str(times))
    expect(batch_line(window).locator(".curve")).to_be_visible()
    window.quiet()


def test_the_batch_is_named_and_its_loss_is_the_one_of_training(window, own):
    on_batch(window)
    expect(batch_line(window)).to_contain_text("Step 31 of the run: epoch 4, batch 1 of 10")
    assert shown_loss(window) == f"{own[0]:.4f}"
    shown = window.page.get_by_role("group", name="The photos of the batch, as training takes them")
    expect(shown.get_by_role("link")).to_have_count(24)
    expect(shown.locator("img").first).to_be_visible()
    assert shown.locator("img").first.evaluate("(img) => img.naturalWidth") == 24 * 32
    window.page.wait_for_function(
        "() => location.search.includes('batch=run') && location.search.includes('memory=run')"
    )
    expect(window.page.get_by_role("radio", name="the run’s", exact=True)).to_be_checked()


def test_the_pulls_of_the_photos_add_up_to_the_gradient_that_the_update_begins_with(window):
    on_batch(window)
    page = window.page
    update = page.get_by_role("region", name="The update")
    for layer, unit in [("conv2", 5), ("norm4", 3), ("conv6", 2)]:
        window.unit(layer, unit).click()
        weights = page.get_by_role("region", name="Weights")
        expect(weights).to_contain_text(f"Weights of {layer} · unit {unit}")
        for at in (0, 1):
            window.quiet()
            number = weights.locator("button[data-at]").nth(at)
            name, place = number.get_attribute("aria-label").split(": ")[0].split(" ")
            number.click()
            expect(pulls(window)).to_contain_text(f"{layer}.{name} {place}")
            expect(update.get_by_role("heading")).to_have_text(
                re.compile(rf"{layer}\.{name}\s+{place}")
            )
            expect(pulls(window).locator(".check")).to_contain_text("✓ recomputed")
            shown = [exact(text) for text in pulls(window).locator(".right").all_inner_texts()]
            assert len(shown) == 8  # six photos, the others, their sum
            assert sum(shown[:-1], Decimal(0)) == shown[-1]
            gradient = update.locator("tr", has_text="gradient g").locator("td").inner_text()
            unit_of_last = Decimal((0, (1,), shown[-1].as_tuple().exponent))
            assert abs(exact(gradient) - shown[-1]) <= Decimal("0.51") * unit_of_last
            expect(pulls(window)).to_contain_text("18 others")


def test_every_further_step_takes_the_batch_that_follows(window, own):
    on_batch(window)
    for times in (2, 3):
        more(window, times)
        expect(batch_line(window)).to_contain_text(f"batch {times} of 10")
        assert shown_loss(window) == f"{own[times - 1]:.4f}"
    window.page.wait_for_function("() => location.search.includes('times=3')")
    window.page.get_by_role("button", name="begin again").click()
    expect(batch_line(window)).to_contain_text("batch 1 of 10")
    assert shown_loss(window) == f"{own[0]:.4f}"


def test_full_speed_goes_on_until_it_is_paused(window):
    on_batch(window)
    page = window.page
    page.get_by_role("button", name="Full speed").click()
    expect(page.get_by_label("Steps taken")).to_have_text(re.compile(r"^([4-9]|\d\d)$"))
    page.get_by_role("group", name="Steps").get_by_role("button", name="Pause").click()
    window.quiet()
    taken = int(page.get_by_label("Steps taken").inner_text())
    assert page.evaluate("new URLSearchParams(location.search).get('times')") == str(taken)
    expect(batch_line(window)).to_contain_text(f"Step {30 + taken} of the run")


def test_on_the_photo_alone_steps_follow_each_other_too(window):
    window.look()
    turn(window, "One step")
    field = window.page.get_by_role("textbox", name="Learning rate, typed")
    expect(field).not_to_have_value("")
    field.fill("0.0005")
    field.press("Enter")
    more(window, 2)
    more(window, 3)
    losses = [exact(text) for text in batch_line(window).locator(".num").all_inner_texts()]
    assert losses[0] > losses[1]  # before the first step and before the third
    expect(pulls(window)).to_have_count(0)


def test_slow_motion_goes_on_with_the_next_batch(window):
    on_batch(window)
    page = window.page
    page.get_by_role("group", name="Slow motion").get_by_role("button").click()
    for sentence, mode in [
        ("1. Forwards. Step 1: 24 photos of the run go through together", "Forwards"),
        ("2. The loss: how wrong each of the 24 photos is", "Backwards"),
        ("3. ← Backwards: every number learns", "Backwards"),
        ("4. Update. Step 1: every weight moves", "One step"),
        ("5. Again: the loss of the batch was", "One step"),
        ("1. Forwards. Step 2: 24 photos of the run go through together", "One step"),
        ("2. The loss: how wrong each of the 24 photos is", "One step"),
        ("3. ← Backwards: every weight learns", "One step"),
        ("4. Update. Step 2: every weight moves", "One step"),
    ]:
        expect(page.locator(".told")).to_contain_text(sentence)
        expect(page.get_by_role("radio", name=mode, exact=True)).to_be_checked()
        page.get_by_role("group", name="Slow motion").get_by_role("button", name="Next").click()
    window.page.wait_for_function("() => location.search.includes('times=2')")


def test_a_long_wait_says_for_what_and_can_be_stopped(window):
    on_batch(window)
    page, held = window.page, []
    page.route(
        lambda url: "/learning-step?" in url and "steps=2" in url, lambda route: held.append(route)
    )
    page.get_by_role("button", name="One step more").click()
    waiting = page.locator(".wait")
    expect(waiting).to_contain_text(re.compile("Taking step 2 on 24 photos… [1-9] s"))
    assert len(held) == 1
    waiting.get_by_role("button", name="Stop").click()
    expect(waiting).to_have_count(0)
    expect(page.get_by_label("Steps taken")).to_have_text("1")
    expect(batch_line(window)).to_contain_text("batch 1 of 10")
    # what was left does not stand in the way of what is asked next
    page.unroute_all()
    more(window, 2)
    expect(batch_line(window)).to_contain_text("batch 2 of 10")
