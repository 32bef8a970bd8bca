"""Training in this process, and what is said at its end; shared by `train` and `demo --once`."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seethrough.cli.course import print_course
from seethrough.cli.progress import TrainingLine, epochs_of, training_line
from seethrough.cli.report import print_score
from seethrough.cli.terminal import command_line, print_json, say
from seethrough.cli.together import SAME_S, tell
from seethrough.errors import RunError, SeethroughError

if TYPE_CHECKING:
    from seethrough.data.dataset import Dataset
    from seethrough.evaluate.report import Report
    from seethrough.evaluate.several import SeveralReport
    from seethrough.runs.folder import Run
    from seethrough.train.parallel import World
    from seethrough.train.place import Place

    AnyReport = Report | SeveralReport

INTERRUPTED = 130  # as a shell reports Ctrl-C


def train_here(
    run: "Run",
    dataset: "Dataset",
    *,
    runs_dir: Path | None,
    place: "Place | None" = None,
    as_json: bool,
    said: Sequence[str] = (),
    world: "World | None" = None,
) -> int:
    """Record the run to its end, or until Ctrl-C; the exit code.

    `said` are sentences that were shown already and belong into the log. In a `world` of several,
    the others learn here what is trained.
    """
    from seethrough.runs.interruption import interruption
    from seethrough.runs.record import record

    end: dict[str, Any] | None = None
    # A second Ctrl-C does not wait for the checkpoint; the one before it is still there.
    with (
        contextlib.suppress(KeyboardInterrupt),
        interruption(0.0 if world is None else SAME_S) as is_asked,
        training_line(line_of(run), is_quiet=as_json) as shown,
    ):
        tell(world, run)
        lines = record(
            run, dataset=dataset, place=place, should_stop=is_asked, notes=said, world=world
        )
        for event in lines:
            if event["kind"] != "note" or event["text"] not in said:
                shown.tell(event)
            end = event if event["kind"] == "end" else None
    return close(run, end, runs_dir=runs_dir, as_json=as_json)


def line_of(run: "Run") -> TrainingLine:
    """A line that knows what the run's log told so far."""
    facts = run.manifest
    is_several = facts.dataset.is_several
    line = TrainingLine(epochs=facts.recipe.epochs, steps=None, is_several=is_several)
    for _, event in run.log():
        if event["kind"] != "end":
            line.tell(event)
    return line


def close(run: "Run", end: dict[str, Any] | None, *, runs_dir: Path | None, as_json: bool) -> int:
    """Say how the training ended, and what one can do now; the exit code."""
    if end is None or end["state"] == "stopped":
        say_stopped(run, runs_dir=runs_dir)
        return INTERRUPTED
    if end["state"] == "failed":
        raise _failure(run, end)
    report = _report(run)
    if as_json:
        print_json(outcome(run, end, report))
        return 0
    print_course(run)
    if report is None:
        say("No photos were set aside for testing, so nobody knows how good it is.")
    else:
        print_score(report)
    each = "label by label" if run.manifest.dataset.is_several else "class by class"
    say_what_next(run.id, runs_dir=runs_dir, each=each)
    return 0


def outcome(run: "Run", end: dict[str, Any], report: "AnyReport | None") -> dict[str, Any]:
    """What `train --json` and `demo --once --json` print."""
    return {
        "run": run.id,
        "test_accuracy": None if report is None else report.accuracy,
        "test_interval": None if report is None else list(report.interval),
        "train_seconds": end["train_seconds"],
        "epochs": end["epoch"],
        "weights_sha256": end["weights_sha256"],
        "steered": run.summary.steered,
    }


def say_stopped(run: "Run", *, runs_dir: Path | None) -> None:
    """What is saved, and the command that goes on."""
    summary = run.summary
    done = f"{summary.epoch} of {epochs_of(summary.epochs)} are done"
    say(f"Stopped. {run.id} is saved: {done}. Go on with")
    say(f"  {command_line('train', '--resume', run.id, runs_dir=runs_dir)}")


def say_what_next(run_id: str, *, runs_dir: Path | None, each: str = "class by class") -> None:
    """Commands to copy."""
    wanted = [
        (("studio", run_id), "look through it in the browser"),
        (("evaluate", run_id), each),
        (("predict", run_id, "photo.jpg"), "ask it about a photo"),
    ]
    lines = [(command_line(*words, runs_dir=runs_dir), why) for words, why in wanted]
    width = max(len(line) for line, _ in lines)
    say("\nWhat next")
    for line, why in lines:
        say(f"  {line:<{width}}   {why}")


def _report(run: "Run") -> "AnyReport | None":
    try:
        return run.report
    except RunError:
        return None


def _failure(run: "Run", end: dict[str, Any]) -> SeethroughError:
    error = end["error"] or {
        "what": f"The training of {run.id} failed.",
        "why": "its log does not say why.",
        "fix": f"look at the end of {run.folder / 'log.jsonl'}.",
    }
    return SeethroughError(error["what"], why=error["why"], fix=error["fix"])
