"""Film a walk through the real studio, from a photo to a gradient to an update: `make walk`.

    python tools/walk.py            train the demo, then film
    python tools/walk.py --run ID   film that finished run

Into docs/images/walk.webm. The browser sends its pictures while a hand moves through the page; a
second page of the same browser plays them again at their times and records that as WebM, so no
other program is needed.
"""

import argparse
import base64
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from check import find_chromium
from screenshots import IMAGES, choose, chosen, demo, wait_until_finished
from seethrough.runs.folder import Run, default_runs_dir, open_run
from seethrough.serve.server import Address, running_server

WIDTH, HEIGHT = 1280, 800
BITS_PER_SECOND = 900_000
MOST_BYTES = 6_000_000
UNDER_HEADER_PX = 130
LONGEST_STILL_S = 2.5  # what takes longer, such as loading torch, is cut to this
expect.set_options(timeout=60_000)

HAND = """() => {
  const hand = document.createElement('div');
  hand.style.cssText = 'position:fixed;z-index:99;width:18px;height:18px;margin:-9px;' +
    'border-radius:50%;border:2px solid #fff;background:rgb(0 0 0/.55);pointer-events:none;' +
    'transition:scale .12s';
  document.body.append(hand);
  addEventListener('pointermove', (event) => {
    hand.style.left = event.clientX + 'px'; hand.style.top = event.clientY + 'px';
  }, true);
  addEventListener('pointerdown', () => { hand.style.scale = .7; }, true);
  addEventListener('pointerup', () => { hand.style.scale = 1; }, true);
}"""

# Plays the pictures at their times onto a canvas, and records the canvas.
RECORD = """async ([frames, width, height, rate]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const brush = canvas.getContext('2d');
  const stream = canvas.captureStream(0);
  const [track] = stream.getVideoTracks();
  const recorder = new MediaRecorder(stream, {
    mimeType: 'video/webm;codecs=vp9', videoBitsPerSecond: rate
  });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((done) => { recorder.onstop = done; });
  const bitmaps = [];
  for (const [, content] of frames) {
    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
    bitmaps.push(await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' })));
  }
  recorder.start();
  const began = performance.now();
  for (let i = 0; i < bitmaps.length; i++) {
    const wait = frames[i][0] * 1000 - (performance.now() - began);
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    brush.drawImage(bitmaps[i], 0, 0, width, height);
    track.requestFrame();
  }
  await new Promise((done) => setTimeout(done, 1500));
  track.requestFrame();
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768)
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}"""


@dataclass
class Walk:
    """A hand in a page, with everything that the page showed."""

    page: Page
    frames: list[tuple[float, str]]  # seconds, JPEG in base64

    @classmethod
    def begin(cls, page: Page) -> "Walk":
        """From now on pictures are kept."""
        frames: list[tuple[float, str]] = []
        session = page.context.new_cdp_session(page)

        def keep(event: dict[str, object]) -> None:
            metadata, data = event["metadata"], event["data"]
            assert isinstance(metadata, dict) and isinstance(data, str)  # noqa: PT018
            frames.append((float(metadata["timestamp"]), data))
            session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

        session.on("Page.screencastFrame", keep)
        session.send(
            "Page.startScreencast",
            {"format": "jpeg", "quality": 92, "maxWidth": WIDTH, "maxHeight": HEIGHT},
        )
        page.evaluate(HAND)
        return cls(page, frames)

    def rest(self, seconds: float) -> None:
        """Time to read."""
        self.page.wait_for_timeout(1000 * seconds)

    def to(self, place: Locator, across: float = 0.5, down: float = 0.5) -> None:
        """Move the hand to a place, calmly."""
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        assert box is not None
        if box["y"] < UNDER_HEADER_PX:  # in the window, but covered
            self.page.mouse.wheel(0, box["y"] - UNDER_HEADER_PX)
            self.rest(0.4)
            box = place.bounding_box() or box
        self.page.mouse.move(
            box["x"] + across * box["width"], box["y"] + down * box["height"], steps=25
        )
        self.rest(0.3)

    def click(self, place: Locator) -> None:
        """Move there and click."""
        self.to(place)
        self.page.mouse.down()
        self.page.mouse.up()

    def film(self) -> list[tuple[float, str]]:
        """The pictures at the seconds of the film: long waits are cut."""
        film, now, before = [], 0.0, self.frames[0][0]
        for taken, content in self.frames:
            now += min(taken - before, LONGEST_STILL_S)
            film.append((round(now, 3), content))
            before = taken
        return film


