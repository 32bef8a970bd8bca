"""The built studio: one page for every view's address, and the files that the page loads.

The files are listed once, when the server starts: a request names an entry of that list and never
a path. File names under `assets/` carry a hash of their content, so browsers may keep them.
"""

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import FileResponse, Response

from seethrough.serve.guard import plain_page

STATIC = Path(__file__).parent / "static"
KEPT = "public, max-age=31536000, immutable"
KINDS = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}


@dataclass(frozen=True, slots=True)
class Pages:
    """The studio's files by their address."""

    files: dict[str, Path]

    def page(self, address: str) -> Response:
        """The file at this address, or the studio's page, which reads the address itself."""
        file = self.files.get(address)
        if file is not None and address != "index.html":
            return FileResponse(
                file,
                media_type=KINDS.get(file.suffix) or mimetypes.guess_type(file.name)[0],
                headers={"cache-control": KEPT if address.startswith("assets/") else "no-cache"},
            )
        if address.startswith("assets/"):
            return plain_page(
                "This file is gone.", "The studio was built anew: reload the page.", status=404
            )
        if "index.html" not in self.files:
            return plain_page(
                "The studio is not built yet.",
                "This is a bare checkout. Run <code>make studio</code> in it, then start again.",
                status=503,
            )
        return FileResponse(self.files["index.html"], media_type="text/html")


def pages(static: Path = STATIC) -> Pages:
    """What the folder of the built studio holds; an empty list where it is not built."""
    return Pages(
        {
            path.relative_to(static).as_posix(): path
            for path in sorted(static.rglob("*"))
            if path.is_file()
        }
    )
