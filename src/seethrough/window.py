"""The studio, opened from Python: a server that lives until Ctrl-C.

It listens on 127.0.0.1 only and answers whoever has the address with the token in it. In a
notebook, interrupting the cell ends it.
"""

import contextlib
import threading
import webbrowser
from pathlib import Path

from seethrough.runs.folder import Run, default_runs_dir, open_run
from seethrough.serve.server import running_server


def studio(
    run: Run | str | None = None,
    *,
    runs_dir: Path | None = None,
    port: int | None = None,
    opens_browser: bool = True,
) -> None:
    """Show all runs in the browser, at this run if one is given, until Ctrl-C."""
    shown = open_run(run, runs_dir) if isinstance(run, str) else run
    folder = shown.folder.parent if shown is not None else runs_dir or default_runs_dir()
    with contextlib.suppress(KeyboardInterrupt), running_server(folder, port=port) as address:
        link = address.link("/runs" if shown is None else f"/look/{shown.id}")
        print(f"{link}\nCtrl-C ends it.", flush=True)
        if opens_browser:  # in a thread: some browsers stay in the foreground
            threading.Thread(target=webbrowser.open, args=[link], daemon=True).start()
        threading.Event().wait()
