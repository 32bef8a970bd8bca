"""Training in the background: a process of its own that outlives the one that started it.

launch   python -m seethrough train --resume ID, in a session of its own, output in output.txt
stop     SIGTERM: the run finishes its step, writes a checkpoint and ends; after 10 s SIGKILL
"""

import os
import signal
import subprocess
import sys
import threading
import time

from seethrough.errors import RunError
from seethrough.runs import durable, process
from seethrough.runs.folder import Run

GRACE_S = 10.0
_POLL_S = 0.05


def launch(run: Run) -> int:
    """Start a process that records the run, or goes on with it; its id."""
    if process.recorder(run.folder) is not None:
        raise RunError(
            f"{run.id} is being trained already.",
            why=f"process {process.recorder(run.folder)} is recording it.",
            fix=f"wait for it, or stop it first: seethrough runs stop {run.id}.",
        )
    output = run.folder / "output.txt"
    command = [sys.executable, "-m", "seethrough", "train", "--resume", str(run.folder)]
    try:
        with output.open("ab") as file:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own folder
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
    except OSError as error:
        raise durable.refused(output, 0, error) from error
    process.announce(run.folder, child.pid)
    # Collects the exit status, so that an ended process does not stay in the system's table.
    threading.Thread(target=child.wait, name=f"wait-{run.id}", daemon=True).start()
    return child.pid


def stop(run: Run, *, grace_s: float = GRACE_S) -> None:
    """End the process that records the run; returns when it is gone."""
    pid = process.recorder(run.folder)
    if pid is None:
        raise RunError(
            f"{run.id} is not being trained.",
            why=f"it is {run.summary.state}; no process records it.",
            fix="there is nothing to stop.",
        )
    for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if process.recorder(run.folder) != pid:
                return
            time.sleep(_POLL_S)
