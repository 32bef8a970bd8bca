"""`seethrough evaluate`: how good a network is on photos that were set aside before training."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli import options

if TYPE_CHECKING:
    from seethrough.evaluate.report import Report
    from seethrough.evaluate.several import SeveralReport
    from seethrough.runs.folder import Run


@click.command("evaluate", short_help="How good a network is on photos it never saw.")
@options.run
@click.option(
    "--views",
    type=click.Choice(["1", "2", "6"]),
    default="1",
    help="Average what it says of so many views of each photo.",
)
@options.runs_dir
@options.as_json
def command(run: str, views: str, runs_dir: Path | None, *, as_json: bool) -> None:
    """Say how good a network is on photos it never saw, and what would make it better.

    A run that is not finished is judged as it was at its last checkpoint.

    --json prints accuracy, interval [low, high], images, chance, train_accuracy, train_images,
    loss, classes, confusion (row: label, column: predicted), per_class, most_confused, verdict,
    explanation, warnings and views. Shares are 0..1. Of several labels a photo, accuracy is the
    share with all labels right, and instead of confusion, per_class and most_confused there are
    label_accuracy, label_chance, per_label and macro.
    """
    from seethrough.cli.report import print_report
    from seethrough.cli.terminal import print_json
    from seethrough.runs.folder import open_run

    report = _report(open_run(run, options.runs_folder(runs_dir)), int(views))
    if as_json:
        print_json(report.to_dict())
    else:
        print_report(report)


def _report(run: "Run", views: int) -> "Report | SeveralReport":
    """The report that was made at the end of training; measured now where there is none."""
    if views == 1 and (run.folder / "report.json").exists():
        return run.report
    from seethrough.cli.terminal import say
    from seethrough.runs.steering import sentences, turns

    say(f"{run.id} is {run.summary.state}; measuring its newest weights.")
    report = run.classifier.evaluate(run.dataset(), views=views)
    steered = sentences(turns(run.folder))
    return dataclasses.replace(report, warnings=(*steered, *report.warnings))
