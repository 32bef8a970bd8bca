"""Five hundred random equations and more, read off the rendered page and added up exactly.

Random units, cells and photos of each kind of layer in turn, forwards and backwards (at cells and
at learned numbers), of a run and of opened networks that hold every kind of layer. One page goes
from cell to cell by its address, as Back and Forward do, and is read when the sentence of that very
cell stands there. `make test-full` reads 600; `make test` reads 24, in some fifteen seconds.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from benchmarks import kinds
from playwright.sync_api import expect
from tests.browser.counts import counts
from tests.browser.pencil import READ, added_up
from tests.browser.window import Window, exact

from seethrough.classifier import wrap
from seethrough.data.collection import collect
from seethrough.serve.opened import opened
from seethrough.serve.server import running_server

SEED = 500
WAYS = "FBLFFBFBL"  # forwards, backwards, at a learned number: the first three are one of each


class Asker:
    """What there is to be asked about one network, from the API that the page uses."""

    def __init__(self, window: Window, run: str, photos: int) -> None:
        self.window, self.run = window, run
        self.photos = window.photos(run)[:photos]
        self.rng = np.random.default_rng(SEED)
        self._known: dict[str, tuple[list[Any], Any]] = {}
        self._waiting: dict[str, list[str]] = {}

    def places(self, count: int) -> Iterator[tuple[str, str]]:
        """Addresses with the beginning of the sentence that will stand there, photo by photo."""
        order = [str(photo) for photo in self.rng.choice(self.photos, count // 25 + 1)]
        ways = {"F": self._forwards, "B": self._backwards, "L": self._learned}
        for number in range(count):
            yield ways[WAYS[number % len(WAYS)]](order[number // 25])

    def _asked(self, photo: str) -> tuple[list[Any], Any]:
        if photo not in self._known:
            page = self.window.page
            api = f"{self.window.address.url}/api/runs/{self.run}/photos/{photo}"
            trace = page.request.get(f"{api}/trace").json()
            label = trace["photo"]["label"]
            back = page.request.get(f"{api}/backward?label={label}").json()
            self._known[photo] = trace["layers"], back
        return self._known[photo]

    def _forwards(self, photo: str) -> tuple[str, str]:
        layers = [layer for layer in self._asked(photo)[0] if layer["known"]]
        return self._anywhere(photo, self._of_the_next_kind("F", layers))

    def _backwards(self, photo: str) -> tuple[str, str]:
        layers, back = self._asked(photo)
        names = {entry["name"] for entry in back["layers"]}
        layer = self._of_the_next_kind("B", [one for one in layers if one["name"] in names])
        return self._anywhere(photo, layer, "?mode=backwards", "Gradient of the loss at ")

    def _learned(self, photo: str) -> tuple[str, str]:
        layers, back = self._asked(photo)
        kind_of = {layer["name"]: layer["kind"] for layer in layers}
        learned = [{**one, "kind": kind_of[one["layer"]]} for one in back["parameters"]]
        one = self._of_the_next_kind("L", learned)
        layer, name = one["layer"], one["name"]
        at = [int(self.rng.integers(size)) for size in one["shape"]]
        place = ",".join(map(str, at))
        query = f"?mode=backwards&weight={name},{place}"
        said = f"Gradient of the loss for the {name} {place.replace(',', ', ')} of {layer}:"
        return f"/look/{self.run}/{photo}/{layer}/{at[0]}{query}", said

    def _of_the_next_kind(self, way: str, among: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Any one of a kind; the kinds go round, each time in another order."""
        waiting = self._waiting.setdefault(way, [])
        if not waiting:
            waiting += map(str, self.rng.permutation(sorted({one["kind"] for one in among})))
        kind = waiting.pop()
        of_it = [one for one in among if one["kind"] == kind]
        return of_it[self.rng.integers(len(of_it))]

    def _anywhere(
        self, photo: str, layer: Mapping[str, Any], query: str = "", words: str = ""
    ) -> tuple[str, str]:
        unit, *cell = (int(self.rng.integers(size)) for size in layer["shape"])
        address, said = self.place(photo, layer["name"], unit, *cell)
        return f"{address}{query}", f"{words}{said}"

    def place(self, photo: str, layer: str, unit: int, *cell: int) -> tuple[str, str]:
        """Where one cell is looked at, and how its sentence begins."""
        address, said = f"/look/{self.run}/{photo}/{layer}/{unit}", f"{layer}, unit {unit}"
        if not cell:
            return address, f"{said}:"
        return f"{address}/{cell[0]},{cell[1]}", f"{said}, row {cell[0]}, column {cell[1]}:"

    def read(self, layer: str, unit: int, *cell: int) -> tuple[dict[str, Any], str]:
        """All that the bench shows of a cell of the first photo, and how its sentence begins."""
        address, said = self.place(self.photos[0], layer, unit, *cell)
        return bench(self.window, address, said), said


