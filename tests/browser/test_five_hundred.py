"""Five hundred random equations, read off the rendered page and added up with exact decimals.

Random layers, units, cells and photos, forwards and backwards (at cells and at learned numbers), of
a run and of opened networks with other kinds of layers. One page goes from cell to cell by its
address, as Back and Forward do, and is read when the sentence of that very cell stands there.
`make test-full` reads all 500; `make test` reads fewer, so that it takes some twenty seconds.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from benchmarks import kinds
from tests.browser.pencil import READ, added_up

from seethrough.classifier import wrap
from seethrough.data.collection import collect
from seethrough.serve.opened import opened
from seethrough.serve.server import running_server

SEED = 500
GO = """(address) => {
  history.replaceState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}"""


class Asker:
    """What there is to be asked about one network, from the API that the page uses."""

    def __init__(self, window: Any, photos: list[str]) -> None:
        self.window, self.photos = window, photos
        self.rng = np.random.default_rng(SEED)
        self._known: dict[str, tuple[list[Any], Any]] = {}

    def places(self, count: int) -> Iterator[tuple[str, str]]:
        """Addresses with the beginning of the sentence that will stand there, photo by photo."""
        order = [str(photo) for photo in self.rng.choice(self.photos, count // 25 + 1)]
        for number in range(count):
            photo = order[number // 25]
            if number % 25 < 11:
                yield self._forwards(photo)
            elif number % 25 < 19:
                yield self._backwards(photo)
            else:
                yield self._learned(photo)

    def _asked(self, photo: str) -> tuple[list[Any], Any]:
        if photo not in self._known:
            page, run = self.window.page, self.window.run
            api = f"{self.window.address.url}/api/runs/{run}/photos/{photo}"
            trace = page.request.get(f"{api}/trace").json()
            label = trace["photo"]["label"]
            back = page.request.get(f"{api}/backward?label={label}").json()
            self._known[photo] = trace["layers"], back
        return self._known[photo]

    def _forwards(self, photo: str) -> tuple[str, str]:
        layers = [layer for layer in self._asked(photo)[0] if layer["known"]]
        layer = layers[self.rng.integers(len(layers))]
        return self._cell(photo, layer["name"], layer["shape"], "", "")

    def _backwards(self, photo: str) -> tuple[str, str]:
        layers, back = self._asked(photo)
        shapes = {layer["name"]: layer["shape"] for layer in layers}
        names = [entry["name"] for entry in back["layers"] if entry["name"] in shapes]
        name = names[self.rng.integers(len(names))]
        words = "Gradient of the loss at "
        return self._cell(photo, name, shapes[name], "?mode=backwards", words)

    def _cell(
        self, photo: str, name: str, shape: list[int], query: str, words: str
    ) -> tuple[str, str]:
        unit, *cell = (int(self.rng.integers(size)) for size in shape)
        address = f"/look/{self.window.run}/{photo}/{name}/{unit}"
        said = f"{words}{name}, unit {unit}"
        if not cell:
            return f"{address}{query}", f"{said}:"
        return f"{address}/{cell[0]},{cell[1]}{query}", f"{said}, row {cell[0]}, column {cell[1]}:"

    def _learned(self, photo: str) -> tuple[str, str]:
        _, back = self._asked(photo)
        one = back["parameters"][self.rng.integers(len(back["parameters"]))]
        layer, name = one["layer"], one["name"]
        at = [int(self.rng.integers(size)) for size in one["shape"]]
        place = ",".join(map(str, at))
        query = f"?mode=backwards&weight={name},{place}"
        said = f"Gradient of the loss for the {name} {place.replace(',', ', ')} of {layer}:"
        return f"/look/{self.window.run}/{photo}/{layer}/{at[0]}{query}", said


def read_all(asker: Asker, count: int) -> Counter[str]:
    """Read and add up so many; how many equations of each bench, and how many numbers in all."""
    page = asker.window.page
    found: Counter[str] = Counter()
    for address, said in asker.places(count):
        page.evaluate(GO, address)
        seen = page.wait_for_function(READ, arg=said).json_value()
        added = added_up(seen)
        assert added, seen
        found[seen["bench"]] += 1
        found["equations"] += 1
        found["numbers"] += added
    return found


def counts(few: int, many: int) -> list[Any]:
    """The smaller count in `make test`, the larger one in `make test-full`."""
    return [
        pytest.param(few, id=f"{few}"),
        pytest.param(many, id=f"{many}", marks=pytest.mark.full),
    ]


def photos(window: Any) -> list[str]:
    """A dozen of those that the page offers."""
    address = f"{window.address.url}/api/runs/{window.run}/photos?limit=12"
    return [photo["id"] for photo in window.page.request.get(address).json()["photos"]][:12]


@pytest.mark.parametrize("count", counts(24, 300))
def test_random_equations_of_a_run_add_up_as_they_are_shown(window, count):
    window.look()
    found = read_all(Asker(window, photos(window)), count)
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
        for name in ("functions", "convolutions")
    }
    place = tmp_path_factory.mktemp("strangers")
    with running_server(place / "runs", opened=list(made.values())) as address:
        yield address, {name: network.id for name, network in made.items()}


@pytest.mark.parametrize("count", counts(8, 100))
@pytest.mark.parametrize("name", ["functions", "convolutions"])
def test_random_equations_of_every_other_kind_add_up_too(open_window, strangers, name, count):
    address, ids = strangers
    window = open_window(address, ids[name])
    window.enter(f"/look/{window.run}")
    window.network.wait_for()
    window.quiet()
    found = read_all(Asker(window, photos(window)[:4]), count)
    assert found["equations"] == count
    assert found["numbers"] > 2 * count
