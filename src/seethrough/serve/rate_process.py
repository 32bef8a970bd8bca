"""The process that computes a range test: `python -m seethrough.serve.rate_process FOLDER`.

It reads the run in FOLDER and writes nothing. On standard output it tells one JSON object a line,
as `wire.RangeTestEvent` has them. It ends at once when its standard input does: whoever started it
called it off, or is gone.
"""

import dataclasses
import io
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from seethrough.errors import SeethroughError
from seethrough.runs import manifest
from seethrough.runs.folder import Run
from seethrough.serve.wire.message import ErrorMessage, Message
from seethrough.serve.wire.rates import RangeTestEnded, RangeTestStarted, TrialEvent


def events(run: Run) -> Iterator[Message]:
    """What is tried, each trial, and what they say."""
    from seethrough.runs.rates import range_test
    from seethrough.train.rates import HIGHEST, LOWEST, STEPS, found

    recipe = run.manifest.recipe
    testing = range_test(run.dataset(), run.buildable, recipe)
    yield RangeTestStarted(
        kind="started",
        lowest=LOWEST,
        highest=HIGHEST,
        steps=STEPS,
        network=run.manifest.network.name,
        optimizer=recipe.optimizer,
        batch=recipe.batch,
        seed=recipe.seed,
    )
    tried = []
    for step, trial in enumerate(testing, start=1):
        tried.append(trial)
        yield TrialEvent(kind="trial", step=step, **dataclasses.asdict(trial))
    said = dataclasses.asdict(found(tried))
    yield RangeTestEnded(kind="end", state="finished", error=None, **said)


def ended(state: str, error: ErrorMessage | None) -> RangeTestEnded:
    """The end of a test that says nothing of rates."""
    nothing = {"steepest": None, "diverged": None, "suggested": None}
    return RangeTestEnded.model_validate({"kind": "end", "state": state, "error": error, **nothing})


def _end_with_input() -> None:
    """Nothing here is worth a farewell: no file is open for writing."""
    while os.read(0, 4096):  # not sys.stdin: its lock must be free when the interpreter ends
        pass
    os._exit(0)


def main(folder: Path) -> None:
    """Tell the test of this run on standard output."""
    # A network's own code may print; only events go where the events are read.
    told = io.open(os.dup(1), "w", encoding="utf-8", newline="\n")  # noqa: UP020, SIM115
    os.dup2(2, 1)
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        for event in events(Run(folder, manifest.read(folder))):
            told.write(event.model_dump_json() + "\n")
            told.flush()
    except SeethroughError as error:
        message = ErrorMessage(what=error.what, why=error.why, fix=error.fix)
        told.write(ended("failed", message).model_dump_json() + "\n")
        told.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
