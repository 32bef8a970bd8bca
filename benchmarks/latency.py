"""Milliseconds from a hand's movement to the drawn answer, in Chromium against the real server.

    unit    click on a unit in the network        → its bench stands there
    tap     the same by a finger, which did not rest there before
    cell    click on a cell of its map            → that cell's equation stands there
    move    an arrow key on the map               → the next cell's equation stands there
    hover   the pointer reaches another unit      → its curves and its range stand there
    edit    a weight of a kernel is changed       → its probabilities and maps stand there (Try)
    slide   the slider over the training moves    → that moment's frame stands there (Time)

and for a large network, ResNet-18 at 64 px, `unit` and `edit` again.

An edit has ended when the new probabilities and every row of maps in sight are those of that edit;
rows out of sight follow afterwards, and are blank until they do. For the large network the window
is so high that its first rows are in sight below the kernel.
Measured inside the page with its own clock: from the event that the click makes, to the DOM that
shows the answer, to the end of the second animation frame after it (the first frame paints it).
`server` is how long the answer was on its way of that, 0 where it was asked while the pointer
still rested on the unit; frames come 16.7 ms apart.
Every place is a new one, so that nothing was answered before.
"""

import json
import os
import shutil
import statistics
import tempfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

import seethrough as see
from seethrough.data.builtin import builtin_path
from seethrough.model.presets import preset
from seethrough.runs.record import train
from seethrough.serve.server import Address, running_server
from seethrough.train.recipe import DEMO, Recipe

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = os.environ.get("SEETHROUGH_CHROMIUM") or next(
    filter(None, map(shutil.which, BROWSERS)), None
)
PHOTOS = {"train": 20, "test": 4}  # of each class, for the large network
ROUNDS = 20
HIGH: ViewportSize = {"width": 1440, "height": 2400}  # the kernel and maps, in sight together
LAYERS = ("conv2", "conv4", "norm3", "pool1", "conv5")  # clicked in turn
MAP = ("conv2", 16)  # the layer whose cells are clicked, and its cells along one axis

