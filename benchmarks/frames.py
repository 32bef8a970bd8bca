"""How smoothly a large network moves: 100 layers of 1,000 units each, in Chromium, no run needed.

    first    from the address to the drawn network, milliseconds: the page, the photo's way through
             the network on the server, its maps, the first painted frame
    scroll   the network is moved along its layers, every block open
    pointer  the pointer goes over its units, from one to the next
    fold     blocks are opened one after the other: milliseconds to the painted frame

Frames are counted in the page with its own clock while it moves, for some seconds: `fps` in the
mean, `slow` the share of frames that took longer than two refreshes (33 ms). Chromium draws at most
60 frames a second, here without a graphics card.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Page, sync_playwright
from torch import nn

import seethrough as see
from benchmarks.latency import BROWSER, SETTLED, some_photos
from seethrough.data.collection import collect
from seethrough.serve.opened import opened
from seethrough.serve.server import running_server

UNITS, PAIRS = 1_000, 50
IMAGE_PX, SIDE = 32, 4  # a map has 8 × 8 cells
MOVING_S = 3.0
SLOW_MS = 33.4
FOLDS = 5

# Counts frames while `move` is called before each of them.
MOVING = """([seconds, kind]) => new Promise((done) => {
  const column = document.querySelector('.network .column');
  let mover = column;
  while (mover && mover.scrollWidth <= mover.clientWidth + 1) mover = mover.parentElement;
  mover ??= document.scrollingElement;
  const times = [];
  let way = 24;
  const frame = (now) => {
    times.push(now);
    if (kind === 'scroll') {
      const before = mover.scrollLeft;
      mover.scrollLeft += way;
      if (mover.scrollLeft === before) way = -way;
    }
    if (now - times[0] < 1000 * seconds) requestAnimationFrame(frame);
    else done([times.slice(1).map((one, i) => one - times[i]), mover.scrollWidth]);
  };
  requestAnimationFrame(frame);
})"""
DRAWN = """() => new Promise((done) => {
  const look = () => {
    const isDrawn = document.querySelectorAll('.network .column').length > 1;
    if (!isDrawn) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  };
  look();
})"""
FOLD = """() => new Promise((done) => {
  const block = document.querySelector('.blocks button[aria-expanded=false]');
  if (!block) return done(null);
  const start = performance.now();
  block.click();
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})"""


def large() -> nn.Module:
    """100 layers of 1,000 units, each unit with a kernel of its own; ten blocks of ten layers."""
    torch.manual_seed(0)
    stem = nn.Conv2d(3, UNITS, SIDE, stride=SIDE)
    blocks = []
    for _ in range(10):
        parts: list[nn.Module] = []
        for _ in range(PAIRS // 10):
            parts += [nn.Conv2d(UNITS, UNITS, 3, padding=1, groups=UNITS), nn.ReLU()]
        blocks.append(nn.Sequential(*parts))
    return nn.Sequential(stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(UNITS, 6))


def run(*, seconds: float = MOVING_S) -> dict[str, Any]:
    """All figures, of one page that nobody looked at before."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        classes = [f"class {k}" for k in range(6)]
        photos = collect(some_photos(Path(folder) / "photos"), classes)
        classifier = see.wrap(large(), classes=classes, image_px=IMAGE_PX)
        shown = opened(classifier, name="large", origin="made to be measured", photos=photos)
        with running_server(Path(folder) / "runs", opened=[shown]) as address:
            browser = playwright.chromium.launch(
                executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.goto(address.link("/runs"))  # fonts, the cookie, the server's first answer
            page.wait_for_load_state("networkidle")
            page.goto(f"{address.url}/look/{shown.id}")
            found: dict[str, Any] = {"first_ms": round(page.evaluate(DRAWN), 1)}
            page.evaluate(SETTLED)
            found["fold_ms"] = round(statistics.median(_folded(page)), 1)
            page.goto(f"{address.url}/look/{shown.id}?open=all")
            found["open_ms"] = round(page.evaluate(DRAWN), 1)
            page.evaluate(SETTLED)
            found["columns"] = page.locator(".network .column").count()
            found["scroll"] = _frames(page, seconds, "scroll")
            found["pointer"] = _pointed(page, seconds)
            browser.close()
    return found


def _folded(page: Page) -> list[float]:
    times = [page.evaluate(FOLD) for _ in range(FOLDS)]
    return [time for time in times if time is not None]


def _frames(page: Page, seconds: float, kind: str) -> dict[str, float]:
    intervals, width = page.evaluate(MOVING, [seconds, kind])
    return _figures(intervals) | {"width_px": width}


def _pointed(page: Page, seconds: float) -> dict[str, float]:
    """The pointer on a slow way over the units that are in sight, while frames are counted."""
    box = page.locator(".network").bounding_box()
    assert box is not None
    page.evaluate(f"window.moved = ({MOVING})([{seconds}, 'pointer']); null")
    steps = int(60 * seconds)
    for step in range(steps):
        page.mouse.move(
            box["x"] + 40 + (min(box["width"], 1400) - 80) * step / steps,
            min(box["y"] + 40 + (step * 7) % 400, 980),
        )
    intervals, _ = page.evaluate("window.moved")
    return _figures(intervals)


def _figures(intervals: list[float]) -> dict[str, float]:
    ordered = sorted(intervals)
    return {
        "fps": round(1000 * len(ordered) / sum(ordered), 1),
        "p95_ms": round(statistics.quantiles(ordered, n=20, method="inclusive")[-1], 1),
        "slow": round(sum(one > SLOW_MS for one in ordered) / len(ordered), 3),
    }
