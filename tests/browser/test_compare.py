"""Compare: what stands side by side is what either run says by itself, cell by cell."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.back import added, shown_sum
from tests.browser.beside import PATIENCE_MS, number, open_pair
from tests.browser.test_accessibility import findings, tab_to
from tests.browser.window import address_of, exact

UNIT = 3


@pytest.fixture
def opened(open_window, pair):
    """The page at an address below /compare, once everything is drawn."""

    def opening(rest="", *, width=1440, base=None):
        window = open_window(pair.address, pair.first.id, width=width)
        return open_pair(window, f"{base or f'{pair.first.id}/{pair.second.id}'}{rest}")

    return opening


def map_of(pair, run, photo, layer, unit):
    """Rows of a unit's map, from the run's own addresses."""
    trace = pair.ask(f"{run.id}/photos/{photo}/trace").json()
    floats = pair.floats(f"{run.id}/photos/{photo}/activations")
    found = next(one for one in trace["layers"] if one["name"] == layer)
    _, height, width = found["shape"]
    start = found["offset"] + unit * height * width
    return [floats[start + row * width :][:width] for row in range(height)]


def shown(window, band):
    """The value below a map, every digit that its title has."""
    return number(window.page.locator(f"[data-value={band}]"))


def explorer(window, band):
    return window.page.get_by_role("application", name=re.compile(band)).first


def test_the_pointer_marks_one_cell_on_both_with_both_numbers_and_their_difference(opened, pair):
    window = opened(f"/t5/conv2/{UNIT}")
    partner = pair.match("conv2")["units"][UNIT]
    expect(window.page.get_by_role("heading", name=f"conv2, unit {UNIT}")).to_be_visible()
    first = map_of(pair, pair.first, "t5", "conv2", UNIT)
    second = map_of(pair, pair.second, "t5", "conv2", partner)
    size = len(first)
    place = explorer(window, f"^{pair.second.id}, conv2, unit {partner}")
    box = place.bounding_box()
    row, column = 2, 4
    place.hover(
        position={
            "x": (column + 0.5) * box["width"] / size,
            "y": (row + 0.5) * box["height"] / size,
        }
    )
    expect(window.page.get_by_text(f"Row {row}, column {column} on all")).to_be_visible()
    assert shown(window, "first") == pytest.approx(first[row][column], abs=1e-12)
    assert shown(window, "second") == pytest.approx(second[row][column], abs=1e-12)
    told = second[row][column] - first[row][column]
    assert shown(window, "difference") == pytest.approx(told, abs=1e-6)
    one, other, between = (
        exact(window.page.locator(f"[data-value={band}]").inner_text())
        for band in ("first", "second", "difference")
    )
    assert one + between == other  # as displayed, to the last digit
    marks = window.page.locator(".bench .maps .mark").evaluate_all(
        "(marks) => marks.map((mark) => mark.style.transform)"
    )
    assert len(marks) == 3
    assert len(set(marks)) == 1
    window.page.wait_for_url(re.compile(rf"/conv2/{UNIT}/{row},{column}$"))


def test_a_cell_is_taken_apart_on_both_sides_beside_each_other(opened, pair):
    window = opened(f"/t5/conv2/{UNIT}/2,4")
    partner = pair.match("conv2")["units"][UNIT]
    for side, run, unit in (("first", pair.first, UNIT), ("second", pair.second, partner)):
        region = window.page.locator(f"[data-equation={side}]")
        total = shown_sum(region)
        framework = map_of(pair, run, "t5", "conv2", unit)[2][4]
        assert abs(float(total) - framework) <= 0.6e-4
        factors = window.page.get_by_role("region", name=f"Every factor, {side}")
        factors.locator("[aria-expanded]").click()
        sums = factors.locator(".row:not(.head) .right").all_inner_texts()
        assert len(sums) == 16
        assert added(sums) == total
    factors.get_by_role("button", name=re.compile(r"^#\d+$")).first.click()
    window.path_becomes(r".*/t5/relu1/\d+(/\d+,\d+)?")
    window.quiet()


def test_the_pointer_on_a_small_map_marks_the_same_cell_on_its_partner_and_tells_both(opened, pair):
    window = opened("/t5")
    partner = pair.match("relu2")["units"][UNIT]
    first = map_of(pair, pair.first, "t5", "relu2", UNIT)
    second = map_of(pair, pair.second, "t5", "relu2", partner)
    toolbar = window.page.get_by_role("toolbar", name="Units of relu2")
    unit = toolbar.get_by_role("button", name=f"relu2, unit {UNIT} beside unit {partner}")
    unit.scroll_into_view_if_needed()
    box = unit.bounding_box()
    row, column = 9, 4  # of 16 × 16; in the second band, below 30 px and a gap of 3
    x, y = 1 + (column + 0.5) * 30 / 16, 1 + 33 + (row + 0.5) * 30 / 16
    unit.hover(position={"x": x, "y": y})
    told = toolbar.locator("xpath=following-sibling::p")
    expect(told).to_contain_text(f"row {row}, column {column}: first")
    numbers = [exact(part) for part in re.split("first|second|difference", told.inner_text())[1:]]
    assert float(numbers[0]) == pytest.approx(first[row][column], abs=0.6e-4)
    assert float(numbers[1]) == pytest.approx(second[row][column], abs=0.6e-4)
    assert numbers[0] + numbers[2] == numbers[1]
    marks = toolbar.locator("i").evaluate_all(
        "(marks) => marks.map((mark) => mark.getBoundingClientRect().toJSON())"
    )
    assert len(marks) == 3
    assert len({round(mark["x"], 3) for mark in marks}) == 1
    steps = np.diff([mark["y"] for mark in marks])
    assert steps == pytest.approx([33, 33])
    at = marks[1]["x"] + marks[1]["width"] / 2, marks[1]["y"] + marks[1]["height"] / 2
    assert at == pytest.approx((box["x"] + x, box["y"] + y), abs=0.01)


def test_the_pointer_on_a_photo_marks_the_same_pixel_on_both(opened):
    window = opened("/t5")
    photos = window.page.get_by_role("application", name=re.compile("^the photo as"))
    photos.last.hover(position={"x": 3 * 5 + 1, "y": 3 * 20 + 1})  # 32 × 32 pixels of 3 px each
    expect(window.page.get_by_text("Pixel in row 20, column 5 of both: red")).to_be_visible()
    marks = photos.locator("i").evaluate_all("(marks) => marks.map((one) => one.style.transform)")
    assert len(marks) == 2
    assert len(set(marks)) == 1
    photos.first.focus()
    window.page.keyboard.press("ArrowUp")
    expect(photos.last).to_have_accessible_name(re.compile("row 19, column 5: red"))


def test_bars_and_sentences_are_what_either_run_says(opened, pair):
    window = opened("/t5")
    for which, run in (("first", pair.first), ("second", pair.second)):
        said = pair.ask(f"{run.id}/photos/t5/trace").json()["probabilities"]
        cells = window.page.locator(f"td[data-{which}]").all()
        assert [number(cell) for cell in cells] == said
    paired = pair.ask(f"{pair.first.id}/compare/{pair.second.id}").json()["paired"]
    legend = window.page.locator(".legend .num").all_text_contents()
    counts = [paired[name] for name in ("both", "only_first", "only_second", "neither")]
    assert [exact(text.replace(",", "")) for text in legend[: len(counts)]] == counts


def test_kernels_are_walked_with_the_arrow_keys_and_subtracted_between_partners(opened, pair):
    window = opened(f"/t5/relu2/{UNIT}")
    layer = pair.match("conv2")
    weights = [pair.floats(f"{run.id}/weights?layer=conv2") for run in (pair.first, pair.second)]
    kernels = window.page.get_by_role("application", name=re.compile("^Kernels of unit"))
    kernels.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"):
        window.page.keyboard.press(key)
    # three columns a kernel: the fourth step right is column 1 of channel 1
    expect(kernels).to_have_accessible_name(re.compile(r"channel 1 beside \d+, row 1, column 1"))
    own, others = UNIT, layer["units"][UNIT]
    channel = layer["channels"][1]
    first = weights[0][(own * 16 + 1) * 9 + 4]
    second = weights[1][(others * 16 + channel) * 9 + 4]
    told = [
        number(window.page.locator(f"[data-weight={band}]"))
        for band in ("first", "second", "difference")
    ]
    assert told == pytest.approx([first, second, second - first], abs=1e-7)


def test_a_photo_a_unit_and_a_moment_are_places_and_back_leads_from_one_to_the_other(opened, pair):
    window = opened("/t5")
    page = window.page
    page.get_by_role("button", name=re.compile(r"^conv1, unit 2 beside unit")).click()
    window.path_becomes(rf"/compare/{pair.first.id}/{pair.second.id}/t5/conv1/2")
    page.locator(".photos a").nth(1).click()
    window.quiet()
    photo = re.search(r"/(t\d+)/conv1/2$", address_of(page))[1]
    assert photo != "t5"
    chosen = page.locator(".photos a[aria-current]")
    expect(chosen).to_have_attribute("href", re.compile(f"/{photo}/conv1/2"))
    page.get_by_label("first run, at which moment").select_option("0")
    page.wait_for_url(re.compile(r"\?step=0$"))
    window.quiet()
    said = pair.ask(f"{pair.first.id}/photos/{photo}/trace?step=0").json()["probabilities"]
    assert [number(cell) for cell in page.locator("td[data-first]").all()] == said
    for expected in (rf"/{photo}/conv1/2$", r"/t5/conv1/2$", r"/t5$"):
        page.go_back()
        page.wait_for_url(re.compile(expected))
    window.quiet()
    assert window.shift() < 0.05


@pytest.mark.full
def test_two_moments_of_one_run_stand_side_by_side(opened, pair):
    run = pair.first.id
    pair.ask(f"{run}/compare/{run}/matching?step=0")
    window = opened("/t5/relu1/1?step=0&difference=own", base=f"{run}/{run}")
    expect(window.page.get_by_text(f"{run} @ 0").first).to_be_visible()
    expect(window.page.locator(".legends .legend")).to_have_count(2)
    window.page.get_by_text("same scale").click()
    expect(window.page.locator(".legends .legend")).to_have_count(1)
    assert "difference=" not in address_of(window.page)


def test_two_runs_are_ticked_in_the_list_and_compared(open_window, pair):
    first, second = pair.first.id, pair.second.id
    window = open_window(pair.address, first)
    window.enter("/runs")
    page = window.page
    page.get_by_label(f"Compare {first}", exact=True).check()
    expect(page.get_by_text("Tick one more to compare")).to_be_visible()
    page.get_by_label(f"Compare {second}", exact=True).check()
    page.get_by_role("link", name=f"Compare {first} with {second}").click()
    window.path_becomes(rf"/compare/{first}/{second}(/t\d+)?")
    expect(page.locator(".tiles canvas").first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_label("Swap first and second").click()
    window.path_becomes(rf"/compare/{second}/{first}(/t\d+)?")
    window.quiet()


def test_with_the_keyboard_alone_a_unit_is_chosen_and_its_map_walked(opened):
    window = opened("/t5")
    page = window.page
    tab_to(page, "conv1, unit 0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="conv1, unit 1")).to_be_visible()
    expect(explorer(window, "conv1, unit 1, cell")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"/conv1/1/\d+,\d+$"))
    window.quiet()


@pytest.mark.parametrize(
    ("paper", "width"), [("dark", 1440), pytest.param("light", 390, marks=pytest.mark.full)]
)
def test_axe_finds_nothing_serious_and_nothing_sticks_out(opened, paper, width):
    window = opened(f"/t5/conv2/{UNIT}", width=width)
    window.page.emulate_media(color_scheme=paper)
    window.quiet()
    assert findings(window.page) == []
    assert window.overflow_px() == 0