# Resolves to [milliseconds, milliseconds of the answer's fetch] once `done` says so.
CLOCK = """
performance.setResourceTimingBufferSize(100000);
window.clock = (events, done) => new Promise((resolve) => {
  const begin = (event) => {
    for (const name of events) removeEventListener(name, begin, true);
    const start = event.timeStamp;
    const look = () => {
      if (!done()) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => {
        const asked = ['/equation', '/what-if/whole'];
        const fetched = performance.getEntriesByType('resource').filter((one) =>
          one.startTime >= start && asked.some((part) => one.name.includes(part)));
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

# Whether the newest edit is drawn wherever it is in sight; and which edit that is.
EDIT = "document.querySelector('section[data-change]').dataset.change"
EDITED = f"""{EDIT} !== BEFORE && [...document.querySelectorAll('.layer')].every((row) => {{
  const {{ top, bottom }} = row.getBoundingClientRect();
  return bottom < 0 || top > innerHeight || row.dataset.change === {EDIT};
}})"""
PATIENCE_MS = 20_000
PATIENT = """(ms) => Promise.race([window.measured, new Promise((_, reject) =>
  setTimeout(() => reject(new Error(
    `no answer in ${ms} ms at ${location.pathname}, focus on ${document.activeElement?.outerHTML}`
  )), ms))])"""
# One unit of every layer that is drawn by maps: what its button is called.
UNITS = """(slot) => [...document.querySelectorAll('.network .column')].flatMap((one) => {
  const units = one.querySelectorAll('button[data-unit]');
  return units.length > slot ? [units[slot].getAttribute('aria-label')] : [];
})"""

SETTLED = """() => new Promise((done) => requestIdleCallback(() =>
  requestAnimationFrame(() => requestIdleCallback(done))))"""


def start_clock(page: Page, events: list[str], done: str) -> None:
    """The clock runs from the next of these events until `done` holds."""
    page.evaluate(f"window.measured = window.clock({events}, () => {done}); null")


def read_clock(page: Page) -> tuple[float, float]:
    """Milliseconds in all, and of the fetch among them; no answer at all is an error."""
    total, fetch = page.evaluate(PATIENT, PATIENCE_MS)
    return float(total), float(fetch)


def click_units(
    page: Page, rounds: int, names: Sequence[str] | None = None
) -> list[tuple[float, float]]:
    """Each click on a unit that was not looked at before; of some layers, or of these names."""
    times = []
    for index in range(rounds):
        name = f"{LAYERS[index % len(LAYERS)]}, unit {2 + index // len(LAYERS)}"
        if names is not None:
            name = names[index % len(names)]
        button = page.get_by_role("button", name=name, exact=True)
        button.hover()  # as a hand does; what that takes is measured below
        page.evaluate(SETTLED)
        start_clock(page, ["click"], f"says('{name},')")
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


def edit_weights(page: Page, rounds: int) -> list[tuple[float, float]]:
    """Each press of an arrow key on the first number of the first kernel, which adds 0.1."""
    number = page.locator("input[inputmode=decimal]").first
    number.wait_for()
    page.locator("section[data-change]").wait_for()
    number.focus()
    times = []
    for _ in range(rounds):
        page.evaluate(SETTLED)
        before = json.dumps(page.evaluate(EDIT))
        start_clock(page, ["keydown"], EDITED.replace("BEFORE", before))
        page.keyboard.press("ArrowUp")
        times.append(read_clock(page))
    return times


def slide(page: Page, rounds: int) -> list[tuple[float, float]]:
    """Each press of an arrow key on the slider over the moments of the training, there and back."""
    slider = page.get_by_role("slider", name="Moment of the training")
    slider.wait_for()
    page.evaluate(SETTLED)
    slider.focus()
    times, key = [], "ArrowLeft"
    for _ in range(rounds):
        if slider.input_value() == "0":
            key = "ArrowRight"
        elif slider.input_value() == slider.get_attribute("max"):
            key = "ArrowLeft"
        before = slider.get_attribute("aria-valuetext")
        done = "document.querySelector('input[type=range]').ariaValueText !== " + json.dumps(before)
        start_clock(page, ["keydown"], done)
        page.keyboard.press(key)
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
    """Each movement's figures; the networks are trained for an epoch, which changes no shape."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        photos = see.load("everyday", image_px=32)
        recipe = Recipe.from_dict({**DEMO.to_dict(), "epochs": 1})
        small = train(photos, network=preset("demo"), recipe=recipe, runs_dir=runs)
        few = see.load(some_photos(Path(folder) / "photos"), image_px=64)
        deep = train(
            few,
            network=preset("resnet-18", image_px=64),
            recipe=Recipe(epochs=1, batch=40),
            runs_dir=runs,
        )
        with running_server(runs) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.add_init_script(CLOCK)
            page.goto(address.link(f"/look/{small.id}"))
            found = {**of_small(page, address, small.id, rounds)}
            found["resnet-18"] = of_deep(page, address, deep.id, rounds)
            browser.close()
    return found


def some_photos(folder: Path) -> Path:
    """Twenty built-in photos of each class as files, four of them for testing."""
    taken: Counter[str] = Counter()
    with zipfile.ZipFile(builtin_path("everyday")) as archive:
        for name in sorted(archive.namelist()):
            place = str(PurePosixPath(name).parent)
            taken[place] += 1
            if name.startswith(("train/", "test/")) and taken[place] <= PHOTOS[name.split("/")[0]]:
                archive.extract(name, folder)
    return folder


def of_small(page: Page, address: Address, run: str, rounds: int) -> dict[str, Any]:
    """The demo's network."""
    for _ in range(2):  # what happens once: fonts, the first trace, compiled code
        page.get_by_role("button", name="conv2, unit 0", exact=True).wait_for()
        page.wait_for_load_state("networkidle")
        click_units(page, 3)
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
    photo = page.url.split("/")[5]
    page.goto(f"{address.url}/try/{run}/{photo}")
    edit_weights(page, 3)
    found["edit"] = figures(edit_weights(page, rounds))
    page.goto(f"{address.url}/time/{run}/{photo}")
    slide(page, 3)
    found["slide"] = figures(slide(page, rounds))
    return found


def of_deep(page: Page, address: Address, run: str, rounds: int) -> dict[str, Any]:
    """Every block open, so that all kinds of layers are clicked."""
    page.goto(f"{address.url}/look/{run}?open=all")
    page.locator(".network .column").first.wait_for()
    page.wait_for_load_state("networkidle")
    click_units(page, 3, page.evaluate(UNITS, 0)[1:])
    found = {"unit": figures(click_units(page, rounds, page.evaluate(UNITS, 3)[1:]))}
    page.set_viewport_size(HIGH)
    page.goto(f"{address.url}/try/{run}/{page.url.split('/')[5]}")
    edit_weights(page, 3)
    found["edit"] = figures(edit_weights(page, rounds))
    return found
