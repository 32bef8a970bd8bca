"""A network of more than a hundred layers: folded into blocks, opened, searched."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser.test_accessibility import findings
from tests.browser.window import exact

from seethrough.data.load import load
from seethrough.model.presets import preset
from seethrough.runs.record import train
from seethrough.serve.server import running_server
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

UNITS = ".network .column button[data-unit]"


@pytest.fixture(scope="module")
def deep(photos, tmp_path_factory):
    """A server, a run of MobileNetV2 after one short epoch, and what each of its layers reads."""
    place = tmp_path_factory.mktemp("deep")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(place / "cache"))
        images = load(photos, image_px=32)
        run = train(
            images,
            network=preset("mobilenet-v2", image_px=32),
            recipe=Recipe(epochs=1, batch=48, peak_lr=0.05, seed=3),
            runs_dir=place / "runs",
            place=Place(threads=1),
        )
        layers = {
            layer.name: layer.inputs for layer in run.classifier.trace(images.images[0]).layers
        }
        with running_server(place / "runs") as address:
            yield address, run.id, layers


@pytest.fixture
def window(open_window, deep):
    address, run, _ = deep
    window = open_window(address, run)
    window.look()
    window.quiet()
    return window


def blocks(window, *, is_open):
    state = "true" if is_open else "false"
    return window.page.locator(f".blocks button[aria-expanded={state}]")


def titles(window):
    return blocks(window, is_open=False).evaluate_all("(all) => all.map((one) => one.title)")


def sources(deep, layer):
    return deep[2][layer]


def columns(window):
    return window.page.locator(".network .drawing [data-layer]")


def test_it_is_folded_until_it_fits_and_no_layer_is_lost(window, deep):
    _, _, layers = deep
    assert len(layers) > 100
    drawing = window.page.locator(".drawing").bounding_box()
    assert drawing["width"] <= 1440
    folded = [re.search(r": (\d+) layers", title)[1] for title in titles(window)]
    assert len(folded) >= 5
    alone = [name for name in layers if not name.startswith("stage")]
    assert sum(map(int, folded)) + len(alone) == len(layers)
    finder = window.page.get_by_role("group", name="Layers")
    expect(finder).to_contain_text(f"{len(layers)} layers in")


def test_a_block_opens_shows_its_layers_and_its_paths_and_folds_again(window, deep):
    _, _, layers = deep
    page = window.page
    before = columns(window).count()
    block = blocks(window, is_open=False).nth(2)
    name = block.inner_text().removeprefix("▸").strip()
    block.click()
    expect(blocks(window, is_open=True)).to_have_count(1)
    inside = [layer for layer in layers if layer.startswith(f"{name}.")]
    expect(columns(window)).to_have_count(before + len(inside) - 1)
    page.wait_for_function("(name) => location.search.includes('open=' + name)", arg=name)
    sums = sum(layer.endswith(".add") for layer in inside)
    assert sums
    expect(page.get_by_role("img", name=f"{sums} paths that pass over layers")).to_be_visible()
    page.reload()
    expect(blocks(window, is_open=True)).to_have_count(1)
    blocks(window, is_open=True).click()
    expect(columns(window)).to_have_count(before)


def test_a_layer_is_found_by_a_part_of_its_name_and_its_block_opens(window, deep):
    page = window.page
    page.get_by_label("find a layer").fill("stage4.1.add")
    page.keyboard.press("Enter")
    expect(window.sentence).to_have_text(re.compile(r"^stage4\.1\.add, unit \d+, "))
    expect(window.network.locator("[aria-pressed=true]")).to_be_visible()
    window.path_becomes(f"/look/{window.run}/t\\d+/stage4.1.add/\\d+(/.*)?")
    assert blocks(window, is_open=True).inner_text().endswith("stage4")
    # a residual sum: one term of each of its two layers, and the digits add up
    terms = page.get_by_role("region", name="Every term").locator(".list .row")
    expect(terms).to_have_count(2)
    inputs = {text.split(" · ")[0] for text in terms.locator(".from").all_inner_texts()}
    assert inputs == set(sources(deep, "stage4.1.add"))
    shown = [exact(text) for text in terms.locator(".right:nth-child(6)").all_inner_texts()]
    total = page.get_by_role("region", name="The sum").locator("li").first.locator("b")
    assert sum(shown) == exact(total.inner_text())
    page.get_by_label("find a layer").fill("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Layers")).to_contain_text("No layer is called")


def test_only_living_units_are_drawn_when_one_asks_for_them(window):
    page = window.page
    dead = page.locator(f"{UNITS}.dead")
    assert dead.count() > 0
    page.get_by_label("only living units").check()
    page.wait_for_function("() => location.search.includes('living=1')")
    window.quiet()
    # a layer whose units are all dead keeps one, to say so
    lonely = page.locator(".network .column:has(button.dead)")
    assert lonely.count() == lonely.locator("button").count()


def test_axe_finds_nothing_serious_in_it(window):
    blocks(window, is_open=False).nth(0).click()
    window.quiet()
    assert findings(window.page) == []
