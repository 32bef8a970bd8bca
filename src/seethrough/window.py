"""The studio, opened from Python: a server that lives until Ctrl-C.

It listens on 127.0.0.1 only and answers whoever has the address with the token in it. In a
notebook, interrupting the cell ends it.
"""

import contextlib
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from seethrough.errors import DataError
from seethrough.runs.folder import Run, open_run, runs_place
from seethrough.serve.server import running_server

if TYPE_CHECKING:
    from seethrough.classifier import Classifier
    from seethrough.serve.opened import Opened


def studio(
    shown: "Run | Classifier | str | None" = None,
    *,
    photos: str | Path | None = None,
    name: str | None = None,
    runs_dir: str | Path | None = None,
    port: int | None = None,
    opens_browser: bool = True,
) -> None:
    """Show all runs in the browser, at the run that is given, or any network, until Ctrl-C.

    A classifier, such as `see.wrap` makes of a trained module or an ONNX file, is looked through
    with the photos of a folder, under a name; nothing is written.
    """
    opened = []
    folder, page = runs_place(runs_dir), "/runs"
    if isinstance(shown, str):
        shown = open_run(shown, runs_dir)
    if isinstance(shown, Run):
        folder, page = shown.folder.parent, f"/look/{shown.id}"
    elif shown is not None:
        opened = [_opened(shown, photos, name)]
        page = f"/look/{opened[0].id}"
    if not opened and (photos is not None or name is not None):
        raise DataError(
            "photos and name go with a classifier.",
            why="a run knows its own photos, and has a name.",
            fix="leave them out, or give see.wrap(…) as the first argument.",
        )
    server = running_server(folder, port=port, opened=opened)
    with contextlib.suppress(KeyboardInterrupt), server as address:
        link = address.link(page)
        print(f"{link}\nCtrl-C ends it.", flush=True)
        if opens_browser:  # in a thread: some browsers stay in the foreground
            threading.Thread(target=webbrowser.open, args=[link], daemon=True).start()
        threading.Event().wait()


def _opened(classifier: "Classifier", photos: str | Path | None, name: str | None) -> "Opened":
    from seethrough.data.collection import collect
    from seethrough.serve.opened import opened

    inner = getattr(classifier.module, "network", classifier.module)
    return opened(
        classifier,
        name=name or classifier.network or type(inner).__name__,
        origin="opened from Python",
        photos=None if photos is None else collect(photos, classifier.classes),
    )
