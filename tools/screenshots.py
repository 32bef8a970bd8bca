"""Photograph the real studio for the documentation: `make screenshots`.

    python tools/screenshots.py                     train the demo, then photograph everything
    python tools/screenshots.py --run ID            photograph that finished run
    python tools/screenshots.py --only look report  only these pictures

Into docs/images/, each as NAME-WIDTH-THEME.png, at 1440 and 390 px, on light and dark paper:

    train-live     a run that learns at this moment
    train          the same view of a finished run
    look-overview  one photo's way through the whole network, and what one unit reads
    look-unit      a unit taken apart, channel by channel
    look           one cell, every factor: the picture in the README
    report         how good the network is, and its mistakes

All but the README's are reduced to 256 colours. All of docs/images, with the closeups and the film,
stays under 7 MB, or this ends with 1.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from check import find_chromium
from seethrough.data.load import load
from seethrough.model.presets import preset
from seethrough.runs.creation import create
from seethrough.runs.folder import Run, default_runs_dir, open_run
from seethrough.runs.launch import launch, stop
from seethrough.serve.server import Address, running_server
from seethrough.train.recipe import DEMO

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZES = {1440: 900, 390: 844}
THEMES = ("light", "dark")
MOST_BYTES = 7_000_000  # all of docs/images: with each clone of the repository they come along
UNDER_SHEETS = {
    "look",
    "look-unit",
    "backwards",
    "step",
    "tour",
}  # on phones, as much as is in sight
LIVE_FROM_EPOCH = 5  # the curves have something to show
PATIENCE_MS = 600_000  # until a training on a busy machine is that far
Shoot = Callable[[Page, Address, str], None]
expect.set_options(timeout=60_000)  # ms: a server that has just begun loads torch first


def names() -> dict[str, Shoot]:
    """What leads a page to each picture."""
    return {
        "train": train,
        "look-overview": overview,
        "look-unit": unit,
        "look": equation,
        "backwards": backwards,
        "step": step,
        "tour": tour,
        "report": report,
    }


# ---------------------------------------------------------------- the ways to the pictures


def live(page: Page, address: Address, run: str) -> None:
    """Training, some epochs old."""
    page.goto(address.link(f"/train/{run}"))
    state = page.get_by_role("progressbar", name="Training done")
    page.wait_for_function(
        "([bar, share]) => Number(bar.getAttribute('aria-valuenow')) >= share",
        arg=[state.element_handle(), round(100 * LIVE_FROM_EPOCH / DEMO.epochs)],
        timeout=PATIENCE_MS,
    )


def train(page: Page, address: Address, run: str) -> None:
    """Training that is over."""
    page.goto(address.link(f"/train/{run}"))
    expect(page.get_by_role("link", name="Look inside")).to_be_visible()


def overview(page: Page, address: Address, run: str) -> None:
    """The network, and the curves into one unit that is pointed at."""
    _look(page, address, run)
    if page.viewport_size and page.viewport_size["width"] > 720:
        page.get_by_role("button", name="conv3, unit 6", exact=True).hover()


def unit(page: Page, address: Address, run: str) -> None:
    """A unit of the second convolution, its sixteen channels below."""
    _look(page, address, run, "/conv3/6/7,8")
    expect(page.get_by_role("region", name="Channel by channel")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the partial maps


def equation(page: Page, address: Address, run: str) -> None:
    """A cell that is the sum of 144 products."""
    _look(page, address, run, f"/conv4/{_chosen[run][1]}")


def backwards(page: Page, address: Address, run: str) -> None:
    """The way back through a convolution, at the same cell."""
    _look(page, address, run, f"/relu4/{_chosen[run][1]}?mode=backwards")


def step(page: Page, address: Address, run: str) -> None:
    """One small step: what it changes, and one weight's update."""
    _look(page, address, run, "?mode=step&rate=0.002&maps=difference")
    expect(page.get_by_role("region", name="The update")).to_be_visible()


def tour(page: Page, address: Address, run: str) -> None:
    """The card about kernels, and the unit that it points at."""
    _look(page, address, run, "?tour=kernel")
    expect(page.locator(".outline")).to_be_visible()
    expect(page.get_by_test_id("task")).to_contain_text("conv1")


def report(page: Page, address: Address, run: str) -> None:
    """The report with its worst cell opened."""
    page.goto(address.link(f"/report/{run}"))
    expect(page.get_by_role("heading", name="What it takes for what")).to_be_visible()


def _look(page: Page, address: Address, run: str, place: str = "") -> None:
    page.goto(address.link(f"/look/{run}/t{_chosen[run][0]}{place}"))
    bars = page.get_by_role("region", name="The network, layer by layer").locator(".bars button")
    expect(bars.first).to_be_visible()
    if place.startswith("/"):
        expect(page.get_by_role("region", name="The sum")).to_be_visible()