# ---------------------------------------------------------------- the walk


def forwards(walk: Walk, layer: str, unit: int) -> None:
    """A unit, its kernel over the map, one cell's sum."""
    page = walk.page
    walk.rest(1.5)
    for name in (f"{layer}, unit {unit + 1}", f"{layer}, unit {unit}"):
        walk.to(page.get_by_role("button", name=name, exact=True))
        walk.rest(0.8)
    walk.click(page.get_by_role("button", name=f"{layer}, unit {unit}", exact=True))
    expect(page.get_by_role("region", name="The sum")).to_be_visible()
    walk.rest(1.5)
    cells = page.get_by_role("application", name="activation map of")
    for step in range(8):
        walk.to(cells, 0.2 + 0.08 * step, 0.3 + 0.04 * step)
    walk.rest(2)


def backwards(walk: Walk, layer: str, unit: int) -> None:
    """The gradient at the same unit, and at one of its weights."""
    page = walk.page
    walk.click(page.get_by_text("Backwards", exact=True))
    expect(page.get_by_role("group", name="The loss")).to_contain_text("log(")
    walk.rest(2.5)
    walk.click(page.get_by_role("button", name=f"{layer}, unit {unit}", exact=True))
    expect(page.get_by_role("region", name="Weights")).to_be_visible()
    walk.rest(2.5)
    walk.click(page.get_by_role("region", name="Weights").locator("button[data-at]").nth(4))
    walk.rest(3)


def step(walk: Walk) -> None:
    """One step of learning: what it changes, before and after."""
    page = walk.page
    walk.click(page.get_by_text("One step", exact=True))
    expect(page.get_by_role("region", name="The update")).to_be_visible()
    walk.rest(2)
    maps = page.get_by_role("group", name="Maps")
    for side in ("after", "difference"):
        walk.click(maps.get_by_text(side, exact=True))
        walk.rest(2)
    walk.to(page.get_by_role("region", name="The update"))
    walk.rest(3)


def film(browser: Browser, address: Address, run: Run) -> bytes:
    """The whole walk as WebM."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page = context.new_page()
    page.goto(address.link(f"/look/{run.id}/t{chosen(run.id)}"))
    expect(page.get_by_role("button", name="conv2, unit 0", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    walk = Walk.begin(page)
    ways: list[Callable[[Walk], None]] = [
        lambda walk: forwards(walk, "conv2", 5),
        lambda walk: backwards(walk, "conv2", 5),
        step,
    ]
    for way in ways:
        way(walk)
    frames = walk.film()
    context.close()
    print(f"{len(frames)} pictures, {frames[-1][0]:.0f} s", flush=True)
    recorder = browser.new_page()
    recorder.set_default_timeout(600_000)
    content = base64.b64decode(recorder.evaluate(RECORD, [frames, WIDTH, HEIGHT, BITS_PER_SECOND]))
    recorder.close()
    return content


def main() -> None:
    """Train or open, film, write."""
    parser = argparse.ArgumentParser(description="Film a walk through the real studio.")
    parser.add_argument("--run", help="a finished run; without it, the demo is trained")
    parser.add_argument("--runs-dir", type=Path, help="where that run is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        if given.run:
            run = open_run(given.run, given.runs_dir or default_runs_dir())
        else:
            runs_dir = Path(folder) / "runs"
            with demo(runs_dir) as run, running_server(runs_dir) as address:
                wait_until_finished(browser, address, run.id)
        choose(run)
        with running_server(run.folder.parent) as address:
            content = film(browser, address, run)
        browser.close()
    path = IMAGES / "walk.webm"
    path.write_bytes(content)
    print(f"{path}: {len(content) / 1e6:.1f} MB")
    if len(content) > MOST_BYTES:
        raise SystemExit("The film is too large for the repository.")


if __name__ == "__main__":
    main()
