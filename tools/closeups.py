"""Photograph what docs/compared.md speaks of, row by row: `python tools/closeups.py`.

    python tools/closeups.py                     train the demo, then photograph everything
    python tools/closeups.py --run ID            photograph that finished run
    python tools/closeups.py --only cell learning

Into docs/images/compared/, each as NAME.webp and at most 640 px wide: a part of the studio as it
stands on the page at 1280 px, on light paper, in a browser that finds no other machine than this
one. Together with the other pictures they stay under the
limit of tools/screenshots.py, or this ends with 1.
"""

import argparse
import io
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect, sync_playwright

import notebook_cell
from check import find_chromium
from screenshots import IMAGES, ask_for_run, choose, chosen, finished_run, is_too_much
from seethrough.classifier import Classifier
from seethrough.data.collection import collect
from seethrough.explain import Trace
from seethrough.model.make import make
from seethrough.model.presets import preset
from seethrough.runs.folder import Run
from seethrough.serve.opened import Opened, opened
from seethrough.serve.server import Address, running_server

FOLDER = IMAGES / "compared"
WIDTH, HEIGHT = 1280, 900
MOST_WIDTH = 640
MARGIN = 12
CUT_OFF = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # there is no other machine
Parts = Callable[[Page], list[Locator]]


@dataclass(frozen=True)
class Closeup:
    """A part of a page: all of the named elements, and where they stand."""

    path: str  # without the run; {photo}, {unit}, {cell} and {label} are filled in
    parts: Parts
    width: int = WIDTH  # of the window
    most: int = MOST_WIDTH  # px that are shown of it; where they are more than 640, made smaller
    is_window: bool = False  # what stands in the window, not on the page
    act: Callable[[Page], None] | None = None  # what is done there first


def region(*names: str) -> Parts:
    """Regions of the page, by name."""
    return lambda page: [page.get_by_role("region", name=name, exact=True) for name in names]


def part(*selectors: str) -> Parts:
    """The first element of each selector."""
    return lambda page: [page.locator(selector).first for selector in selectors]


def share(page: Page) -> None:
    """Ask for the address of this very place."""
    page.get_by_role("button", name="Share this view").click()
    dialog = page.get_by_role("dialog", name="Share this view")
    dialog.get_by_label("This run and this place").check()
    address = dialog.get_by_label("Address")
    expect(address).to_have_value(re.compile("^/look/"))
    address.focus()


def walk_by_keys(page: Page) -> None:
    """Two cells on by the arrow keys."""
    cells = page.get_by_role("application", name="activation map of")
    cells.focus()
    for key in ("ArrowRight", "ArrowDown"):
        cells.press(key)


CELL = "/look/{run}/{photo}/conv4/{unit}/{cell}"
CLOSEUPS: dict[str, Closeup] = {
    "network": Closeup(
        "/look/{run}/{photo}", region("The network, layer by layer"), 1440, most=1440
    ),
    "training": Closeup("/train/{run}", region("Accuracy and loss"), most=800),
    "photos": Closeup("/look/{run}/{photo}", part("[data-part=strip]"), most=800),
    "pixels": Closeup("/look/{run}/{photo}/normalise/0/9,12", region("The function")),
    "scale": Closeup(CELL, part("[data-part=scale]")),
    "unit": Closeup(CELL, part("[aria-label='Channel by channel']"), most=890),
    "cell": Closeup(CELL, region("Every factor"), 1440, most=800),
    "checked": Closeup(CELL, region("The sum")),
    "sees": Closeup(CELL, region("The unit")),
    "padding": Closeup("/look/{run}/{photo}/conv1/1/0,0", region("Every factor"), 1440, most=800),
    "norm": Closeup("/look/{run}/{photo}/norm4/{unit}/{cell}", region("The function")),
    "pooling": Closeup("/look/{run}/{photo}/pool1/{pooled}", region("The window")),
    "dense": Closeup("/look/{run}/{photo}/dense1/{label}", part(".three > div:nth-child(2)")),
    "softmax": Closeup("/look/{run}/{photo}/softmax/{label}", region("Softmax")),
    "sandbox": Closeup(
        "/sandbox/{run}?photo={photo}&stride=2",
        part("section[aria-labelledby=input]", ".maps > :nth-child(2)"),
        most=820,
    ),
    "try": Closeup("/try/{run}/{photo}?cover=4,4,14,16", part(".try .bench"), most=WIDTH),
    "gradient": Closeup(
        "/look/{run}/{photo}/pool1/{pooled}?mode=backwards", region("Every factor"), 1600, most=900
    ),
    "learning": Closeup(CELL + "?mode=step&rate=0.002", region("The update"), 1440, most=800),
    "time": Closeup(
        "/time/{run}/{photo}?layer=conv1&step={early}",
        part("[data-part=kernel]", "[data-part=map]"),
        most=700,
    ),
    "two": Closeup(
        "/compare/{run}/{run}/{photo}/conv4/{unit}/{cell}?step={early}",
        part("section.bench .heading", "section.bench .legends"),
        most=780,
    ),
    "report": Closeup("/report/{run}", part("section[aria-labelledby=confusions]")),
    "tour": Closeup(
        "/look/{run}/{photo}?tour=kernel", part("[role=dialog]", ".outline"), is_window=True
    ),
    "addresses": Closeup(
        CELL + "?tour=kernel", part("dialog[data-tour=share]"), is_window=True, act=share
    ),
    "keyboard": Closeup(CELL, region("The unit"), act=walk_by_keys),
    "offline": Closeup("/look/{run}/{photo}", part("body"), is_window=True, most=WIDTH),
    "phone": Closeup(CELL, part("body"), 390, is_window=True),
    "large": Closeup("/look/{large}", region("The network, layer by layer"), 1440, most=1440),
    "notebook": Closeup("", part("#cell"), 1440, most=1440),  # no page of the studio
}