def bench(window: Window, address: str, said: str) -> dict[str, Any]:
    """All that the bench shows there, once that sentence stands."""
    window.go(address)
    seen: dict[str, Any] = window.page.wait_for_function(READ, arg=said).json_value()
    return seen


def read_all(window: Window, places: Iterable[tuple[str, str]]) -> Counter[str]:
    """Read them and add them up; how many of each bench, and how many numbers in all."""
    found: Counter[str] = Counter()
    for address, said in places:
        seen = bench(window, address, said)
        added = added_up(seen)
        assert added, seen
        found[seen["bench"]] += 1
        found["equations"] += 1
        found["numbers"] += added
    return found


@pytest.mark.parametrize("count", counts(9, 200))
def test_random_equations_of_a_run_add_up_as_they_are_shown(window, count):
    window.look()
    found = read_all(window, Asker(window, window.run, 12).places(count))
    assert found["equations"] == count
    assert found["numbers"] > 10 * count
    assert {"conv", "back", "weight"} <= set(found)


@pytest.fixture(scope="module")
def strangers(studio, tmp_path_factory):
    """The networks of every kind as somebody's own: a server, and the id of each."""
    folder = studio.photos / "test"
    names = [path.name for path in sorted(folder.iterdir())]
    classes = (names + [f"other {number}" for number in range(kinds.CLASSES)])[: kinds.CLASSES]
    made = {
        name: opened(
            wrap(kinds.network(name), classes=classes, image_px=32),
            name=name,
            origin="opened by a test",
            photos=collect(folder, classes),
        )
        for name in kinds.NETWORKS
    }
    place = tmp_path_factory.mktemp("strangers")
    with running_server(place / "runs", opened=list(made.values())) as address:
        yield address, {name: network.id for name, network in made.items()}


@pytest.fixture
def strange(open_window, strangers):
    """One window, and who asks for the places of each of them, once the page looks through it."""
    address, ids = strangers
    window = open_window(address, ids["joins"])

    def look_through(name: str) -> Asker:
        there = f"/look/{ids[name]}"
        if window.page.url == "about:blank":
            window.enter(there)
        else:
            window.go(there)
        window.path_becomes(f"{there}/.+")
        window.quiet()
        return Asker(window, ids[name], 4)

    return window, look_through


@pytest.mark.parametrize("count", counts(3, 80))
def test_random_equations_of_every_other_kind_add_up_too(strange, count):
    window, look_through = strange
    for name in kinds.NETWORKS:
        found = read_all(window, look_through(name).places(count))
        assert found["equations"] == count
        assert found["numbers"] > 2 * count


def test_what_lies_at_a_border_and_what_only_moved_is_told_as_it_is(strange):
    """Of a window of nine four lie on the map; padding never wins, though all four be below 0."""
    window, look_through = strange
    asker = look_through("pools")
    largest = []
    for unit in range(4):
        seen, said = asker.read("network.over", unit, 0, 0)
        assert added_up(seen) == len(seen["window"]) == 4
        assert seen["said"].startswith(f"{said} the largest of 4 numbers of network.silu:3 is ")
        largest.append(exact(seen["lines"][0]["first"]))
    assert min(largest) < 0
    asker = look_through("joins")
    told = window.page.get_by_role("region", name="Where it comes from")
    for layer, at, words in [
        ("network.flatten", (157,), "17 · 9 + 1 · 3 + 1 = 157"),
        ("network.rearrange:2", (3, 4, 5), "Cell 4,5 of unit 3 is cell 4,5 of network.concat,"),
        ("network.pad", (2, 3, 0), "Cell 3,0 of unit 2 is border: no number of network.left"),
    ]:
        seen, _ = asker.read(layer, *at)
        assert added_up(seen) == (7 if layer == "network.flatten" else 1)
        expect(told).to_contain_text(words)
        assert (exact(seen["moved"][0]) == Decimal("0.25")) == (layer == "network.pad")
