"""A network that is no run, looked through by a reader: an ONNX file with a folder of photos."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.back import formula, turn
from tests.browser.window import Window, exact, last
from tests.explain.looking import hooks
from tests.serve.strangers import onnx_file

from seethrough.classifier import wrap
from seethrough.data.collection import collect
from seethrough.serve.opened import OF_A_FILE, Opened, opened
from seethrough.serve.server import Address, running_server

BARS = """() => [...document.querySelectorAll('[aria-label="The sum"] .waterfall .num')].map(
  (bar) => bar.textContent)"""
PX = 16


class Shown:
    """What was opened, the server that shows it, and where nothing may be written."""

    def __init__(self, network: Opened, address: Address, runs_dir: Path) -> None:
        self.network, self.address, self.runs_dir = network, address, runs_dir


def files(folder: Path) -> dict[Path, tuple[int, int]]:
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def shown(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    place = tmp_path_factory.mktemp("opened")
    classes = sorted(path.name for path in (photos / "test").iterdir())
    file = onnx_file(place / "model.onnx", px=PX, classes=len(classes))
    network = opened(
        wrap(file, classes=classes),
        name="model.onnx",
        origin="opened from an ONNX file",
        graph=OF_A_FILE,
        photos=collect(photos / "test", classes),
    )
    with running_server(place / "runs", opened=[network]) as address:
        yield Shown(network, address, place / "runs")


@pytest.fixture
def window(open_window: Callable[..., Window], shown: Shown) -> Window:
    return open_window(shown.address, shown.network.id)


def test_home_is_look_with_the_name_of_the_network_and_how_its_graph_was_found(window, shown):
    window.enter("/")
    window.path_becomes(f"/look/{shown.network.id}/t0")
    line = window.page.get_by_role("complementary", name="The network that was opened")
    expect(line).to_contain_text("model.onnx is no run: it was opened from an ONNX file.")
    expect(line).to_contain_text(OF_A_FILE)
    views = window.page.get_by_role("navigation", name="Views").get_by_role("link")
    assert views.all_inner_texts() == ["Photos", "Look", "Try", "Sandbox", "Runs"]
    expect(window.page).to_have_title(re.compile("^Look · model.onnx"))
    expect(window.network).to_contain_text("True label: ")


def test_a_clicked_cell_of_a_unit_adds_up_and_says_that_it_agrees(window):
    window.look()
    window.select("network.conv1", 2)
    window.point(5, 7, size=(PX, PX))
    region = window.page.get_by_role("region", name="The sum")
    expect(region.locator(".check")).to_contain_text("✓ recomputed")
    shown_sum = last(region.locator("li").first.inner_text())
    assert sum(map(exact, window.page.evaluate(BARS)), Decimal(0)) == shown_sum
    assert shown_sum != 0


def test_backwards_begins_at_the_class_of_the_folder_and_agrees_with_autograd(window, shown):
    window.look("t0")
    turn(window, "Backwards")
    label = shown.network.photos.photos[0].label
    group = window.page.get_by_role("group", name="The loss")
    expect(group.get_by_role("radio", name=label, exact=True)).to_be_checked()
    before = formula(window).inner_text()
    other = next(name for name in shown.network.classes if name != label)
    group.get_by_text(other, exact=True).click()
    expect(formula(window)).not_to_have_text(before)
    expect(group).to_contain_text(f"its label is {label}")
    window.unit("network.relu1", 1).click()
    check = window.page.locator(".check").first
    expect(check).to_contain_text("✓")


def test_photos_try_and_the_sandbox_are_there_and_lead_on(window, shown):
    window.enter(f"/photos/{window.run}")
    expect(window.page.get_by_role("heading", name="The photos in test")).to_be_visible()
    window.page.get_by_role("combobox", name="class", exact=True).select_option("ship")
    expect(window.page.locator(".tiles a")).to_have_count(12)
    window.page.locator(".tiles a").first.click()
    window.path_becomes(f"/look/{window.run}/t[0-9]+")
    expect(window.network).to_contain_text("True label: ship")
    window.page.get_by_role("link", name="Try", exact=True).click()
    expect(window.page.get_by_role("toolbar", name="Units of network.conv1")).to_be_visible()
    window.page.get_by_role("link", name="Sandbox", exact=True).click()
    expect(window.page.get_by_role("heading", name="Convolution sandbox")).to_be_visible()
    expect(window.page.locator(".output, [aria-label*='output']").first).to_be_visible()
    window.quiet()


@pytest.mark.parametrize("view", ["train", "time", "report", "compare"])
def test_what_only_a_run_has_says_why_and_leads_back(window, view):
    window.enter(f"/{view}/{window.run}")
    expect(window.page.get_by_role("heading", level=2)).to_contain_text("model.onnx is none.")
    window.page.get_by_role("link", name="Look through it").click()
    expect(window.network).to_be_visible()


def test_the_tour_leaves_out_what_needs_a_training(window):
    window.look()
    window.page.get_by_role("button", name="Tour", exact=True).click()
    expect(window.page.get_by_test_id("progress")).to_contain_text("of 15")
    window.quiet()


def test_it_fits_a_phone(open_window, shown):
    window = open_window(shown.address, shown.network.id, width=390, height=844)
    for path in ("look", "photos", "train"):
        window.enter(f"/{path}/{shown.network.id}")
        expect(window.page.get_by_role("complementary")).to_contain_text("is no run")
        window.quiet()
        assert window.overflow_px() == 0


def test_looking_leaves_nothing_behind(window, shown, photos):
    module, before = shown.network.classifier.module, files(photos)
    attached = hooks(module)
    window.look("t3")
    window.select("network.conv1", 0)
    turn(window, "Backwards")
    turn(window, "One step")
    window.quiet()
    assert hooks(module) == attached
    assert files(photos) == before
    assert not shown.runs_dir.exists()
