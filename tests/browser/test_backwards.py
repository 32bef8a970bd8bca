"""Backwards: from the loss to every cell and every weight, read off the screen and added up."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.back import (
    BLOCKS,
    TERMS,
    added,
    formula,
    full,
    gradient_map,
    heard,
    point,
    select,
    shown_sum,
    steps_hold,
    turn,
)
from tests.browser.test_accessibility import SCREEN, findings_everywhere
from tests.browser.window import MINUS, address_of, exact, last

RNG = np.random.default_rng(23)


def backwards(window):
    window.look()
    turn(window, "Backwards")


def cells(size: int, count: int) -> list[tuple[int, int]]:
    corners = [(0, 0), (size - 1, size - 1)]
    inside = [(int(r), int(c)) for r, c in RNG.integers(size, size=(count - 2, 2))]
    return corners + inside


@pytest.mark.parametrize(
    ("layer", "unit", "size"),
    [
        ("relu1", 3, 16),
        ("pool1", 0, 8),
        ("normalise", 1, 32),
        pytest.param("relu2", 9, 16, marks=pytest.mark.full),
        pytest.param("relu4", 12, 8, marks=pytest.mark.full),
    ],
)
def test_every_shown_product_that_comes_back_through_a_convolution_adds_up(
    window, layer, unit, size
):
    backwards(window)
    select(window, layer, unit)
    region = window.page.get_by_role("region", name="The sum")
    for row, column in cells(size, 6):
        point(window, row, column, size)
        heard(window, f"at {layer}, unit {unit}, row {row}, column {column}: ")
        total = shown_sum(region)
        factors = window.page.get_by_role("region", name="Every factor")
        fold = factors.locator("[aria-expanded]")
        if fold.get_attribute("aria-expanded") == "false":
            fold.click()
        blocks = factors.evaluate(BLOCKS)
        assert len(blocks) == 16
        for block in blocks:
            assert added([tile["shown"] for tile in block["products"]]) == exact(block["sum"])
            # two float32 multiplied in float64 are exact
            for gradient, weight, product in zip(
                block["gradient"], block["turned kernel"], block["products"], strict=True
            ):
                assert full(gradient["title"]) * full(weight["title"]) == full(product["title"])
        assert added([block["sum"] for block in blocks]) == total
        steps_hold(region)


@pytest.mark.parametrize(
    ("layer", "unit", "size"),
    [
        ("conv2", 5, 16),
        ("norm3", 8, 16),
        ("relu6", 1, 4),
        pytest.param("relu3", 2, 16, marks=pytest.mark.full),
        pytest.param("conv6", 15, 4, marks=pytest.mark.full),
    ],
)
def test_gradients_behind_other_layers_add_up_too(window, layer, unit, size):
    backwards(window)
    select(window, layer, unit)
    region = window.page.get_by_role("region", name="The sum")
    terms = window.page.get_by_role("region", name="Every gradient that comes back")
    for row, column in cells(size, 4):
        point(window, row, column, size)
        heard(window, f"at {layer}, unit {unit}, row {row}, column {column}: ")
        total = shown_sum(region)
        assert added([shown[2] for shown in terms.evaluate(TERMS)]) == total
        steps_hold(region)


def test_the_row_at_the_end_is_the_gradient_that_the_server_tells(window, studio):
    backwards(window)
    page = window.page
    photo = re.search(r"/(t\d+)", window.path()).group(1)
    api = f"{studio.address.url}/api/runs/{window.run}/photos/{photo}"
    trace = page.request.get(f"{api}/trace").json()
    for truth in (trace["photo"]["label"], "ship"):
        page.get_by_role("group", name="True class").get_by_text(truth, exact=True).click()
        back = page.request.get(f"{api}/backward?label={truth}").json()
        expect(formula(window)).to_contain_text(f"= {back['loss']:.4f}")
        found = page.request.get(f"{api}/gradients?label={truth}").body()
        (logits,) = (entry for entry in back["layers"] if entry["name"] == "dense1")
        wanted = np.frombuffer(found, "<f4")[logits["offset"] :][: len(trace["classes"])]
        rows = page.locator(".bars button.row")
        expect(rows.and_(page.locator(".truth"))).to_have_text(re.compile(f"^{truth}"))
        shown = [
            [re.sub("[^0-9.−]", "", text) for text in row.locator(".num").all_text_contents()]
            for row in rows.all()
        ]
        for (p, y, gradient), number in zip(shown, wanted, strict=True):
            assert exact(p) - exact(y) == exact(gradient)
            assert abs(float(exact(gradient)) - number) <= 0.5001e-4


def test_the_loss_holds_in_the_digits_that_are_shown(window):
    backwards(window)
    text = formula(window).inner_text()
    p = float(re.search(r"log\(([^)]+)\)", text).group(1))
    assert f"{-np.log(p):.4f}" == str(last(text))


def test_a_weight_is_what_it_met_times_the_gradient_there(window):
    backwards(window)
    page = window.page
    for layer, unit in [("conv1", 4), ("conv3", 11), ("norm2", 7), ("conv6", 0)]:
        select(window, layer, unit)
        weights = page.get_by_role("region", name="Weights")
        expect(weights).to_contain_text(f"Weights of {layer} · unit {unit}")
        numbers = weights.locator("button[data-at]")
        for at in RNG.choice(numbers.count(), size=2, replace=False):
            number = numbers.nth(int(at))
            name, place = number.get_attribute("aria-label").split(": ")[0].split(" ")
            number.click()
            expect(number).to_have_attribute("aria-pressed", "true")
            heard(window, f"for the {name} {place.replace(',', ', ')} of {layer}:")
            taken = page.locator("[data-bench=weight]")
            total = shown_sum(taken.get_by_role("region", name="The sum"))
            places = taken.get_by_role("region", name="Every place")
            shown = [row[2] for row in places.evaluate(TERMS)]
            fold = places.locator("[aria-expanded]")
            if fold.count():
                assert added([*shown, fold.locator(".num").inner_text()]) == total
                fold.click()
                shown = [row[2] for row in places.evaluate(TERMS)]
                fold.click()
            assert added(shown) == total
            # the number in the matrix is the sum, with fewer digits
            tile = exact(number.inner_text())
            assert abs(tile - total) <= 10 ** tile.as_tuple().exponent


def test_a_weight_is_checked_by_moving_it_in_digits_that_follow_from_each_other(window):
    backwards(window)
    page = window.page
    select(window, "conv1", 4)
    page.get_by_role("region", name="Weights").locator("button[data-at]").nth(4).click()
    heard(window, "for the weight")
    total = shown_sum(page.locator("[data-bench=weight]").get_by_role("region", name="The sum"))
    page.get_by_role("button", name="Check by moving it").click()
    tried = page.get_by_role("region", name="Checked by moving it")
    expect(tried.get_by_role("heading")).to_be_visible()
    for step in ("0.01", "0.001", "0.0001", "0.00001"):
        tried.get_by_text(step, exact=True).click()
        expect(tried.locator("[aria-live]")).to_contain_text(f"was moved by {step} to both sides")
        numbers = [exact(text) for text in tried.locator("dd").all_text_contents()]
        below, above, slope, autograd, apart = numbers
        assert (above - below) / (2 * exact(step)) == slope
        assert slope - autograd == apart
        assert float(autograd) == pytest.approx(float(total), abs=1e-4)
        points = [text.index(".") for text in tried.locator("dd").all_text_contents()]
        assert len(set(points)) == 1
    # of another weight nothing is claimed
    page.get_by_role("region", name="Weights").locator("button[data-at]").nth(5).click()
    expect(page.get_by_role("button", name="Check by moving it")).to_be_visible()
    assert window.overflow_px() == 0


def test_the_network_shows_gradients_and_the_legend_says_so(window):
    backwards(window)
    legend = window.page.locator(".legend")
    expect(legend).to_contain_text("gradient of the loss")
    window.unit("relu1", 3).hover()
    expect(legend).to_contain_text("gradient of the loss, relu1")
    ends = legend.locator(".num").all_inner_texts()
    assert exact(ends[0]) == -exact(ends[1]) < 0
    expect(window.page.get_by_text("← From right to left, the loss flows back")).to_be_visible()


def test_the_photo_has_its_gradient_too(window):
    backwards(window)
    window.page.get_by_role("button", name="gradient at the photo, green").click()
    heard(window, "at photo, unit 1, row ")
    window.path_becomes(f"/look/{window.run}/t\\d+/photo/1")
    expect(window.page.get_by_role("heading", name="photo · green")).to_be_visible()
    shown_sum(window.page.get_by_role("region", name="The sum"))


def test_every_place_has_an_address_and_back_leads_to_the_one_before(window):
    backwards(window)
    page = window.page
    select(window, "conv3", 2)
    page.get_by_role("group", name="True class").get_by_text("frog", exact=True).click()
    window.quiet()
    number = page.get_by_role("region", name="Weights").locator("button[data-at]").nth(4)
    said = number.get_attribute("aria-label")
    assert said is not None
    number.click()
    heard(window, "for the weight")
    page.wait_for_function("() => location.search.includes('weight=')")
    address = address_of(page)
    page.reload()
    heard(window, "for the weight")
    assert address_of(page) == address
    pressed = page.get_by_role("region", name="Weights").locator("[aria-pressed=true]")
    expect(pressed).to_have_attribute("aria-label", said)
    expect(page.get_by_role("radio", name="frog")).to_be_checked()
    page.go_back()
    expect(page.locator("[data-bench=weight]")).to_have_count(0)
    page.go_back()
    page.wait_for_function("() => !location.search.includes('truth')")
    page.go_back()
    expect(page.get_by_text("Now read it from right to left.")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("radio", name="Forwards")).to_be_checked()
    expect(page.get_by_text("Click any unit to see how it was computed.")).to_be_visible()


def test_everything_can_be_reached_by_keys(window):
    window.look()
    page = window.page
    page.get_by_role("radio", name="Forwards").focus()
    page.keyboard.press("ArrowRight")
    expect(formula(window)).to_contain_text("log(")
    window.unit("conv1", 0).focus()
    for key in ["ArrowRight"] * 2 + ["ArrowDown"] * 3:
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    heard(window, "at relu1, unit 3")
    expect(gradient_map(window)).to_be_focused()
    before = gradient_map(window).get_attribute("aria-label")
    page.keyboard.press("ArrowRight")
    expect(gradient_map(window)).not_to_have_attribute("aria-label", before)
    page.keyboard.press("Escape")
    expect(page.get_by_text("Now read it from right to left.")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    heard(window, "at conv1, unit 3")
    stop = page.get_by_role("region", name="Weights").locator("button[data-at][tabindex='0']")
    stop.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    heard(window, "for the weight 3, ")


def test_what_the_server_refuses_is_said_in_words_in_its_place(window):
    """Asked about weights that are no longer those of the run, it says so; the page too."""
    window.look()
    page = window.page
    window.statuses.add(409)

    def of_other_weights(route):
        asked = re.sub("weights_sha256=[0-9a-f]+", "weights_sha256=0123", route.request.url)
        route.continue_(url=asked)

    page.route(re.compile("/(backward|gradients)[?]"), of_other_weights)
    with page.expect_response(re.compile("/backward[?]")) as answer:
        page.get_by_text("Backwards", exact=True).click()
    said = answer.value.json()
    assert answer.value.status == 409
    for part in ("what", "why", "fix"):
        expect(page.get_by_role("alert")).to_contain_text(said[part], ignore_case=True)
    expect(window.network).to_be_visible()
    expect(formula(window)).not_to_contain_text("log(")


def test_answers_fill_the_room_that_was_kept_for_them(window):
    """Where the network and the bench stand is settled before the first number is there."""
    window.look()
    page = window.page
    tops = "() => ['.network', '.bench'].map((one) => document.querySelector(one).offsetTop)"
    for mode in ["Backwards", "One step", "Backwards"]:
        page.get_by_text(mode, exact=True).click()
        page.get_by_role("group", name="The loss").wait_for()
        at_once = page.evaluate(tops)
        window.quiet()
        assert page.evaluate(tops) == at_once
        assert window.overflow_px() == 0
    select(window, "relu2", 1)
    assert page.evaluate(tops) == at_once
    assert MINUS in page.locator(".bars .truth .gradient").inner_text()


def test_axe_finds_nothing_serious_backwards_or_in_a_step(window, studio):
    page = window.page
    window.look()
    base = f"{studio.address.url}{window.path()}"
    found = {}
    for place, words in {
        "?mode=backwards": "Now read it from right to left.",
        "/conv2/3?mode=backwards&weight=weight,3,1,0,0": "conv2 weight 3,1,0,0",
        "/relu2/3?mode=backwards": "One cell, every gradient that comes back",
        "/dense1/1?mode=backwards": "Probability minus what it should have been",
        "/pool1/0?mode=step&rate=0.001&maps=difference": "What changes most",
    }.items():
        page.set_viewport_size(SCREEN)
        page.goto(base + place)
        expect(page.get_by_role("heading", name=words)).to_be_visible()
        window.quiet()
        found[place] = findings_everywhere(window)
    assert found == {place: {} for place in found}
