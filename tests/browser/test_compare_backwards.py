"""Compare, backwards: the same loss through two networks, as either of them says it alone."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.back import BLOCKS, added, shown_sum, steps_hold
from tests.browser.beside import number, open_pair
from tests.browser.test_accessibility import findings
from tests.browser.window import exact, last

UNIT = 3
TRUTH = "ship"
BANDS = ("first", "second", "difference")
BACK = f"?mode=backwards&truth={TRUTH}"


@pytest.fixture
def opened(open_window, pair):
    """The page at an address below /compare, backwards, once everything is drawn."""

    def opening(rest="", *, query=BACK, width=1440):
        window = open_window(pair.address, pair.first.id, width=width)
        return open_pair(window, f"{pair.first.id}/{pair.second.id}/t5{rest}{query}")

    return opening


def gradients(pair, run, layer):
    """What came back to a layer, from the run's own addresses."""
    photo = f"{run.id}/photos/t5"
    back = pair.ask(f"{photo}/backward?label={TRUTH}").json()
    found = next(one for one in back["layers"] if one["name"] == layer)
    floats = pair.floats(f"{photo}/gradients?label={TRUTH}")
    return np.array(floats[found["offset"] :][: np.prod(found["shape"])]).reshape(found["shape"])


def told(window, kind):
    return [number(window.page.locator(f"[data-{kind}={band}]")) for band in BANDS]


def adds_up(texts):
    first, second, difference = map(exact, texts)
    return first + difference == second


def test_the_losses_and_the_gradients_at_the_logits_are_those_of_either_run(opened, pair):
    window = opened()
    page = window.page
    losses = [page.locator(f"[data-loss={band}]") for band in BANDS]
    assert adds_up([last_of(losses[0]), last_of(losses[1]), losses[2].inner_text()])
    for run, shown, side in (
        (pair.first, losses[0], "first"),
        (pair.second, losses[1], "second"),
    ):
        back = pair.ask(f"{run.id}/photos/t5/backward?label={TRUTH}").json()
        assert number(shown) == back["loss"]
        probability = float(re.search(r"log\(([^)]+)\)", shown.inner_text()).group(1))
        assert f"{-np.log(probability):.4f}" == last_of(shown)
        classes = pair.ask(f"{run.id}/photos/t5/trace").json()["classes"]
        wanted = gradients(pair, run, "dense1")
        for name, gradient in zip(classes, wanted, strict=True):
            row = page.locator(f"[data-logit='{name}']")
            digits = exact(row.locator(f"[data-side={side}]").inner_text())
            assert abs(float(digits) - gradient) <= 0.5001e-4
            assert adds_up([row.locator(f"[data-side={band}]").inner_text() for band in BANDS])


def last_of(element):
    return str(last(element.inner_text()))


def test_gradient_maps_of_partners_share_a_pointer_and_a_scale(opened, pair):
    window = opened(f"/conv2/{UNIT}")
    page = window.page
    partner = pair.match("conv2")["units"][UNIT]
    first = gradients(pair, pair.first, "conv2")[UNIT]
    second = gradients(pair, pair.second, "conv2")[partner]
    place = page.get_by_role("application", name=re.compile(f"^{pair.second.id}, conv2"))
    box = place.bounding_box()
    for row, column in ((0, 0), (7, 12)):
        x, y = (column + 0.5) * box["width"] / 16, (row + 0.5) * box["height"] / 16
        place.hover(position={"x": x, "y": y})
        expect(page.get_by_text(f"Row {row}, column {column} on all")).to_be_visible()
        one, other = first[row, column], second[row, column]
        assert told(window, "value") == pytest.approx([one, other, other - one], abs=1e-7)
        texts = [page.locator(f"[data-value={band}]").inner_text() for band in BANDS]
        assert adds_up(texts)
    largest = max(np.abs(gradients(pair, run, "conv2")).max() for run in (pair.first, pair.second))
    legend = page.locator(".legends .legend")
    assert (
        float(legend.get_attribute("title")[1:]) >= largest
    )  # the difference shares it, and may be larger
    expect(legend).to_contain_text("gradients of both and the difference")


