"""What the page says of its own numbers: whether they agree, how many there are, who named what."""

import json

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.browser.back import turn
from tests.serve.strangers import onnx_file

from seethrough.classifier import wrap
from seethrough.data.collection import collect
from seethrough.serve.opened import opened
from seethrough.serve.server import running_server

MANY = 300  # classes


def check(window):
    return window.page.get_by_role("region", name="The sum").locator(".check")


def altered(change):
    """A handler that lets an equation through with something in it changed."""

    def handle(route):
        answer = route.fetch()
        equation = answer.json()
        change(equation)
        route.fulfill(response=answer, body=json.dumps(equation))

    return handle


def test_the_mark_is_about_every_number_on_the_way_and_not_about_the_sum_alone(window):
    window.look()
    window.select("conv3", 7)
    expect(check(window)).to_contain_text("✓ recomputed")

    def off(equation):
        step = equation["steps"][0]
        step["framework"] += 1.0
        step["difference"] -= 1.0
        equation["worst_difference"] = 0.5

    window.page.route("**/equation*", altered(off))
    window.select("conv3", 9)
    expect(check(window)).to_have_attribute("data-agrees", "false")
    expect(check(window)).not_to_contain_text("✓")


def test_backwards_no_number_is_called_equal_to_the_last_bit_that_is_not(window):
    def tiny(equation):
        equation["difference"] = 0.0
        for step in equation["steps"]:
            step["difference"] = 2.5e-9

    window.page.route("**/gradient-equation*", altered(tiny))
    window.look()
    turn(window, "Backwards")
    window.unit("norm5", 5).click()
    expect(check(window)).to_contain_text("✓ recomputed; differs from autograd by 2.5e−9")


def test_digits_that_do_not_add_up_are_said_to_be_that(window):
    window.page.route("**/equation*", altered(lambda equation: equation.update(adds_up=False)))
    window.look()
    window.select("conv3", 7)
    expect(check(window)).to_have_text("! recomputed; the digits do not add up as shown")


def test_a_click_beside_all_units_is_a_step_back_and_a_layers_name_opens_its_card(window):
    window.look()
    window.select("conv3", 7)
    window.page.get_by_role("group", name="Units; arrow keys walk").click(position={"x": 3, "y": 3})
    window.path_becomes(rf"/look/{window.run}/t\d+")
    window.network.get_by_text("pool1", exact=True).click()
    expect(window.page.get_by_role("dialog").get_by_role("heading")).to_have_text("Pooling")


def test_nobody_is_said_to_have_named_a_photo_of_ones_own(window, tmp_path):
    pixels = np.random.default_rng(5).integers(256, size=(40, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "mine.png")
    window.look()
    window.page.get_by_label("A photo of yours").set_input_files(tmp_path / "mine.png")
    window.path_becomes(rf"/look/{window.run}/u-[^/]+")
    turn(window, "Backwards")
    bar = window.page.get_by_role("group", name="The loss")
    expect(bar).to_contain_text("nobody named it")
    bar.get_by_text("frog", exact=True).click()
    expect(bar).not_to_contain_text("nobody named it")


@pytest.fixture(scope="module")
def crowd(photos, tmp_path_factory):
    place = tmp_path_factory.mktemp("crowd")
    classes = [f"class {k}" for k in range(MANY)]
    file = onnx_file(place / "model.onnx", px=16, classes=MANY)
    network = opened(
        wrap(file, classes=classes),
        name="model.onnx",
        origin="opened",
        photos=collect(photos / "test", classes),
    )
    with running_server(place / "runs", opened=[network]) as address:
        yield network, address


def test_of_many_classes_try_draws_the_likeliest_and_says_so(open_window, crowd):
    network, address = crowd
    window = open_window(address, network.id)
    window.enter(f"/try/{network.id}/t0?cover=2,2,9,9")
    said = window.page.get_by_role("region", name="What it says")
    expect(said).to_contain_text(f"The likeliest 12 of {MANY} classes.")
    expect(said.locator("tbody tr")).to_have_count(12)


def test_a_change_that_is_refused_is_not_said_to_be_on_its_way(window):
    window.statuses = {404, 422}
    window.enter(f"/try/{window.run}/t3?off=conv1.99")
    said = window.page.get_by_role("region", name="What it says")
    expect(said.get_by_role("status")).to_have_text(
        "The change was refused; the network is as it was."
    )
    expect(window.page.get_by_role("button", name="Save as a new run")).to_have_count(0)
