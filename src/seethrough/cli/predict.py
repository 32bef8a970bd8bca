"""`seethrough predict`: what a network says of photos."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli import options

if TYPE_CHECKING:
    from seethrough.predict.prediction import Prediction


@click.command("predict", short_help="What a network says of photos.")
@options.run
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@options.runs_dir
@options.as_json
def command(run: str, paths: tuple[str, ...], runs_dir: Path | None, *, as_json: bool) -> int:
    """Ask a network what photos show. PATH is a photo, or a folder of them at any depth.

    A file that cannot be read is listed with the reason; the exit code is 2 only if none could.

    --json prints a list; each entry has path, label, probability and probabilities (class: 0..1),
    or path and error {what, why, fix}. Of several labels a photo also labels, those of 0.5 or more;
    label is their names, and probability how sure it is of the label it is least sure of.
    """
    from seethrough.cli.terminal import print_json, print_text, printable, say
    from seethrough.predict.prediction import Prediction
    from seethrough.runs.folder import open_run

    classifier = open_run(run, options.runs_folder(runs_dir)).classifier
    width = max(len(printable(label)) for label in classifier.classes)
    rows, num_read = [], 0
    for answer in classifier.predict_files(paths):
        num_read += isinstance(answer, Prediction)
        if as_json:
            rows.append(answer.to_dict())
        elif isinstance(answer, Prediction):
            print_text(_line(answer, width))
        else:
            what = answer.what.removeprefix(f"{Path(answer.path).name}: ").rstrip(".")
            say(" ".join(f"{answer.path}: {what}: {answer.why}".split()))
            say(f"  fix: {' '.join(answer.fix.split())}")
    if as_json:
        print_json(rows)
    return 0 if num_read else 2


def _line(answer: "Prediction", width: int) -> str:
    """The label, how sure, the second choice, the file; of several labels each that is said."""
    from seethrough.cli.terminal import printable

    if answer.labels is not None:
        said = (
            f"{printable(name)} {_percent(answer.probabilities[name])}" for name in answer.labels
        )
        return f"{', '.join(said) or answer.label}  {answer.path}"
    others = sorted(answer.probabilities.items(), key=lambda each: -each[1])[1:2]
    second = "".join(f"then {label} {_percent(share)}" for label, share in others)
    label = printable(answer.label)
    return (
        f"{label:<{width}}  {_percent(answer.probability):>7}  {second:<{width + 14}}{answer.path}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
