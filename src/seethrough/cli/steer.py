"""`seethrough steer`: hold a training, let it go on, or turn its learning rate."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli import options

if TYPE_CHECKING:
    from seethrough.runs.folder import Run

PATIENCE_S = 10.0  # for the step under way, before one is told to wait for it


@click.command("steer", short_help="Pause a training, or turn its learning rate.")
@options.run
@click.option("--pause", is_flag=True, help="Hold after the step under way.")
@click.option("--go-on", is_flag=True, help="End the pause.")
@click.option(
    "--rate-factor",
    type=float,
    metavar="F",
    help="Learn at F times the planned rate from the next step on; 1 is the plan.",
)
@options.runs_dir
def command(
    run: str, runs_dir: Path | None, rate_factor: float | None, *, pause: bool, go_on: bool
) -> None:
    """Steer a training that goes on, in this terminal or another, in the studio or behind it.

    \b
    seethrough steer last --pause              hold after the step under way
    seethrough steer last --go-on
    seethrough steer last --rate-factor 0.5    half the planned learning rate

    A pause changes no result. A run whose learning rate was turned says so wherever its score
    stands, and repeats its turns at the same steps when it is resumed.
    """
    if not pause and not go_on and rate_factor is None:
        raise click.UsageError("Say what to do: --pause, --go-on or --rate-factor F.")
    if pause and go_on:
        raise click.UsageError("--pause holds the training, --go-on lets it go: choose one.")
    is_paused = pause if pause or go_on else None
    from seethrough.cli.terminal import say
    from seethrough.runs.folder import open_run
    from seethrough.runs.steering import ask

    opened = open_run(run, options.runs_folder(runs_dir))
    ask(opened.folder, is_paused=is_paused, rate_factor=rate_factor)
    if rate_factor is not None:
        say(f"{opened.id} learns at {rate_factor:g} times the planned rate from its next step on.")
    if is_paused is not None:
        say(_told(opened, is_paused=is_paused))


def _told(run: "Run", *, is_paused: bool) -> str:
    """What became of the wish, once the step under way is over."""
    until = time.monotonic() + PATIENCE_S
    while (run.summary.state == "paused") != is_paused and time.monotonic() < until:
        time.sleep(0.05)
    if not is_paused:
        return f"{run.id} goes on."
    if run.summary.state != "paused":
        return f"{run.id} will hold after the step under way."
    step = max(event["step"] for _, event in run.log() if event["kind"] == "paused")
    return (
        f"{run.id} is paused after step {step}; all of it is saved. Go on: "
        f"seethrough steer {run.id} --go-on."
    )
