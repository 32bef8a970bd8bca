"""A browser window on the studio, with what a reader of its screen would do and write down."""

import os
import re
from decimal import Decimal
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

from seethrough.serve.server import Address

MINUS = "\N{MINUS SIGN}"
NUMBER = re.compile(rf"[+{MINUS}-]?\d+(?:\.\d+)?(?:e[+{MINUS}-]?\d+)?")

# Told to the console, so that the window hears of them like of every other complaint.
WATCH = """
addEventListener('securitypolicyviolation', (event) =>
  console.error('content security policy: ' + event.violatedDirective + ' ' + event.blockedURI));
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({ type: 'layout-shift', buffered: true });
(function () {
  const slow = SLOW, fetched = window.fetch;  // how late an answer may be, in milliseconds
  if (slow) window.fetch = async (...given) => {
    const answer = await fetched(...given);
    await new Promise((done) => setTimeout(done, slow * Math.random()));
    given[1]?.signal?.throwIfAborted();
    return answer;
  };
  window.unread = 0;  // answers that the page has not yet taken in, to the last promise
  const counted = (owner, name) => {
    const own = owner[name];
    owner[name] = function (...given) {
      window.unread += 1;
      const answer = own.apply(this, given);
      const done = () => setTimeout(() => (window.unread -= 1));
      answer.then(done, done);
      return answer;
    };
  };
  for (const name of ['fetch', 'createImageBitmap']) counted(window, name);
  for (const name of ['json', 'arrayBuffer', 'blob']) counted(Response.prototype, name);
})();
"""

GO = """(address) => {
  history.replaceState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}"""

