"""Layers with long names, as networks from elsewhere have them: readable wherever room is short."""

import re
from collections import OrderedDict

import pytest
import torch
from playwright.sync_api import expect
from tests.browser.test_accessibility import findings
from torch import nn

from seethrough.classifier import wrap
from seethrough.data.collection import collect
from seethrough.serve.opened import opened
from seethrough.serve.server import running_server

PX = 16
# what is drawn of each name, what a screen reader hears, and whether the browser cut it off
TITLES = """() => [...document.querySelectorAll('.titles [title]:not(button)')].map((one) => {
  const bold = one.querySelector('b'), short = bold.querySelector('.short');
  const unseen = bold.querySelector('.unseen');
  return [one.title.split(':')[0], (short ?? bold).textContent, unseen?.textContent ?? null,
          bold.scrollWidth - bold.clientWidth];
})"""


def convolved(channels: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            convolution=nn.Conv2d(channels, 12, 3, padding=1),
            normalization=nn.BatchNorm2d(12),
            activation=nn.ReLU(),
        )
    )


def stage(channels: int) -> nn.Sequential:
    layers = nn.Sequential(convolved(channels), convolved(12), convolved(12))
    return nn.Sequential(OrderedDict(layers=layers))


@pytest.fixture(scope="module")
def named(photos, tmp_path_factory):
    """A network whose layers are called encoder.stages.2.layers.1.convolution, and the like."""
    torch.manual_seed(7)
    stages = nn.Sequential(*(stage(channels) for channels in (3, 12, 12, 12, 12)))
    classes = sorted(path.name for path in (photos / "test").iterdir())
    module = nn.Sequential(
        OrderedDict(
            encoder=nn.Sequential(OrderedDict(stages=stages)),
            pooler=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Linear(12, len(classes)),
        )
    ).eval()
    network = opened(
        wrap(module, classes=classes, image_px=PX),
        name="long",
        origin="opened from a module",
        graph="Its graph was recorded.",
        photos=collect(photos / "test", classes),
    )
    runs_dir = tmp_path_factory.mktemp("named") / "runs"
    with running_server(runs_dir, opened=[network]) as address:
        yield address, network.id


@pytest.fixture
def look(open_window, named):
    def look(width, at=""):
        window = open_window(*named, width=width)
        window.look("t0", at=at)
        window.quiet()
        return window

    return look


DEEP = "network.encoder.stages.2.layers.1.convolution"


def test_names_above_the_columns_end_as_they_do_and_are_whole_for_screen_readers(look):
    window = look(1440)
    told = window.page.evaluate(TITLES)
    layers = [title for title, *_ in told]
    assert DEEP in layers
    assert len(layers) > 45
    cut = {name: over for name, _, _, over in told if over > 0}
    assert cut == {}
    deep = [(name, drawn, heard) for name, drawn, heard, _ in told if ".layers." in name]
    assert len(deep) == 45
    for name, drawn, heard in deep:
        assert name == f"network.{heard}"
        kind = name.rpartition(".")[2]
        *_, last = drawn.removeprefix("…").split(".")
        assert kind.startswith(last.removesuffix("…"))
        assert len(last.removesuffix("…")) >= 3


@pytest.mark.parametrize("width", [1440, 390])
def test_the_bench_says_the_whole_name_and_nothing_reaches_out_of_it(look, width):
    window = look(width, at=f"/{DEEP}/3/4,4")
    page = window.page
    heading = page.get_by_role("heading", name=f"{DEEP} · unit 3")
    expect(heading).to_be_visible()
    over = "(one) => one.scrollWidth - one.clientWidth"
    for part in page.get_by_role("region", name="The unit").locator("h2, p").all():
        assert part.evaluate(over) <= 0, part.inner_text()
    assert window.overflow_px() == 0


def test_a_folded_block_shows_the_end_of_its_name_and_by_keys_all_of_it(look):
    window = look(920)
    page = window.page
    blocks = page.locator(".blocks button")
    wholes = [f"encoder.stages.{number}" for number in range(5)]
    for number, whole in enumerate(wholes):
        block = page.get_by_role("button", name=whole, exact=True)
        expect(block).to_have_attribute("title", re.compile(f"^{whole}: 9 layers, folded"))
        drawn = block.locator(".short").or_(block).last.inner_text()
        assert drawn.endswith(str(number))
        assert block.evaluate("(one) => one.scrollWidth - one.clientWidth") <= 0
    short = blocks.filter(has=page.locator(".short"))
    assert short.count() >= 3
    one = short.first
    page.keyboard.press("Tab")  # from here on the browser shows where the keyboard is
    one.focus()
    expect(one.locator(".short")).to_be_hidden()
    assert one.evaluate("(one) => one.scrollWidth - one.clientWidth") <= 0
    assert findings(page) == []
