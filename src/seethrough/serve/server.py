"""The server's lifetime: a port on 127.0.0.1, a token, and an end within three seconds.

It starts without torch, so that the page is there at once; torch is loaded in the background
while the page is being read. Raises ServerError where the port cannot be had.
"""

import contextlib
import gc
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from seethrough.errors import ServerError
from seethrough.serve.app import create_app
from seethrough.serve.connection import connection
from seethrough.serve.opened import Opened
from seethrough.serve.opening import Opening

HOST = "127.0.0.1"
FIRST_PORT = 8750
PORTS_TRIED = 50
TOKEN_BYTES = 32
GRACE_S = 2  # for answers that are under way when the server ends; streams end at once
WARM_AFTER_S = 1.0  # the page comes first


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is, and what opens it."""

    port: int
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        """The server without its token."""
        return f"http://{HOST}:{self.port}"

    def link(self, path: str = "/") -> str:
        """The address of a page that works once in any browser, and in that browser from then."""
        return f"{self.url}{path}{'&' if '?' in path else '?'}token={self.token}"


def _bound(port: int) -> socket.socket:
    # Told that it is TCP, asyncio sends small pieces at once; else each answer waits 40 ms for
    # the browser's acknowledgement of its head.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


def _listen(port: int | None) -> socket.socket:
    """A listening socket on that port; on the first free one where none is named."""
    if port is not None:
        try:
            return _bound(port)
        except (OSError, OverflowError) as error:
            raise ServerError(
                f"Port {port} cannot be used.",
                why=f"{getattr(error, 'strerror', None) or error}.",
                fix="leave --port out to take a free one, or end what uses it.",
            ) from None
    for candidate in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        with contextlib.suppress(OSError):
            return _bound(candidate)
    return _bound(0)


def _load() -> None:
    """What looking into a network needs; the collector of garbage leaves it alone from then on.

    It would need 0.1 s to go through all of torch, in the middle of an answer.
    """
    import seethrough.classifier  # noqa: F401 (for what it loads)

    gc.freeze()


def _warm() -> threading.Timer:
    """Load what looking into a network needs, soon, in the background."""
    timer = threading.Timer(WARM_AFTER_S, _load)
    timer.daemon = True
    return timer


class _Running:
    """A listening socket, the application and the loop that joins them."""

    def __init__(
        self,
        runs_dir: Path,
        port: int | None,
        opening: Opening | None = None,
        opened: Sequence[Opened] = (),
    ) -> None:
        self.listener = _listen(port)
        self.address = Address(
            port=self.listener.getsockname()[1], token=secrets.token_urlsafe(TOKEN_BYTES)
        )
        app = create_app(
            runs_dir,
            token=self.address.token,
            port=self.address.port,
            is_closing=lambda: self.loop.should_exit,
            opening=opening,
            opened=opened,
        )
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=connection,  # type: ignore[arg-type]  # it is called like the class it makes
            ws="none",
            log_config=None,
            log_level="error",  # its warnings are about what strangers send to the port
            access_log=False,  # addresses can carry the token
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        self.loop = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until somebody asks to end."""
        warm = _warm()
        if "seethrough.classifier" in sys.modules:
            gc.freeze()
        else:
            warm.start()
        try:
            self.loop.run(sockets=[self.listener])
        finally:
            warm.cancel()
            gc.unfreeze()


def serve(
    runs_dir: Path,
    *,
    port: int | None = None,
    page: str = "/",
    opens_browser: bool = True,
    ready: Callable[[Address], None] | None = None,
    opened: Sequence[Opened] = (),
) -> None:
    """Serve until Ctrl-C; `ready` is told the address before the first request is answered."""
    running = _Running(runs_dir, port, opened=opened)
    if ready is not None:
        ready(running.address)
    if opens_browser:  # in a thread: some browsers stay in the foreground
        link = running.address.link(page)
        threading.Thread(target=webbrowser.open, args=[link], daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        running.run()


@contextlib.contextmanager
def running_server(
    runs_dir: Path,
    *,
    port: int | None = None,
    opening: Opening | None = None,
    opened: Sequence[Opened] = (),
) -> Iterator[Address]:
    """A server in a thread of its own, for as long as the `with` lasts.

    While `opening` is not ended, the page shows how far it is instead of the newest run.
    """
    running = _Running(runs_dir, port, opening, opened)
    thread = threading.Thread(target=running.run, name="seethrough-serve")
    thread.start()
    try:
        yield running.address
    finally:
        running.loop.should_exit = True
        thread.join()