def fill(run: Run) -> dict[str, str]:
    """What stands for the words in the paths: places where there is something to see."""
    choose(run)
    photo, place = chosen(run.id)
    unit, cell = place.split("/")
    trace = run.classifier.trace(run.dataset().images[photo])
    maps = trace.layer("pool1").output[:, 2:-2, 2:-2]
    channel, row, column = np.unravel_index(int(maps.argmax()), maps.shape)
    moments = [moment.step for moment in run.moments]
    return {
        "run": run.id,
        "photo": f"t{photo}",
        "unit": unit,
        "cell": cell,
        "pooled": f"{channel}/{row + 2},{column + 2}",
        "label": str(run.dataset().labels[photo]),
        "early": str(moments[len(moments) // 4]),
    }


def clip(parts: list[Locator], most: int) -> FloatRect:
    """The box around all parts, on the whole page, and no wider than that."""
    boxes = []
    for each in parts:
        expect(each).to_be_visible()
        box = each.bounding_box()
        assert box is not None
        boxes.append(box)
    left = max(0, min(box["x"] for box in boxes) - MARGIN)
    top = max(0, min(box["y"] for box in boxes) - MARGIN)
    right = max(box["x"] + box["width"] for box in boxes) + MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
    return {"x": left, "y": top, "width": min(most, right - left), "height": bottom - top}


def take(
    browser: Browser, address: Address, closeup: Closeup, words: dict[str, str], traced: Trace
) -> Image.Image:
    """One picture; without a path of a trace in a notebook."""
    height = 844 if closeup.width < 720 else HEIGHT
    context = browser.new_context(
        viewport={"width": closeup.width, "height": height},
        color_scheme="light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    if closeup.path:
        page.goto(address.link(closeup.path.format(**words)))
    else:
        notebook_cell.show(page, traced)
        page.get_by_role("button", name=f"conv4, unit {words['unit']}", exact=True).click()
    if closeup.act is not None:
        closeup.act(page)
    for each in closeup.parts(page):
        expect(each).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready.then(() => null)")
    page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")
    if closeup.path and not closeup.is_window:
        page.evaluate("document.querySelector('header').style.position = 'static'; scrollTo(0, 0)")
    box = clip(closeup.parts(page), closeup.most)
    if closeup.is_window:
        box["width"] = min(box["width"], closeup.width - box["x"])
        box["height"] = min(box["height"], height - box["y"])
    content = page.screenshot(full_page=not closeup.is_window, clip=box, animations="disabled")
    context.close()
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    if picture.width > MOST_WIDTH:
        height = round(picture.height * MOST_WIDTH / picture.width)
        picture = picture.resize((MOST_WIDTH, height), Image.Resampling.LANCZOS)
    return picture


def take_all(browser: Browser, run: Run, wanted: list[str]) -> None:
    """The pictures that were asked for."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    words = fill(run)
    photo = run.dataset().images[int(words["photo"][1:])]
    traced = run.classifier.trace(photo)
    with tempfile.TemporaryDirectory() as folder:
        deep = large(run, photo, Path(folder))
        words["large"] = deep.id
        with running_server(run.folder.parent, opened=[deep]) as address:
            for name in wanted:
                path = FOLDER / f"{name}.webp"
                picture = take(browser, address, CLOSEUPS[name], words, traced)
                picture.save(path, quality=85, method=6)
                print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB", flush=True)


def large(run: Run, photo: UInt8[np.ndarray, "h w 3"], folder: Path) -> Opened:
    """An untrained resnet-18, and the photo for it to look at."""
    Image.fromarray(photo).resize((64, 64), Image.Resampling.BICUBIC).save(folder / "photo.png")
    classes = run.classifier.classes
    module = make(
        preset("resnet-18", image_px=64),
        num_classes=len(classes),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        seed=0,
    )
    classifier = Classifier(module=module.eval(), classes=classes, image_px=64)
    photos = collect(folder, classes)
    return opened(classifier, name="resnet-18", origin="made untrained", photos=photos)


def main() -> None:
    """All pictures, or those that were asked for."""
    parser = argparse.ArgumentParser(description="Photograph the rows of docs/compared.md.")
    ask_for_run(parser)
    parser.add_argument("--only", nargs="+", choices=list(CLOSEUPS))
    given = parser.parse_args()
    wanted: list[str] = given.only or list(CLOSEUPS)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu", CUT_OFF]
        )
        run = finished_run(browser, given, Path(folder))
        take_all(browser, run, wanted)
        browser.close()
    sys.exit(is_too_much())


if __name__ == "__main__":
    main()
