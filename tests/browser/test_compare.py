"""Compare: what stands side by side is what either run says by itself, cell by cell."""

import re
import shutil
import struct
from dataclasses import replace

import httpx
import pytest
from playwright.sync_api import expect

from seethrough.data.load import load
from seethrough.model.presets import preset
from seethrough.runs.record import train
from seethrough.serve.server import running_server
from seethrough.train.place import Place

from .conftest import Studio
from .test_accessibility import findings, tab_to
from .window import exact

UNIT = 3
PATIENCE_MS = 120_000  # two networks are asked about many photos; a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def pair(studio, photos, tmp_path_factory):
    """The studio's run and one with another seed, in a folder of their own."""
    place = tmp_path_factory.mktemp("pair")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(place / "cache"))
        shutil.copytree(studio.runs_dir, place / "runs")
        other = train(
            load(photos, image_px=32),
            network=preset("demo"),
            recipe=replace(studio.run.manifest.recipe, seed=4, epochs=1),
            runs_dir=place / "runs",
            place=Place(threads=1),
        )
        with running_server(place / "runs") as address:
            found = Studio(studio.run, address, place / "runs", photos)
            # matched once, before a page waits for it: what was compared is kept
            _asked(address, f"{studio.run.id}/compare/{other.id}/matching")
            yield found, other


@pytest.fixture
def opened(open_window, pair):
    """The page at an address below /compare, once everything is drawn."""

    def opening(rest="", *, width=1440, base=None):
        studio, other = pair
        window = open_window(studio.address, studio.run.id, width=width)
        window.enter(f"/compare/{base or f'{studio.run.id}/{other.id}'}{rest}")
        expect(window.page.locator(".tiles canvas").first).to_be_visible(timeout=PATIENCE_MS)
        window.quiet()
        return window

    return opening


def asked(window, path):
    """The same from the API, without the page."""
    return _asked(window.address, path)


def _asked(address, path):
    headers = {"authorization": f"Bearer {address.token}", "sec-fetch-site": "none"}
    answer = httpx.get(f"{address.url}/api/runs/{path}", headers=headers, timeout=300)
    return answer.raise_for_status()


def map_of(window, run, photo, layer, unit, step=""):
    """Rows of a unit's map, from the run's own addresses."""
    trace = asked(window, f"{run}/photos/{photo}/trace{step}").json()
    floats = asked(window, f"{run}/photos/{photo}/activations{step}").content
    found = next(one for one in trace["layers"] if one["name"] == layer)
    _, height, width = found["shape"]
    start = found["offset"] + unit * height * width
    values = struct.unpack_from(f"<{height * width}f", floats, 4 * start)
    return [values[row * width : (row + 1) * width] for row in range(height)]


def shown(window, band):
    """The value below a map, every digit that its title has."""
    title = window.page.locator(f"[data-value={band}]").get_attribute("title")
    return float(title.replace("−", "-"))


def explorer(window, band):
    return window.page.get_by_role("application", name=re.compile(band)).first


def test_the_pointer_marks_one_cell_on_both_with_both_numbers_and_their_difference(opened, pair):
    studio, other = pair
    window = opened(f"/t5/conv2/{UNIT}")
    matching = asked(window, f"{studio.run.id}/compare/{other.id}/matching").json()
    layer = next(one for one in matching["layers"] if one["first"] == "conv2")
    partner = layer["units"][UNIT]
    expect(window.page.get_by_role("heading", name=f"conv2, unit {UNIT}")).to_be_visible()
    first = map_of(window, studio.run.id, "t5", "conv2", UNIT)
    second = map_of(window, other.id, "t5", "conv2", partner)
    size = len(first)
    place = explorer(window, f"^{other.id}, conv2, unit {partner}")
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
    marks = window.page.locator(".bench .maps .mark").evaluate_all(
        "(marks) => marks.map((mark) => mark.style.transform)"
    )
    assert len(marks) == 3
    assert len(set(marks)) == 1
    window.page.wait_for_url(re.compile(rf"/conv2/{UNIT}/{row},{column}$"))


