"""A small huggingface.co on this machine: what it answers about the files of some repositories.

GET, HEAD /OWNER/NAME/resolve/REVISION/FILE   a file, with X-Repo-Commit, ETag, Content-Length
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .tiny import COMMIT


@dataclass
class Hub:
    """Repositories by name, each with its files; `refused` says what others are answered."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)  # status, X-Error-Code
    asked: list[str] = field(default_factory=list)
    address: str = ""
    before_content: Callable[[str], None] = lambda _: None


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_content=False)

        def do_GET(self) -> None:
            self._answer(with_content=True)

        def _answer(self, *, with_content: bool) -> None:
            parts = self.path.partition("?")[0].strip("/").split("/")
            name, wanted = "/".join(parts[:2]), "/".join(parts[4:])
            if len(parts) < 5 or parts[2] != "resolve":
                return self._say(404, "")
            hub.asked.append(f"{self.command} {name} {parts[3]} {wanted}")
            if name in hub.refused:
                return self._say(*hub.refused[name])
            if name not in hub.files:
                return self._say(401, "RepoNotFound")
            if parts[3] not in {"main", COMMIT}:
                return self._say(404, "RevisionNotFound")
            if wanted not in hub.files[name]:
                return self._say(404, "EntryNotFound")
            content = hub.files[name][wanted]
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if with_content:
                hub.before_content(wanted)
                self.wfile.write(content)
            return None

        def _say(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    return Handler


@contextmanager
def running() -> Iterator[Hub]:
    """The hub, on a port of its own, until the end of the block."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
