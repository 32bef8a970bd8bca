"""The log of a run that another process records, as it grows."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from seethrough.errors import RunError

if TYPE_CHECKING:
    from seethrough.runs.folder import Run

POLL_S = 0.1
ALIVE_S = 1.0  # between two looks whether the process lives


def follow(run: "Run", *, should_stop: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """Every event from the beginning, until the end, a stop, or the death of the process.

    Raises RunError where the process died before it logged anything.
    """
    after, looked = 0, time.monotonic()
    while not should_stop():
        ended = False
        for line_end, event in run.log(after=after):
            after, ended = line_end, event["kind"] == "end"
            yield event
        if ended:
            return
        if time.monotonic() - looked > ALIVE_S:
            looked = time.monotonic()
            summary = run.summary
            if summary.state == "failed" and after == 0:
                raise _never_began(run)
            if not summary.is_live:
                return
        time.sleep(POLL_S)


def _never_began(run: "Run") -> RunError:
    output = run.folder / "output.txt"
    try:
        said = output.read_text(errors="replace").strip()[-600:]
    except OSError:
        said = ""
    return RunError(
        f"The training of {run.id} did not begin.",
        why=said or "its process ended without a word.",
        fix=f"try it by hand: seethrough train --resume {run.id}.",
    )
