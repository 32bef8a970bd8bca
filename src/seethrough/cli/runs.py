"""`seethrough runs`: every run, newest first; `stop` ends a training, `recipe` prints a recipe."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli import options
from seethrough.cli.terminal import command_line, print_json, print_table, print_text, say

if TYPE_CHECKING:
    from seethrough.runs.summary import Summary


@click.group("runs", short_help="List all runs, newest first.", invoke_without_command=True)
@options.runs_dir
@options.as_json
@click.pass_context
def command(ctx: click.Context, runs_dir: Path | None, *, as_json: bool) -> None:
    """List all runs, newest first.

    --json prints a list; each run has id, created, state (waiting, training, paused, stopped,
    finished, failed), dataset, network, epoch, epochs, test_accuracy, train_seconds, steered,
    edited, several (labels a photo; test_accuracy is then the share with all of them right), start
    (whose weights it began with, or whose copy it is; null: untrained ones) and licence (of
    published weights that name one).
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = runs_dir
        return
    from seethrough.runs.store import list_runs

    folder = options.runs_folder(runs_dir)
    summaries = list_runs(folder)
    if as_json:
        print_json([dataclasses.asdict(summary) for summary in summaries])
    elif summaries:
        print_table(TITLES, [_row(summary) for summary in summaries], right=(3, 4, 5))
        for summary in summaries:
            if _is_unbegun(summary):
                begin = command_line("train", "--resume", summary.id, runs_dir=runs_dir)
                say(f"{summary.id} was stopped before it began. Begin it: {begin}")
    else:
        print_text(f"There are no runs in {folder}.")
        say("Train one: seethrough demo, or seethrough train FOLDER.")


@command.command("stop", short_help="End a training that goes on in the background.")
@options.run
@options.runs_dir
@click.pass_obj
def stop_run(named_before: Path | None, run: str, runs_dir: Path | None) -> None:
    """End a training that goes on in the background; what it learned is saved."""
    from seethrough.cli.training import say_stopped
    from seethrough.runs.folder import open_run
    from seethrough.runs.launch import stop

    place = runs_dir or named_before
    opened = open_run(run, options.runs_folder(place))
    stop(opened)
    say_stopped(opened, runs_dir=place)


@command.command("recipe", short_help="Print how a run was trained, as TOML.")
@options.run
@options.runs_dir
@click.pass_obj
def print_recipe(named_before: Path | None, run: str, runs_dir: Path | None) -> None:
    """Print a run's recipe, for another training with --recipe.

    \b
    seethrough runs recipe last > mine.toml
    seethrough train photos/ --recipe mine.toml
    """
    from seethrough.runs.folder import open_run

    opened = open_run(run, options.runs_folder(runs_dir or named_before))
    print_text(opened.manifest.recipe.to_toml().rstrip("\n"))


TITLES = ("run", "state", "photos", "epochs", "test accuracy", "training", "network", "created")


def _row(summary: "Summary") -> tuple[str, ...]:
    from seethrough.cli.progress import duration

    return (
        summary.id,
        _state(summary),
        summary.dataset,
        "–" if summary.edited else f"{summary.epoch} of {summary.epochs}",
        _accuracy(summary),
        duration(summary.train_seconds) if summary.train_seconds else "–",
        _network(summary),
        summary.created[:16].replace("T", " "),
    )


def _accuracy(summary: "Summary") -> str:
    share = summary.test_accuracy
    return "–" if share is None else f"{100 * share:.1f} %{', all labels' * summary.several}"


def _network(summary: "Summary") -> str:
    """With what it began, and the licence of weights that others published."""
    if summary.start is None:
        return summary.network
    name, _, revision = summary.start.partition("@")
    if name.startswith("hf:/"):  # a folder: its path stands in run.json
        name = f"hf:…/{name.rpartition('/')[2]}"
    start = f"{name}@{revision[:12]}" if revision else name
    licence = "" if summary.licence is None else f" ({summary.licence})"
    return f"{summary.network} from {start}{licence}"


def _state(summary: "Summary") -> str:
    if _is_unbegun(summary):
        return "stopped before it began"
    if summary.edited:
        return f"{summary.state}, changed by hand"
    return f"{summary.state}, steered" if summary.steered else summary.state


def _is_unbegun(summary: "Summary") -> bool:
    return summary.state == "stopped" and not summary.has_begun
