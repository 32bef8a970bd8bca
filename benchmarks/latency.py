"""Milliseconds from a hand's movement to the drawn answer, in Chromium against the real server.

    unit    click on a unit in the network        → its bench stands there
    tap     the same by a finger, which did not rest there before
    cell    click on a cell of its map            → that cell's equation stands there
    move    an arrow key on the map               → the next cell's equation stands there
    hover   the pointer reaches another unit      → its curves and its range stand there

Measured inside the page with its own clock: from the event that the click makes, to the DOM that
shows the answer, to the end of the second animation frame after it (the first frame paints it).
`server` is how long the equation was on its way of that, 0 where it was asked while the pointer
still rested on the unit; frames come 16.7 ms apart.
Every place is a new one, so that nothing was answered before.
"""

import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import seethrough as see
from seethrough.model.presets import preset
from seethrough.runs.record import train
from seethrough.serve.server import running_server
from seethrough.train.recipe import DEMO, Recipe

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ROUNDS = 20
LAYERS = ("conv2", "conv4", "norm3", "pool1", "conv5")  # clicked in turn
MAP = ("conv2", 16)  # the layer whose cells are clicked, and its cells along one axis

# Resolves to [milliseconds, milliseconds of the equation's fetch] once `done` says so.
CLOCK = """
window.clock = (events, done) => new Promise((resolve) => {
  const begin = (event) => {
    for (const name of events) removeEventListener(name, begin, true);
    const start = event.timeStamp;
    const look = () => {
      if (!done()) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => {
        const fetched = performance.getEntriesByType('resource')
          .filter((one) => one.startTime >= start && one.name.includes('/equation'));
        const last = fetched.at(-1);
        resolve([performance.now() - start, last ? last.duration : 0]);
      }));
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, {
      subtree: true, childList: true, characterData: true, attributes: true
    });
    look();
  };
  for (const name of events) addEventListener(name, begin, true);
});
window.says = (text) =>
  [...document.querySelectorAll('[aria-live=polite]')].some(
    (one) => one.textContent.startsWith(text));
"""

SETTLED = """() => new Promise((done) => requestIdleCallback(() =>
  requestAnimationFrame(() => requestIdleCallback(done))))"""


def start_clock(page: Page, events: list[str], done: str) -> None:
    """The clock runs from the next of these events until `done` holds."""
    page.evaluate(f"window.measured = window.clock({events}, () => {done}); null")


def read_clock(page: Page) -> tuple[float, float]:
    """Milliseconds in all, and of the fetch among them."""
    total, fetch = page.evaluate("window.measured")
    return float(total), float(fetch)


def click_units(page: Page, rounds: int) -> list[tuple[float, float]]:
    """Each click on a unit that was not looked at before."""
    times = []
    for index in range(rounds):
        layer, unit = LAYERS[index % len(LAYERS)], 2 + index // len(LAYERS)
        button = page.get_by_role("button", name=f"{layer}, unit {unit}", exact=True)
        button.hover()  # as a hand does; what that takes is measured below
        page.evaluate(SETTLED)
        start_clock(page, ["click"], f"says('{layer}, unit {unit},')")
        page.mouse.down()
        page.mouse.up()
        times.append(read_clock(page))
    return times


def tap_units(page: Page, rounds: int) -> list[tuple[float, float]]:
    """Each press on a unit that the pointer reaches in the same moment."""
    times = []
    for index in range(rounds):
        layer, unit = LAYERS[index % len(LAYERS)], 12 + index // len(LAYERS)
        box = page.get_by_role("button", name=f"{layer}, unit {unit}", exact=True).bounding_box()
        assert box is not None
        page.evaluate(SETTLED)
        start_clock(page, ["pointerover"], f"says('{layer}, unit {unit},')")
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        times.append(read_clock(page))
    return times


