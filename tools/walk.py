"""Film a walk through the real studio, from a photo to a gradient to an update: `make walk`.

    python tools/walk.py            train the demo, then film
    python tools/walk.py --run ID   film that finished run

Into docs/images/: walk.webm, and walk.webp, one of its pictures. A hand moves through the page and
does what a reader would do; after each small movement a picture is taken. What the film shows is
the page as it was, but its pace is that of this script: waiting for an answer is left out.
Ends with 1 where the film is longer than a minute or larger than 3 MB.
"""

import argparse
import base64
import io
import math
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect, sync_playwright

from check import find_chromium
from film import Film
from screenshots import IMAGES, ask_for_run, finished_run
from seethrough.runs.folder import Run
from seethrough.serve.server import Address, running_server

WIDTH, HEIGHT = 1440, 900
HEADER_PX, CAPTION_PX = 52, 56
FRAME_S = 1 / 10
MOST_SECONDS = 60
MOST_BYTES = 3_000_000
RATE = 0.01  # the recipe's is for batches, and leaps too far with one photo
STEPS = 6

# The hand and the caption, in the colours of the page.
DRESS = """(height) => {
  const hand = document.createElement('div');
  hand.style.cssText = 'position:fixed;z-index:99;width:20px;height:20px;margin:-10px;left:50%;' +
    'top:60%;border-radius:50%;border:2px solid var(--sheet);background:var(--accent);' +
    'box-shadow:0 0 0 1px var(--accent);opacity:.8;pointer-events:none;transition:scale 80ms';
  const caption = document.createElement('div');
  caption.id = 'caption';
  caption.style.cssText = `position:fixed;z-index:98;inset:auto 0 0 0;height:${height}px;` +
    'box-sizing:border-box;padding:0 24px;display:flex;gap:20px;align-items:center;' +
    'border-top:1px solid var(--line);background:var(--accent);color:var(--on-accent);' +
    'font:500 17px var(--sans)';
  document.body.append(caption, hand);
  document.body.style.paddingBottom = `${height}px`;
  document.documentElement.style.scrollbarGutter = 'auto';  // no scrollbar is shown
  addEventListener('pointermove', (event) => {
    hand.style.left = event.clientX + 'px'; hand.style.top = event.clientY + 'px';
  }, true);
  addEventListener('pointerdown', () => { hand.style.scale = .6; }, true);
  addEventListener('pointerup', () => { hand.style.scale = 1; }, true);
}"""
CAPTION = """([count, words]) => {
  const caption = document.getElementById('caption');
  const [left, right] = [document.createElement('span'), document.createElement('span')];
  [left.textContent, right.textContent] = [count, words];
  left.style.cssText = 'font:400 15px var(--mono);opacity:.8';
  caption.replaceChildren(left, right);
}"""


@dataclass
class Walk:
    """A hand in a page, and the film of what it does."""

    page: Page
    browser: CDPSession  # the page's, for pictures without Playwright's waiting for fonts
    film: Film
    x: float = WIDTH / 2
    y: float = HEIGHT * 0.6
    step: int = 0

    def say(self, words: str, *, is_next: bool = True) -> None:
        """The line below the page, until the next one."""
        self.step += is_next
        self.page.evaluate(CAPTION, [f"{self.step}/{STEPS}", words])

    def picture(self, seconds: float = FRAME_S) -> None:
        """The page as it is now."""
        said = self.browser.send("Page.captureScreenshot", {"format": "jpeg", "quality": 95})
        self.film.add(base64.b64decode(said["data"]), seconds)

    def rest(self, seconds: float) -> None:
        """Time to read."""
        count = max(1, round(seconds / 0.4))
        for _ in range(count):
            self.picture(seconds / count)

    def move(self, x: float, y: float, seconds: float = 0.8) -> None:
        """The hand, slower where it begins and where it ends."""
        start, count = (self.x, self.y), round(seconds / FRAME_S)
        for share in (3 * (i / count) ** 2 - 2 * (i / count) ** 3 for i in range(1, count + 1)):
            self.x, self.y = start[0] + share * (x - start[0]), start[1] + share * (y - start[1])
            self.page.mouse.move(self.x, self.y)
            self.picture()

    def to(
        self, place: Locator, across: float = 0.5, down: float = 0.5, *, in_s: float = 0.8
    ) -> None:
        """The hand on a place, which is brought into sight."""
        expect(place).to_be_visible()
        box = _box(place)
        if not HEADER_PX <= box["y"] <= HEIGHT - CAPTION_PX - min(box["height"], HEIGHT / 2):
            self.scroll(place, 200)
            box = _box(place)
        self.move(box["x"] + across * box["width"], box["y"] + down * box["height"], in_s)

    def press(self, place: Locator) -> None:
        """Go there and click."""
        self.to(place)
        self.click()

    def click(self) -> None:
        """Where the hand is."""
        self.page.mouse.down()
        self.picture()
        self.page.mouse.up()
        self.picture()

    def scroll(self, place: Locator, top_px: float) -> None:
        """The page, until a place stands that far below the window's upper edge."""
        by = _box(place)["y"] - top_px
        start, count = (
            float(self.page.evaluate("scrollY")),
            max(1, round(min(0.9, abs(by) / 300) / FRAME_S)),
        )
        for share in (3 * (i / count) ** 2 - 2 * (i / count) ** 3 for i in range(1, count + 1)):
            self.page.evaluate(
                "(top) => scrollTo({ top, behavior: 'instant' })", start + share * by
            )
            self.picture()