# Two frames: what a click sets going has been asked by then. Says how much is not yet taken in.
FRAMES = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => done(window.unread))))"""


def address_of(page: Page) -> str:
    """The address as the page itself has it; `page.url` hears of its changes a little later."""
    return str(page.evaluate("location.href"))


class Window:
    """One page; `complaints` are what a browser would tell a developer."""

    def __init__(self, context: BrowserContext, address: Address, run: str) -> None:
        self.address, self.run = address, run
        self.complaints: list[str] = []
        self.statuses: set[int] = set()  # refusals that a test asks for
        slow = int(os.environ.get("SEETHROUGH_SLOW", "0"))  # finds what does not wait
        context.add_init_script(WATCH.replace("SLOW", str(slow)))
        self._pending: set[Request] = set()
        self.page: Page = context.new_page()
        self.page.on("request", self._requested)
        self.page.on("requestfinished", self._ended)
        self.page.on("requestfailed", self._ended)
        self.page.on("response", self._answered)
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    # ---------------------------------------------------------------- going somewhere

    def enter(self, path: str = "/") -> None:
        """Open a page by the link from the terminal."""
        self.page.goto(self.address.link(path))

    def go(self, address: str) -> None:
        """Another address of the page that is open, as Back and Forward lead to one."""
        self.page.evaluate(GO, address)

    def look(self, photo: str | None = None, *, at: str = "") -> None:
        """Look at a photo, or at the first one offered, until its network is drawn."""
        rest = "" if photo is None else f"/{photo}{at}"
        self.enter(f"/look/{self.run}{rest}")
        expect(self.network).to_be_visible()
        expect(self.unit("softmax", 0)).to_be_visible()

    def quiet(self) -> None:
        """Wait until all that was asked is answered, taken in and drawn.

        Playwright's own "networkidle" is said once a document: after a click it is long true.
        """
        self.page.evaluate(FRAMES)
        while self.page.evaluate(FRAMES) or self._pending:
            pass

    def path(self) -> str:
        return urlsplit(address_of(self.page)).path

    def path_becomes(self, pattern: str) -> None:
        """Wait until the whole path of the address matches."""
        self.page.wait_for_function(
            "(pattern) => new RegExp('^' + pattern + '$').test(location.pathname)", arg=pattern
        )

    # ---------------------------------------------------------------- what is on the screen

    @property
    def network(self) -> Locator:
        return self.page.get_by_role("region", name="The network, layer by layer")

    @property
    def map(self) -> Locator:
        """The selected unit's map, on which the window moves."""
        return self.page.get_by_role("application", name="activation map of")

    @property
    def sentence(self) -> Locator:
        """The equation as screen readers hear it."""
        return self.page.locator("[aria-live=polite]", has_text=", unit ")

    def unit(self, layer: str, unit: int) -> Locator:
        """A unit in the drawing of the network; of softmax, a class."""
        columns = self.network.locator("[data-unit]")
        if layer == "softmax":
            return self.network.locator(".bars [data-unit]").nth(unit)
        return columns.and_(
            self.page.get_by_role("button", name=f"{layer}, unit {unit}", exact=True)
        )

    def select(self, layer: str, unit: int) -> None:
        """Click a unit and wait for its equation."""
        self.unit(layer, unit).click()
        expect(self.sentence).to_have_text(re.compile(rf"^{layer}, unit {unit}[,:]"))

    def select_class(self, layer: str, unit: int) -> None:
        """Click the cell or bar of a class, which carries its name, and wait for its equation."""
        column = self.network.locator(f"[data-column='{self._column(layer)}']")
        column.nth(unit).click()
        expect(self.sentence).to_have_text(re.compile(rf"^{layer}, unit {unit}:"))

    def _column(self, layer: str) -> str:
        """The place of a layer in the drawing; softmax is the last, dense before it."""
        last = int(self.unit("softmax", 0).get_attribute("data-column") or "0")
        return str(last if layer == "softmax" else last - 1)

    def point(self, row: int, column: int, *, size: tuple[int, int]) -> None:
        """Point at a cell of the selected unit's map and wait for its equation."""
        box = self.map.bounding_box()
        assert box is not None
        x, y = (column + 0.5) * box["width"] / size[1], (row + 0.5) * box["height"] / size[0]
        self.map.hover(position={"x": x, "y": y})
        expect(self.sentence).to_contain_text(f", row {row}, column {column}: ")

    def photos(self, run: str | None = None) -> list[str]:
        """A dozen of those that the page offers, of its own run or of another one, by their ids."""
        address = f"{self.address.url}/api/runs/{run or self.run}/photos?limit=12"
        return [photo["id"] for photo in self.page.request.get(address).json()["photos"]][:12]

    def overflow_px(self) -> int:
        """How far the page scrolls sideways; the room kept for a scrollbar is no content."""
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return max(0, int(self.page.evaluate(wider)))

    def shift(self) -> float:
        """The sum of all layout shifts of this document, those after a click included."""
        return float(self.page.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)"))

    # ---------------------------------------------------------------- complaints

    def _requested(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in {"blob", "data"}:
            return
        if request.resource_type != "eventsource":  # that one never ends
            self._pending.add(request)
        if f"{url.scheme}://{url.netloc}" != self.address.url:
            self.complaints.append(f"asked somebody else: {request.url}")

    def _ended(self, request: Request) -> None:
        self._pending.discard(request)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.statuses:
            self.complaints.append(f"{response.status}: {response.url}")

    def _told(self, message: ConsoleMessage) -> None:
        is_asked = self.statuses and "Failed to load resource" in message.text
        if message.type in {"error", "warning"} and not is_asked:
            self.complaints.append(f"console: {message.text}")


def exact(text: str) -> Decimal:
    """The one number in a text, digit by digit as it is displayed."""
    found = NUMBER.findall(text.replace("\N{NO-BREAK SPACE}", " "))
    assert len(found) == 1, text
    return Decimal(found[0].replace(MINUS, "-"))


def last(text: str) -> Decimal:
    """The last number in a text: what stands behind the last equals sign."""
    return Decimal(NUMBER.findall(text)[-1].replace(MINUS, "-"))
