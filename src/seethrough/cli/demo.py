"""`seethrough demo`: a small network learns the built-in photos while you watch."""

import contextlib
import dataclasses
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seethrough.cli import options

if TYPE_CHECKING:
    from seethrough.data.dataset import Dataset
    from seethrough.runs.folder import Run
    from seethrough.train.recipe import Recipe

PHOTOS = "everyday"
NETWORK = "demo"
POLL_S = 0.2


@click.command("demo", short_help="Watch a small network learn built-in photos.")
@click.option("--once", is_flag=True, help="Train here, print the score and end; no studio.")
@options.seed
@options.port
@options.no_open
@options.runs_dir
@options.as_json
def command(
    seed: int | None,
    port: int | None,
    runs_dir: Path | None,
    *,
    once: bool,
    no_open: bool,
    as_json: bool,
) -> int:
    """Train a small network on built-in photos while you watch, then look inside.

    The studio opens in the browser at once; Ctrl-C stops the training and the studio.

    --once --json prints run, test_accuracy, test_interval [low, high], train_seconds, epochs,
    weights_sha256 and steered.
    """
    if as_json and not once:
        raise click.UsageError("--json goes with --once: it prints the outcome and ends.")
    from seethrough.train.recipe import DEMO

    recipe = DEMO if seed is None else dataclasses.replace(DEMO, seed=seed)
    if once:
        from seethrough.cli.training import train_here

        run, dataset = _new_run(PHOTOS, recipe, runs_dir=runs_dir, is_quiet=as_json)
        return train_here(run, dataset, runs_dir=runs_dir, as_json=as_json)
    return watch(PHOTOS, recipe, port=port, runs_dir=runs_dir, opens_browser=not no_open)


def watch(
    photos: str,
    recipe: "Recipe",
    *,
    port: int | None = None,
    runs_dir: Path | None = None,
    opens_browser: bool = True,
) -> int:
    """Studio here, training in a process of its own, until Ctrl-C; the exit code."""
    from seethrough.cli.terminal import print_text, say
    from seethrough.runs.interruption import interruption
    from seethrough.runs.launch import launch
    from seethrough.serve.opening import Opening
    from seethrough.serve.server import running_server

    folder, opening = options.runs_folder(runs_dir), Opening("Reading the photos")
    with (
        interruption() as is_asked,
        running_server(folder, port=port, opening=opening) as address,
    ):
        link = address.link("/")  # it leads on to the run as soon as there is one
        print_text(link)
        if opens_browser:  # in a thread: some browsers stay in the foreground
            threading.Thread(target=webbrowser.open, args=[link], daemon=True).start()
        run, _ = _new_run(photos, recipe, runs_dir=runs_dir, is_quiet=False, told=opening.tell)
        if is_asked():
            return _stopped(run, runs_dir)
        launch(run)
        opening.end()
        try:
            say(f"Training {run.id}. Ctrl-C stops it and closes the studio.")
            if not _follow(run, is_asked, runs_dir):
                return _stopped(run, runs_dir)
            say("\nThe studio stays open. Ctrl-C closes it.")
            while not is_asked():
                time.sleep(POLL_S)
        finally:
            _end(run)
    return 0


def _new_run(
    photos: str,
    recipe: "Recipe",
    *,
    runs_dir: Path | None,
    is_quiet: bool,
    told: Callable[[str, int, int], None] | None = None,
) -> "tuple[Run, Dataset]":
    from seethrough.cli.loading import load_photos
    from seethrough.model.presets import preset
    from seethrough.runs.creation import create

    spec = preset(NETWORK)
    dataset = load_photos(photos, image_px=spec.image_px, is_quiet=is_quiet, told=told)
    return create(dataset, spec, recipe, runs_dir=options.runs_folder(runs_dir)), dataset


def _follow(run: "Run", is_asked: Callable[[], bool], runs_dir: Path | None) -> bool:
    """Show the training until it ends, then its score; False where Ctrl-C ended it."""
    from seethrough.cli.following import follow
    from seethrough.cli.progress import training_line
    from seethrough.cli.training import close, line_of

    end: dict[str, Any] | None = None
    with training_line(line_of(run), is_quiet=False) as shown:
        for event in follow(run, should_stop=is_asked):
            shown.tell(event)
            end = event if event["kind"] == "end" else None
    if is_asked():
        return False
    close(run, end, runs_dir=runs_dir, as_json=False)
    return True


def _stopped(run: "Run", runs_dir: Path | None) -> int:
    from seethrough.cli.training import INTERRUPTED, say_stopped

    _end(run)
    say_stopped(run, runs_dir=runs_dir)
    return INTERRUPTED


def _end(run: "Run") -> None:
    """Stop the training if it still goes on; what it learned is saved."""
    from seethrough.errors import RunError
    from seethrough.runs.launch import stop

    if run.summary.is_live:
        with contextlib.suppress(RunError):  # it ended in the meantime
            stop(run)