def click_cells(page: Page, rounds: int) -> list[tuple[float, float]]:
    """Each click on a cell; the pointer jumps there, so that its move is a part of the click."""
    layer, side = MAP
    page.get_by_role("button", name=f"{layer}, unit 0", exact=True).click()
    page.wait_for_function("(text) => says(text)", arg=f"{layer}, unit 0,")
    activation_map = page.get_by_role("application", name="activation map of")
    activation_map.scroll_into_view_if_needed()
    box = activation_map.bounding_box()
    assert box is not None
    times = []
    for index in range(rounds):
        row, column = (index * 5 + 1) % side, (index * 7 + 2) % side
        start_clock(
            page,
            ["pointermove", "pointerdown"],
            f"says('{layer}, unit 0, row {row}, column {column}:')",
        )
        page.mouse.click(
            box["x"] + (column + 0.5) * box["width"] / side,
            box["y"] + (row + 0.5) * box["height"] / side,
        )
        times.append(read_clock(page))
    return times


def press_keys(page: Page, rounds: int) -> list[tuple[float, float]]:
    """Arrow keys along two rows of another unit."""
    layer, side = MAP
    page.get_by_role("button", name=f"{layer}, unit 1", exact=True).click()
    page.wait_for_function("(text) => says(text)", arg=f"{layer}, unit 1,")
    page.get_by_role("application", name="activation map of").focus()
    for _ in range(side):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("(text) => says(text)", arg=f"{layer}, unit 1, row 0, column 0:")
    times = []
    for index in range(1, rounds + 1):
        row, step = divmod(index, side)
        column = step if row % 2 == 0 else side - 1 - step
        start_clock(page, ["keydown"], f"says('{layer}, unit 1, row {row}, column {column}:')")
        turns = step == 0
        page.keyboard.press("ArrowDown" if turns else "ArrowLeft" if row % 2 else "ArrowRight")
        times.append(read_clock(page))
    return times


def hover_units(page: Page, rounds: int) -> list[tuple[float, float]]:
    """The pointer on one unit after another."""
    times = []
    for index in range(rounds):
        layer, unit = LAYERS[index % len(LAYERS)], 8 + index // len(LAYERS)
        start_clock(
            page,
            ["pointerover"],
            f"document.querySelector('.tag')?.textContent.startsWith('{layer} · {unit}')",
        )
        page.get_by_role("button", name=f"{layer}, unit {unit}", exact=True).hover()
        times.append(read_clock(page))
    return times


def figures(times: list[tuple[float, float]]) -> dict[str, float]:
    """Median and 95th percentile, and the median of the fetch."""
    totals = sorted(total for total, _ in times)
    return {
        "median_ms": round(statistics.median(totals), 1),
        "p95_ms": round(statistics.quantiles(totals, n=20, method="inclusive")[-1], 1),
        "server_ms": round(statistics.median(fetch for _, fetch in times), 1),
    }


def run(*, rounds: int = ROUNDS) -> dict[str, Any]:
    """Each movement's figures; the network is trained for an epoch, which changes no shape."""
    browser_path = os.environ.get("SEETHROUGH_CHROMIUM") or next(
        filter(None, map(shutil.which, BROWSERS)), None
    )
    with tempfile.TemporaryDirectory() as folder:
        photos = see.load("everyday", image_px=32)
        recipe = Recipe.from_dict({**DEMO.to_dict(), "epochs": 1})
        made = train(photos, network=preset("demo"), recipe=recipe, runs_dir=Path(folder))
        with running_server(Path(folder)) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.add_init_script(CLOCK)
            page.goto(address.link(f"/look/{made.id}"))
            page.get_by_role("button", name="conv2, unit 0", exact=True).wait_for()
            page.wait_for_load_state("networkidle")
            click_units(page, 3)  # what happens once: fonts, the first trace, compiled code
            page.reload()
            page.get_by_role("button", name="conv2, unit 0", exact=True).wait_for()
            page.wait_for_load_state("networkidle")
            found = {
                "unit": figures(click_units(page, rounds)),
                "tap": figures(tap_units(page, rounds)),
                "cell": figures(click_cells(page, rounds)),
                "move": figures(press_keys(page, rounds)),
                "hover": figures(hover_units(page, rounds)),
            }
            browser.close()
    return found