def _box(place: Locator) -> dict[str, float]:
    box = place.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


# ---------------------------------------------------------------- where it goes


@dataclass(frozen=True)
class Place:
    """What the walk looks at: a convolution in the middle, its most active unit, cells of it."""

    photo: str
    layer: str
    unit: int
    cells: tuple[tuple[float, float], ...]  # across and down, 0..1


def place_of(run: Run, offered: list[str]) -> Place:
    """The offered photo that it is least sure of, and where its middle convolution answers most.

    `offered` are ids of test photos, t0, t1, …
    """
    said = run.predictions
    sure = dict(
        zip(said.index, said.probabilities[range(len(said.labels)), said.labels], strict=True)
    )
    photo = min(offered, key=lambda name: abs(float(sure[int(name[1:])]) - 0.5))
    trace = run.classifier.trace(run.dataset().images[int(photo[1:])])
    convolutions = [layer for layer in trace.layers if layer.kind == "conv"]
    layer = convolutions[len(convolutions) // 2]
    maps = layer.output
    inside = maps[:, 1:-1, 1:-1]
    unit = int(inside.reshape(len(inside), -1).max(axis=1).argmax())
    height, width = maps.shape[1:]
    best = np.argsort(inside[unit], axis=None)[::-1][:1]
    row, column = np.unravel_index(int(best[0]), inside[unit].shape)
    end = ((column + 1.5) / width, (row + 1.5) / height)
    return Place(photo, layer.name, unit, ((0.1, 0.2), (0.9, 0.35), end))


# ---------------------------------------------------------------- the walk


def photo(walk: Walk, place: Place) -> None:
    """A photo from the row, and a few units."""
    page = walk.page
    walk.say("Your test photos, and a network that has just been trained on this machine.")
    walk.rest(2.4)
    walk.press(page.locator(f"[data-part=strip] a[href$='/{place.photo}']"))
    expect(page).to_have_url(re.compile(rf"/{place.photo}\b"))
    walk.say(
        "One photo goes through it, left to right. Each tile is what one unit finds.", is_next=False
    )
    walk.rest(1.6)
    walk.to(unit(page, place.layer, 0))
    walk.to(unit(page, place.layer, place.unit))
    walk.rest(0.8)


def equation(walk: Walk, place: Place) -> None:
    """A unit, and one cell of it with every factor."""
    page = walk.page
    walk.press(unit(page, place.layer, place.unit))
    walk.say("A unit, taken apart: window × kernel, added up for every cell of its map.")
    expect(page.get_by_role("region", name="The sum")).to_be_visible()
    walk.rest(0.6)
    bench = page.locator("[data-bench]").first
    walk.scroll(bench, HEADER_PX + 160)
    cells = page.get_by_role("application", name="activation map of")
    for cell in place.cells:
        walk.to(cells, *cell, in_s=1.3)
    walk.click()  # holds the cell while the hand moves on
    walk.rest(0.8)
    walk.say(
        "What is shown adds up to its last digit, and was recomputed independently.", is_next=False
    )
    walk.to(page.get_by_role("region", name="The sum"), 0.92, 0.9, in_s=1.2)
    walk.rest(2)


def backwards(walk: Walk, place: Place) -> None:
    """The gradient map of the same unit, and the gradient of one of its weights."""
    page = walk.page
    walk.scroll(page.locator("[data-part=strip]"), HEADER_PX + 12)
    walk.press(page.get_by_text("Backwards", exact=True))
    walk.say(
        "Backwards: how much the loss would grow if a number grew. Every map has a gradient map."
    )
    expect(page.get_by_role("group", name="The loss")).to_contain_text("log(")
    expect(page.get_by_role("region", name="Weights")).to_be_visible()
    walk.rest(2.6)
    walk.scroll(page.locator("[data-bench=back]"), HEADER_PX + 60)
    walk.rest(1)
    weights = page.get_by_role("region", name="Weights")
    walk.say("A weight’s gradient: what it met × the gradient there, in every place, added up.")
    walk.press(weights.locator("button[data-at]").nth(4))
    taken = page.locator("[data-bench=weight]")
    expect(taken).to_be_visible()
    walk.scroll(taken, HEIGHT - CAPTION_PX - _box(taken)["height"] - 24)
    walk.to(taken.get_by_role("region", name="The sum"), 0.92, 0.9, in_s=1.2)
    walk.rest(2)


def update(walk: Walk) -> None:
    """One step of learning on this photo: the weight's new value, and what it changes."""
    page = walk.page
    walk.scroll(page.locator("[data-part=strip]"), HEADER_PX + 12)
    walk.press(page.get_by_text("One step", exact=True))
    walk.say("One step of learning: every weight moves a little against its gradient.")
    table = page.get_by_role("region", name="The update")
    expect(table).to_be_visible()
    walk.rest(1)
    pull(walk, page.get_by_role("slider", name="Learning rate"), RATE)
    walk.rest(1.2)
    walk.press(page.get_by_role("group", name="Maps").get_by_text("difference", exact=True))
    walk.rest(1.6)
    walk.scroll(page.locator("[data-bench=step]"), HEADER_PX + 60)
    walk.say(
        "The weight, its gradient, the optimizer’s terms, the new weight; maps before and after.",
        is_next=False,
    )
    walk.to(table, 0.93, 0.3)
    walk.to(table, 0.93, 0.86, in_s=1.6)
    walk.rest(1.6)


def time(walk: Walk) -> None:
    """The same photo and network, from random weights to the end."""
    page = walk.page
    walk.scroll(page.locator("[data-part=strip]"), HEADER_PX + 12)
    walk.press(page.locator("header [data-view=time]"))
    walk.say("Through time: the same network from random weights to the end of its training.")
    walk.picture()
    expect(page.get_by_role("heading", name="When it learned which photo")).to_be_visible()
    walk.rest(1)
    slider = page.get_by_role("slider", name="Moment of the training")
    drag(walk, slider, 1, 0, 1.6)
    walk.rest(0.6)
    drag(walk, slider, 0, 1, 6)
    walk.rest(2)


def unit(page: Page, layer: str, number: int) -> Locator:
    """A tile in the network."""
    return page.get_by_role("button", name=f"{layer}, unit {number}", exact=True)


def pull(walk: Walk, slider: Locator, rate: float) -> None:
    """The learning rate, which stands by powers of ten on its slider."""
    low, high, now = (
        float(slider.evaluate(f"(it) => it.{name}")) for name in ("min", "max", "value")
    )
    share = [(value - low) / (high - low) for value in (now, math.log10(rate))]
    drag(walk, slider, share[0], share[1], 1.6)


def drag(walk: Walk, slider: Locator, start: float, end: float, seconds: float) -> None:
    """A slider's thumb, from one share of its way to another."""
    box, thumb = _box(slider), 16  # px: its middle stays half of it within the ends
    left, way = box["x"] + thumb / 2, box["width"] - thumb
    down = box["y"] + box["height"] / 2
    walk.move(left + start * way, down)
    walk.page.mouse.down()
    walk.move(left + end * way, down, seconds)
    walk.page.mouse.up()


def film(browser: Browser, address: Address, run: Run, path: Path) -> float:
    """The whole walk into a file; how long it is, in seconds."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page = context.new_page()
    page.goto(address.link(f"/look/{run.id}"))
    row = page.locator("[data-part=strip] .photos a")
    expect(page.locator(".bars button").first).to_be_visible()
    page.wait_for_load_state("networkidle")  # all photos of the row
    offered = [
        str(link.get_attribute("href")).split("?")[0].rsplit("/", 1)[1] for link in row.all()[1:12]
    ]
    place = place_of(run, offered)
    page.evaluate(DRESS, CAPTION_PX)
    with Film(path, width_px=WIDTH, height_px=HEIGHT) as made:
        walk = Walk(page, context.new_cdp_session(page), made)
        photo(walk, place)
        equation(walk, place)
        poster(page)
        backwards(walk, place)
        update(walk)
        time(walk)
    context.close()
    return made.seconds


def poster(page: Page) -> None:
    """The page at this moment, as the picture that stands for the film."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(IMAGES / "walk.webp", quality=82, method=6)


def main() -> None:
    """Train or open, film, write."""
    parser = argparse.ArgumentParser(description="Film a walk through the real studio.")
    ask_for_run(parser)
    given = parser.parse_args()
    path = IMAGES / "walk.webm"
    expect.set_options(timeout=120_000)  # ms: a server that has just begun loads torch first
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        run = finished_run(browser, given, Path(folder))
        with running_server(run.folder.parent) as address:
            seconds = film(browser, address, run, path)
        browser.close()
    size = path.stat().st_size
    print(f"{path}: {seconds:.0f} s, {size / 1e6:.1f} MB")
    sys.exit(seconds > MOST_SECONDS or size > MOST_BYTES)


if __name__ == "__main__":
    main()