def test_bars_and_sentences_are_what_either_run_says(opened, pair):
    studio, other = pair
    window = opened("/t5")
    for which, run in (("first", studio.run), ("second", other)):
        said = asked(window, f"{run.id}/photos/t5/trace").json()["probabilities"]
        cells = window.page.locator(f"td[data-{which}]").all()
        told = [float(cell.get_attribute("title").replace("−", "-")) for cell in cells]
        assert told == said
    paired = asked(window, f"{studio.run.id}/compare/{other.id}").json()["paired"]
    legend = window.page.locator(".legend .num").all_text_contents()
    counts = [paired[name] for name in ("both", "only_first", "only_second", "neither")]
    assert [exact(text.replace(",", "")) for text in legend[: len(counts)]] == counts


def test_kernels_are_walked_with_the_arrow_keys_and_subtracted_between_partners(opened, pair):
    studio, other = pair
    window = opened(f"/t5/relu2/{UNIT}")
    matching = asked(window, f"{studio.run.id}/compare/{other.id}/matching").json()
    layer = next(one for one in matching["layers"] if one["first"] == "conv2")
    weights = [
        struct.unpack("<2304f", asked(window, f"{run.id}/weights?layer=conv2").content)
        for run in (studio.run, other)
    ]
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
        float(window.page.locator(f"[data-weight={band}]").get_attribute("title").replace("−", "-"))
        for band in ("first", "second", "difference")
    ]
    assert told == pytest.approx([first, second, second - first], abs=1e-7)


def test_a_photo_a_unit_and_a_moment_are_places_and_back_leads_from_one_to_the_other(opened, pair):
    studio, other = pair
    window = opened("/t5")
    page = window.page
    page.get_by_role("button", name=re.compile(r"^conv1, unit 2 beside unit")).click()
    window.path_becomes(rf"/compare/{studio.run.id}/{other.id}/t5/conv1/2")
    page.locator(".photos a").nth(1).click()
    window.quiet()
    photo = re.search(r"/(t\d+)/conv1/2$", page.url)[1]
    assert photo != "t5"
    chosen = page.locator(".photos a[aria-current]")
    expect(chosen).to_have_attribute("href", re.compile(f"/{photo}/conv1/2"))
    page.get_by_label("first run, at which moment").select_option("0")
    page.wait_for_url(re.compile(r"\?step=0$"))
    window.quiet()
    said = asked(window, f"{studio.run.id}/photos/{photo}/trace?step=0").json()["probabilities"]
    cells = page.locator("td[data-first]").all()
    assert [float(cell.get_attribute("title").replace("−", "-")) for cell in cells] == said
    for expected in (rf"/{photo}/conv1/2$", r"/t5/conv1/2$", r"/t5$"):
        page.go_back()
        page.wait_for_url(re.compile(expected))
    window.quiet()
    assert window.shift() < 0.05


@pytest.mark.full
def test_two_moments_of_one_run_stand_side_by_side(opened, pair):
    studio, _ = pair
    run = studio.run.id
    _asked(studio.address, f"{run}/compare/{run}/matching?step=0")
    window = opened("/t5/relu1/1?step=0&difference=own", base=f"{run}/{run}")
    expect(window.page.get_by_text(f"{run} @ 0").first).to_be_visible()
    expect(window.page.locator(".legends .legend")).to_have_count(2)
    window.page.get_by_text("same scale").click()
    expect(window.page.locator(".legends .legend")).to_have_count(1)
    assert "difference=" not in window.page.url


def test_two_runs_are_ticked_in_the_list_and_compared(open_window, pair):
    studio, other = pair
    window = open_window(studio.address, studio.run.id)
    window.enter("/runs")
    page = window.page
    page.get_by_label(f"Compare {studio.run.id}", exact=True).check()
    expect(page.get_by_text("Tick one more to compare")).to_be_visible()
    page.get_by_label(f"Compare {other.id}", exact=True).check()
    page.get_by_role("link", name=f"Compare {studio.run.id} with {other.id}").click()
    window.path_becomes(rf"/compare/{studio.run.id}/{other.id}(/t\d+)?")
    expect(page.locator(".tiles canvas").first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_label("Swap first and second").click()
    window.path_becomes(rf"/compare/{other.id}/{studio.run.id}(/t\d+)?")
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


@pytest.mark.parametrize(("paper", "width"), [("dark", 1440), ("light", 390)])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(opened, paper, width):
    window = opened(f"/t5/conv2/{UNIT}", width=width)
    window.page.emulate_media(color_scheme=paper)
    window.quiet()
    assert findings(window.page) == []
    assert window.overflow_px() == 0
