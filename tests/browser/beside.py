"""Two networks beside each other on one page, and what either of them says by itself."""

import struct
from dataclasses import dataclass

import httpx
from playwright.sync_api import Locator, expect
from tests.browser.window import MINUS, Window

from seethrough.runs.folder import Run
from seethrough.serve.server import Address

PATIENCE_MS = 120_000  # two networks are asked about many photos; a busy machine is slow, not wrong


@dataclass(frozen=True)
class Pair:
    """A server that looks at two finished runs."""

    first: Run
    second: Run
    address: Address

    def ask(self, path: str) -> httpx.Response:
        """The same from the API, without the page."""
        headers = {"authorization": f"Bearer {self.address.token}", "sec-fetch-site": "none"}
        answer = httpx.get(f"{self.address.url}/api/runs/{path}", headers=headers, timeout=300)
        return answer.raise_for_status()

    def tell(self, path: str, question: dict) -> httpx.Response:
        """A question that is sent as JSON."""
        headers = {"authorization": f"Bearer {self.address.token}", "sec-fetch-site": "none"}
        address = f"{self.address.url}/api/runs/{path}"
        return httpx.post(address, json=question, headers=headers, timeout=300).raise_for_status()

    def floats(self, path: str) -> tuple[float, ...]:
        content = self.ask(path).content
        return struct.unpack(f"<{len(content) // 4}f", content)

    def match(self, layer: str) -> dict:
        """A layer of the first, with the partners of its units."""
        found = self.ask(f"{self.first.id}/compare/{self.second.id}/matching").json()
        return next(one for one in found["layers"] if one["first"] == layer)


def open_pair(window: Window, path: str) -> Window:
    """The page at an address below /compare, once everything is drawn."""
    window.enter(f"/compare/{path}")
    expect(window.page.locator(".tiles canvas").first).to_be_visible(timeout=PATIENCE_MS)
    window.quiet()
    return window


def number(element: Locator) -> float:
    """Every digit that a title has."""
    return float((element.get_attribute("title") or "").replace(MINUS, "-"))
