"""Train again: the range test in the page, stopped, run to its end and taken, and the new run."""

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.conftest import Studio
from tests.browser.window import Window

from seethrough.errors import RunError
from seethrough.runs.folder import find_run
from seethrough.runs.launch import stop
from seethrough.runs.rates import range_test
from seethrough.serve.server import running_server
from seethrough.train.rates import found


@pytest.fixture
def own(studio: Studio, tmp_path: Path) -> Iterator[Studio]:
    """The finished run in a folder of its own, since others are begun beside it."""
    shutil.copytree(studio.run.folder, tmp_path / "runs" / studio.run.id)
    with running_server(tmp_path / "runs") as address:
        yield replace(studio, address=address, runs_dir=tmp_path / "runs")


def test_a_rate_is_found_in_the_page_and_taken_into_another_training(
    own: Studio, open_window: Callable[..., Window]
) -> None:
    window = open_window(own.address, own.run.id)
    window.enter(f"/train/{own.run.id}")
    card = window.page.get_by_role("region", name="Train again")
    find = card.get_by_role("button", name="Find a learning rate")
    rate = card.get_by_label("learning rate, at its peak")
    expect(rate).to_have_value("0.1")
    find.click()
    card.get_by_role("button", name="Stop the test").click()
    test = card.get_by_role("group", name="Range test of learning rates")
    expect(test.get_by_role("status")).to_contain_text("Stopped. Nothing was written")
    expect(card.get_by_role("button", name=re.compile("^Take "))).to_have_count(0)

    find.click()
    expect(test.get_by_role("status")).to_contain_text("photos")
    height = _height(card)
    expect(test.get_by_role("status")).to_contain_text("Suggested: ")
    assert _height(card) == height
    _holds_what_the_function_says(test, own)
    test.get_by_role("button", name=re.compile("^Take ")).click()
    suggested = rate.input_value()
    expect(rate).to_be_focused()
    assert suggested in test.get_by_role("status").inner_text()

    card.get_by_label("epochs").fill("2000")
    card.get_by_role("button", name="Start training").click()
    window.path_becomes(f"/train/(?!{own.run.id}).+")
    new = find_run(window.path().rpartition("/")[2], own.runs_dir)
    with contextlib.suppress(RunError):  # its process may not have come so far yet
        stop(new)
    recipe = replace(own.run.manifest.recipe, peak_lr=float(suggested), epochs=2000)
    assert new.manifest.recipe == recipe


def _holds_what_the_function_says(test: Locator, own: Studio) -> None:
    """Every number of it, where it is seen and where it is heard."""
    run = own.run
    tried = list(range_test(run.dataset(), run.network, run.manifest.recipe))
    said = found(tried)
    assert None not in (said.suggested, said.steepest)
    for rate in filter(None, (said.suggested, said.steepest, said.diverged)):
        digits = re.compile(rf"(?<![\d.]){float(f'{rate:.2g}'):g}(?![\d])")
        expect(test.get_by_role("status")).to_have_text(digits)
        expect(test.locator("svg .label", has_text=digits)).not_to_have_count(0)
    curve = test.get_by_role("slider")
    expect(curve).to_have_attribute("aria-valuemax", str(len(tried)))
    curve.focus()
    curve.press("Home")
    first = tried[0].smoothed
    assert first is not None
    expect(curve).to_have_attribute(
        "aria-valuetext", re.compile(rf"smoothed loss {first:.3f}, of its batch {first:.3f}")
    )


def _height(card: Locator) -> float:
    box = card.bounding_box()
    assert box is not None
    return box["height"]
