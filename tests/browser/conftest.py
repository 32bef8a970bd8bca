"""The real studio in the system's Chromium: a real run, the real server, one window a test.

The folder is a package to pytest's `package` scope: Playwright keeps an event loop in the thread
that started it, so it ends with the last test of this folder.
"""

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.browser.beside import Pair
from tests.browser.window import Window

from seethrough.data.builtin import builtin_path
from seethrough.data.load import load
from seethrough.model.presets import preset
from seethrough.runs.folder import Run
from seethrough.runs.record import train
from seethrough.serve.server import Address, running_server
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

ARGUMENTS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",  # pages behind every window
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHOTOS = {"train": 40, "test": 12}  # of each class
PATIENCE_MS = 30_000  # a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Studio:
    """A server that looks at one finished run, and where its photos are."""

    run: Run
    address: Address
    runs_dir: Path
    photos: Path


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the built-in photos as a folder of a user's."""
    folder = tmp_path_factory.mktemp("photos")
    taken: dict[str, int] = {}
    with zipfile.ZipFile(builtin_path("everyday")) as archive:
        for name in sorted(archive.namelist()):
            path = PurePosixPath(name)
            place = str(path.parent)
            if path.parts[0] in PHOTOS and taken.get(place, 0) < PHOTOS[path.parts[0]]:
                taken[place] = taken.get(place, 0) + 1
                archive.extract(name, folder)
    return folder


@pytest.fixture(scope="session")
def studio(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The demo's network after three short epochs: far from good, and all of it real."""
    place = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(place / "cache"))
        run = train(
            load(photos, image_px=32),
            network=preset("demo"),
            recipe=Recipe(epochs=3, batch=24, peak_lr=0.1, seed=3),
            runs_dir=place / "runs",
            place=Place(threads=1),
        )
        with running_server(place / "runs") as address:
            yield Studio(run, address, place / "runs", photos)


@pytest.fixture(scope="session")
def pair(studio: Studio, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The studio's run and one with another seed, in a folder of their own."""
    place = tmp_path_factory.mktemp("pair")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(place / "cache"))
        shutil.copytree(studio.runs_dir, place / "runs")
        other = train(
            load(photos, image_px=32),
            network=preset("demo"),
            recipe=replace(studio.run.manifest.recipe, seed=4, epochs=1),
            runs_dir=place / "runs",
            place=Place(threads=1),
        )
        with running_server(place / "runs") as address:
            found = Pair(studio.run, other, address)
            # matched once, before a page waits for it: what was compared is kept
            found.match("conv1")
            yield found


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The system's browser, without a display."""
    path = os.environ.get("SEETHROUGH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Address]]:
    """Studios of a test's own: `serve(runs_dir)`, as `running_server` takes it.

    They outlive the test's windows: an open page asks on, and one whose server is gone complains.
    """
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(running_server(*args, **options))


@pytest.fixture
def open_window(
    chromium: Browser,
    serve: Callable[..., Address],  # asked for here, so that it goes after the windows
) -> Iterator[Callable[..., Window]]:
    """Fresh windows, let in, that must not complain: no error, nothing fetched from elsewhere."""
    windows: list[Window] = []

    def opened(address: Address, run: str, *, width: int = 1440, height: int = 900) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE_MS)
        windows.append(Window(context, address, run))
        return windows[-1]

    yield opened
    for window in windows:
        window.page.context.close()
    assert [complaint for window in windows for complaint in window.complaints] == []


@pytest.fixture
def window(open_window: Callable[..., Window], studio: Studio) -> Window:
    """A window on the finished run."""
    return open_window(studio.address, studio.run.id)
