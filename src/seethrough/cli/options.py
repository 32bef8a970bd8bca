"""The words that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seethrough.cli.together import check_alone

if TYPE_CHECKING:
    from seethrough.train.place import Place

Function = TypeVar("Function", bound=Callable[..., Any])


def runs_dir(function: Function) -> Function:
    """--runs-dir: None where it is not given, see `runs_folder`."""
    return click.option(
        "--runs-dir",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Where runs live (else SEETHROUGH_RUNS, else your data folder).",
    )(function)


def as_json(function: Function) -> Function:
    """--json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON value and nothing else."
    )(function)


def run(function: Function) -> Function:
    """RUN: which run is meant."""
    return click.argument("run", metavar="RUN")(function)


def no_open(function: Function) -> Function:
    """--no-open."""
    return click.option("--no-open", is_flag=True, help="Only print the address; open no browser.")(
        function
    )


def port(function: Function) -> Function:
    """--port: None takes a free one."""
    return click.option(
        "--port", type=click.IntRange(1, 65535), metavar="N", help="Instead of the first free port."
    )(function)


def runs_folder(given: Path | None) -> Path:
    """The folder that was given, or the one where runs live."""
    from seethrough.runs.folder import default_runs_dir

    return default_runs_dir() if given is None else given


def threads(function: Function) -> Function:
    """--threads: None takes as many as suit the run."""
    return click.option(
        "--threads", type=click.IntRange(1, 1024), metavar="N", help="Cores to compute with."
    )(function)


def device(function: Function) -> Function:
    """--device: None takes the processor, or where a run that goes on was."""
    return click.option(
        "--device", type=click.Choice(["cpu", "cuda"]), help="Compute on a graphics card: cuda."
    )(function)


def place(threads: int | None, device: str | None) -> "Place | None":
    """Where to compute, as asked; None: on the processor, as suits the run."""
    from seethrough.train.place import Place

    check_alone(threads)
    if threads is None and device != "cuda":
        return None
    return Place(device=device or "cpu", threads=threads)


def seed(function: Function) -> Function:
    """--seed: None takes the recipe's."""
    return click.option(
        "--seed", type=click.IntRange(min=0), metavar="N", help="Same seed, same weights."
    )(function)