@pytest.mark.parametrize(
    ("layer", "unit"), [pytest.param("relu1", 2, marks=pytest.mark.full), ("conv2", UNIT)]
)
def test_both_sides_of_a_cell_are_taken_apart_and_add_up(opened, pair, layer, unit):
    window = opened(f"/{layer}/{unit}/4,5")
    partner = pair.match(layer)["units"][unit]
    for side, run, own in (("first", pair.first, unit), ("second", pair.second, partner)):
        region = window.page.locator(f"[data-equation={side}]")
        total = shown_sum(region)
        steps_hold(region)
        query = f"label={TRUTH}&layer={layer}&unit={own}&row=4&column=5"
        equation = pair.ask(f"{run.id}/photos/t5/gradient-equation?{query}").json()
        assert total == exact(equation["shown_sum"])
        assert abs(equation["sum"] - gradients(pair, run, layer)[own, 4, 5]) < 1e-6
        if equation["kind"] == "conv":
            factors = window.page.get_by_role(
                "region", name=f"Every gradient that comes back, {side}"
            )
            factors.locator("[aria-expanded]").click()
            blocks = factors.evaluate(BLOCKS)
            assert len(blocks) == 16
            for block in blocks:
                assert added([tile["shown"] for tile in block["products"]]) == exact(block["sum"])
            assert added([block["sum"] for block in blocks]) == total


def test_gradients_of_kernels_are_subtracted_between_partners(opened, pair):
    window = opened(f"/relu2/{UNIT}")
    layer = pair.match("conv2")
    query = f"parameter-gradients?label={TRUTH}&layer=conv2&name=weight"
    first, second = (
        np.array(pair.floats(f"{run.id}/photos/t5/{query}")).reshape(16, 16, 3, 3)
        for run in (pair.first, pair.second)
    )
    kernels = window.page.get_by_role("application", name="Gradients of the kernels of unit")
    kernels.focus()
    for key in ("ArrowDown", *["ArrowRight"] * 4):
        window.page.keyboard.press(key)
    expect(kernels).to_have_accessible_name(re.compile(r"channel 1 beside \d+, row 1, column 1"))
    one = first[UNIT, 1, 1, 1]
    other = second[layer["units"][UNIT], layer["channels"][1], 1, 1]
    assert told(window, "weight") == pytest.approx([one, other, other - one], abs=1e-7)
    assert adds_up([window.page.locator(f"[data-weight={band}]").inner_text() for band in BANDS])


def test_the_direction_and_the_true_class_are_places_and_back_leads_from_one_to_the_other(
    opened, pair
):
    window = opened(f"/conv1/{UNIT}", query="")
    page = window.page
    values = page.locator("[data-value=first]")
    forwards = values.get_attribute("title")
    page.get_by_role("radio", name="Forwards").focus()
    page.keyboard.press("ArrowRight")  # by keys: a group of radio buttons
    page.wait_for_url(re.compile(r"\?mode=backwards$"))
    window.quiet()
    label = pair.ask(f"{pair.first.id}/photos/t5/trace").json()["photo"]["label"]
    expect(page.get_by_role("radio", name=label)).to_be_checked()
    backwards = values.get_attribute("title")
    assert backwards != forwards
    shift = window.shift()
    page.get_by_role("group", name="True class").get_by_text(TRUTH, exact=True).click()
    page.wait_for_url(re.compile(rf"truth={TRUTH}"))
    window.quiet()
    assert window.shift() - shift < 0.01  # numbers and colours change, nothing moves
    expect(page.get_by_text(f"its label is {label}")).to_be_visible()
    assert values.get_attribute("title") != backwards
    page.reload()
    window.quiet()
    expect(page.get_by_role("radio", name=TRUTH)).to_be_checked()
    for expected in (backwards, forwards):
        page.go_back()
        expect(values).to_have_attribute("title", expected)
    window.quiet()


def test_a_click_on_what_comes_back_leads_to_the_pair_that_it_comes_from(opened, pair):
    window = opened(f"/relu1/{UNIT}/4,5")
    page = window.page
    match = pair.match("conv2")
    factors = page.get_by_role("region", name="Every gradient that comes back, second")
    button = factors.get_by_role("button", name=re.compile(r"^#\d+$")).first
    unit = int(button.inner_text()[1:])
    button.click()
    window.path_becomes(rf".*/t5/conv2/{match['units'].index(unit)}(/\d+,\d+)?")
    window.quiet()


def test_the_photo_has_gradients_on_both_sides_too(opened, pair):
    window = opened("/photo/1/20,9")
    first, second = (gradients(pair, run, "photo")[1] for run in (pair.first, pair.second))
    wanted = [first[20, 9], second[20, 9], second[20, 9] - first[20, 9]]
    assert told(window, "value") == pytest.approx(wanted, abs=1e-7)
    expect(window.page.get_by_role("heading", name="photo, green")).to_be_visible()


@pytest.mark.parametrize(
    ("paper", "width"), [pytest.param("dark", 1440, marks=pytest.mark.full), ("light", 390)]
)
def test_axe_finds_nothing_serious_and_nothing_sticks_out(opened, paper, width):
    window = opened(f"/relu1/{UNIT}/4,5", width=width)
    window.page.emulate_media(color_scheme=paper)
    window.quiet()
    assert findings(window.page) == []
    assert window.overflow_px() == 0
