"""A way to ask the application without a network, and a small trained run to ask about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import numpy as np
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from PIL import Image

from seethrough.runs.folder import Run
from seethrough.runs.record import train
from seethrough.serve.app import create_app
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

PORT = 8750
TOKEN = "a-token-for-tests"
OURS = f"http://127.0.0.1:{PORT}"
BEARER = {"authorization": f"Bearer {TOKEN}"}
OWN_PAGE = {**BEARER, "sec-fetch-site": "same-origin"}
NETWORK = "conv 4 k3 s2 p1, norm, relu, maxpool 2, conv 5 k3 p1 bias, relu, flatten, dense"


class Client:
    """Asks an application inside one event loop; answers like httpx."""

    def __init__(self, app: Any, portal: BlockingPortal, headers: dict[str, str]) -> None:
        self.app = app
        self._portal = portal
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        self._inner = httpx.AsyncClient(transport=transport, base_url=OURS, headers=headers)

    def request(self, method: str, address: str, **given: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            return await self._inner.request(method, address, **given)

        return self._portal.call(ask)

    def get(self, address: str, **given: Any) -> httpx.Response:
        return self.request("GET", address, **given)

    def post(self, address: str, **given: Any) -> httpx.Response:
        return self.request("POST", address, **given)


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """The application for a folder without runs."""
    return create_app(tmp_path_factory.mktemp("empty") / "runs", token=TOKEN, port=PORT)


@pytest.fixture
def stranger(app, portal):
    """A client that knows nothing."""
    return Client(app, portal, {})


def photo_of(kind: str, rng: np.random.Generator) -> np.ndarray:
    """30 × 40 px, reddish or striped."""
    pixels = rng.integers(0, 90, (30, 40, 3), dtype=np.uint8)
    if kind == "red":
        pixels[..., 0] += 120
    else:
        pixels[::4] += 120
    return pixels


@dataclass(frozen=True)
class Trained:
    """A finished run, and where it and its photos are."""

    run: Run
    runs_dir: Path
    photos: Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Trained:
    """One epoch on 40 photos of two classes, in the file order of their names."""
    place = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(5)
    for kind in ("red", "stripes"):
        folder = place / "photos" / kind
        folder.mkdir(parents=True)
        for number in range(20):
            Image.fromarray(photo_of(kind, rng)).save(folder / f"{number:02}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(place / "cache"))
        run = train(
            place / "photos",
            network=NETWORK,
            recipe=Recipe(epochs=1, batch=8, seed=3),
            runs_dir=place / "runs",
            place=Place(threads=1),
        )
    return Trained(run, place / "runs", place / "photos")


@pytest.fixture
def client(trained, portal):
    """The studio's page, asking about the trained run."""
    app = create_app(trained.runs_dir, token=TOKEN, port=PORT)
    return Client(app, portal, OWN_PAGE)


def raw(app: Any, scope: dict[str, Any], body: Sequence[bytes] = ()) -> list[dict[str, Any]]:
    """What the application sends to exactly this scope, for requests that no client can write."""
    sent: list[dict[str, Any]] = []
    pieces = list(body) or [b""]

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    anyio.run(app, scope, receive, send)
    return sent