# Chosen once a run, before any page is opened: the photo, and a place of conv4 (unit/row,column).
_chosen: dict[str, tuple[int, str]] = {}


def chosen(run: str) -> tuple[int, str]:
    """What was chosen for a run: the photo, and a place of conv4 (unit/row,column)."""
    return _chosen[run]


def choose(run: Run) -> None:
    """A colourful test photo that is named right but not for certain, and an active cell inside."""
    said, images = run.predictions, run.dataset().images
    best = said.probabilities.max(axis=1)
    is_right = said.probabilities.argmax(axis=1) == said.labels
    candidates = said.index[is_right & (best > 0.85) & (best < 0.97)]
    photo = int(max(candidates, key=lambda index: float(np.ptp(images[index], axis=2).std())))
    maps = run.classifier.trace(images[photo]).layer("relu4").output
    inside = maps[:, 2:-2, 2:-2]
    unit, row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    _chosen[run.id] = (photo, f"{unit}/{row + 2},{column + 2}")


# ---------------------------------------------------------------- taking them


@contextmanager
def demo(runs_dir: Path) -> Iterator[Run]:
    """The demo's training in a process of its own; ended with the `with`."""
    run = create(load("everyday", image_px=32), preset("demo"), DEMO, runs_dir=runs_dir)
    launch(run)
    try:
        yield run
    finally:
        if run.summary.state in {"waiting", "training"}:
            stop(run)


def wait_until_finished(browser: Browser, address: Address, run: str) -> None:
    """Watch the page until it offers the report."""
    page = browser.new_page()
    page.goto(address.link(f"/train/{run}"))
    expect(page.locator("b.finished")).to_be_visible(timeout=PATIENCE_MS)
    page.close()


def ask_for_run(parser: argparse.ArgumentParser) -> None:
    """The options that name a finished run."""
    parser.add_argument("--run", help="a finished run; without it, the demo is trained")
    parser.add_argument("--runs-dir", type=Path, help="where that run is")


def finished_run(browser: Browser, given: argparse.Namespace, folder: Path) -> Run:
    """The run that was asked for, or the demo's, trained in `folder`."""
    if given.run:
        return open_run(given.run, given.runs_dir or default_runs_dir())
    runs_dir = folder / "runs"
    with demo(runs_dir) as run, running_server(runs_dir) as address:
        wait_until_finished(browser, address, run.id)
    return run


def take(browser: Browser, address: Address, run: str, name: str, shoot: Shoot) -> None:
    """One picture in every size and theme."""
    for width, height in SIZES.items():
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                device_scale_factor=2 if width < 720 else 1,
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            shoot(page, address, run)
            page.wait_for_load_state("load" if name == "train-live" else "networkidle")
            page.evaluate("document.fonts.ready.then(() => null)")
            # the room for a scrollbar, which no picture shows
            page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")
            # and the header at the top, where a page that is scrolled leaves it
            page.evaluate("document.querySelector('header').style.position = 'static'")
            is_whole = width > 720 or name not in UNDER_SHEETS
            content = page.screenshot(full_page=is_whole, animations="disabled")
            save(content, IMAGES / f"{name}-{width}-{theme}.png")
            context.close()
            print(f"{name}-{width}-{theme}.png", flush=True)


def save(content: bytes, path: Path) -> None:
    """The README's picture as it is; the others in 256 colours that keep the rare ones apart."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    if not path.name.startswith("look-1440"):
        picture = picture.quantize(
            256, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)


def main() -> None:
    """All pictures, or those that were asked for."""
    parser = argparse.ArgumentParser(description="Photograph the real studio.")
    ask_for_run(parser)
    parser.add_argument("--only", nargs="+", choices=["train-live", *names()])
    given = parser.parse_args()
    wanted: list[str] = given.only or ["train-live", *names()]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        run = open_run(given.run, given.runs_dir or default_runs_dir()) if given.run else None
        if run is None or "train-live" in wanted:
            runs_dir = Path(folder) / "runs"
            with demo(runs_dir) as learning, running_server(runs_dir) as address:
                if "train-live" in wanted:
                    take(browser, address, learning.id, "train-live", live)
                if run is None:
                    wait_until_finished(browser, address, learning.id)
                    take_finished(browser, learning, wanted)
        if run is not None:
            take_finished(browser, run, wanted)
        browser.close()
    sys.exit(is_too_much())


def is_too_much() -> bool:
    """Whether the pictures of the documentation are larger than they may be."""
    total = sum(path.stat().st_size for path in IMAGES.rglob("*") if path.is_file())
    print(f"{total / 1e6:.1f} MB in {IMAGES}")
    return total > MOST_BYTES


def take_finished(browser: Browser, run: Run, wanted: list[str]) -> None:
    """The pictures of a finished run."""
    choose(run)
    with running_server(run.folder.parent) as address:
        for name, shoot in names().items():
            if name in wanted:
                take(browser, address, run.id, name, shoot)


if __name__ == "__main__":
    main()
