"""What is changed in the network by hand: any kernel, dragged; and kept as a run of its own."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from seethrough.runs.folder import open_run, run_ids

from .test_accessibility import findings
from .test_try import asked, becomes
from .window import MINUS

PLACE = [2, 5, 0, 2]


@pytest.fixture
def others_go(studio):
    """The other tests know of one run."""
    yield
    for name in run_ids(studio.runs_dir):
        if name != studio.run.id:
            shutil.rmtree(studio.runs_dir / name)


def test_a_weight_of_a_deeper_convolution_is_dragged_and_put_back(window, studio):
    page = window.page
    window.enter(f"/try/{studio.run.id}/t0")
    kernel = page.get_by_role("region", name="A kernel")
    for name, choice in (("convolution", "conv3"), ("unit", "2"), ("channel", "5")):
        kernel.get_by_role("combobox", name=name).select_option(choice)
    cell = kernel.get_by_label("weight, channel 5, row 0, column 2")
    learned = studio.run.classifier.module.get_parameter("conv3.weight")[2, 5, 0, 2].item()
    expect(cell).to_have_value(f"{round(learned, 4):g}".replace("-", MINUS))
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0], middle[1] - 30, steps=5)
    page.mouse.up()
    wanted = round(learned + 0.3, 4)
    expect(cell).to_have_value(f"{wanted:g}".replace("-", MINUS))
    told = asked(window, {"weights": [{"name": "conv3.weight", "index": PLACE, "value": wanted}]})
    becomes(window, told["probabilities_after"])
    expect(page.get_by_text("Changed in the network: 1 weight.")).to_be_visible()
    kernel.get_by_role("button", name="As it was learned").click()
    becomes(window, told["probabilities"])


@pytest.mark.usefixtures("others_go")
def test_a_unit_that_was_switched_off_is_kept_as_a_run_that_says_so(window, studio):
    page = window.page
    window.enter(f"/try/{studio.run.id}/t0?off=relu2.3&turn=20")
    keep = page.get_by_role("button", name="Save as a new run")
    expect(page.get_by_text("Changed in the network: 1 unit off.")).to_be_visible()
    expect(page.get_by_text("What is done to the photo, and the temperature")).to_be_visible()
    keep.click()
    page.get_by_role("link", name="how good it is").click()
    card = page.get_by_role("region", name="Changed by hand")
    expect(card).to_contain_text("unit 3 of relu2 switched off")
    said = card.locator("b", has_text="%")
    expect(said).to_be_visible(timeout=60_000)
    (new,) = set(run_ids(studio.runs_dir)) - {studio.run.id}
    made = open_run(new, studio.runs_dir)
    assert said.inner_text().split()[0] == f"{100 * made.report.accuracy:.1f}"
    assert findings(page) == []
    window.enter("/runs")
    row = page.get_by_role("row", name=re.compile(new))
    expect(row).to_contain_text("changed by hand")
    expect(row).to_contain_text("not trained")


def test_nothing_is_offered_to_keep_where_only_the_photo_is_changed(window, studio):
    window.enter(f"/try/{studio.run.id}/t0?turn=20")
    expect(window.page.locator(".words")).not_to_contain_text("Sending")
    expect(window.page.get_by_role("button", name="Save as a new run")).to_have_count(0)
