"""`seethrough export-log`: what a run's log tells, for other programs."""

from pathlib import Path

import click

from seethrough.cli import options


@click.command("export-log", short_help="A run's log as CSV or for TensorBoard.")
@options.run
@click.option("--csv", "as_csv", is_flag=True, help="Print steps and epochs as one CSV table.")
@click.option(
    "--tensorboard",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write TensorBoard's file into DIR.",
)
@options.runs_dir
def command(run: str, runs_dir: Path | None, tensorboard: Path | None, *, as_csv: bool) -> None:
    """Hand a run's log to other programs; the run stays as it is.

    \b
    seethrough export-log last --csv > log.csv
    seethrough export-log last --tensorboard boards/
    tensorboard --logdir boards/

    The second needs the extra: pip install 'seethrough[tensorboard]'.
    """
    if not as_csv and tensorboard is None:
        raise click.UsageError("Say what to make: --csv or --tensorboard DIR.")
    from seethrough.cli.terminal import print_text, say
    from seethrough.runs.folder import open_run
    from seethrough.runs.series import to_csv, to_tensorboard

    opened = open_run(run, options.runs_folder(runs_dir))
    if tensorboard is not None:
        say(f"Written: {to_tensorboard(opened, tensorboard)}")
    if as_csv:
        print_text(to_csv(opened).rstrip("\n"))
