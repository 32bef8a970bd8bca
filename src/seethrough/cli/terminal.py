"""What is printed, and where: results on standard output, everything else on standard error.

With --json standard output gets one JSON value and nothing else. Escape characters in names of
files and classes are shown, never sent to the terminal. Knows nothing of runs and networks.
"""

import json
import math
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

import click

from seethrough.errors import SeethroughError, StorageError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Unicode's control and format characters (the latter turn the direction of writing), separators
# of lines, and halves of characters, which cannot be printed at all.
STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
PLAIN_WIDTH = 100  # columns where the output is a file or a pipe


def print_json(value: dict[str, Any] | list[Any]) -> None:
    """One JSON value on standard output; not-a-number and infinity, which JSON lacks, are null."""
    _print(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_text(text: str) -> None:
    """A result for people, on standard output."""
    _print(printable(text))


def say(text: str) -> None:
    """A remark beside the result, on standard error."""
    click.echo(printable(text), err=True)


def say_error(error: SeethroughError) -> None:
    """What, why and fix: three lines on standard error."""
    what, why, fix = (" ".join(part.split()) for part in (error.what, error.why, error.fix))
    click.secho(printable(what), err=True, fg="red")
    click.echo(printable(f"why: {why}\nfix: {fix}"), err=True)


def printable(text: str) -> str:
    """The text with what would steer a terminal written out; line ends stay."""
    return "".join(
        ascii(letter)[1:-1] if category(letter) in STEERING and letter != "\n" else letter
        for letter in text
    )


def errors_are_watched() -> bool:
    """Whether somebody sees standard error as it is written: it is a terminal."""
    return sys.stderr.isatty()


def command_line(*words: str, runs_dir: Path | None = None) -> str:
    """A command to copy, with the folder of the runs where it was named."""
    place = [] if runs_dir is None else ["--runs-dir", str(runs_dir)]
    return shlex.join(["seethrough", *words, *place])


def console(*, to_errors: bool = False) -> "Console":
    """Rich's console; a pipe gets fixed columns, so that nothing depends on the terminal's."""
    from rich.console import Console

    stream = sys.stderr if to_errors else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def print_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> None:
    """Rows under titles on standard output; the columns counted in `right` are numbers."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, title in enumerate(titles):
        table.add_column(title, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    draw(table)


def draw(drawn: "RenderableType") -> None:
    """A table or coloured text on standard output; its words have been through `printable`."""
    drawing = console()
    with drawing.capture() as capture:
        drawing.print(drawn)
    _print("\n".join(line.rstrip() for line in capture.get().rstrip().split("\n")))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print(text: str) -> None:
    try:
        click.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon()
        raise click.exceptions.Exit(141) from None
    except OSError as error:  # a full disk behind `> file`
        _abandon()
        raise StorageError(
            f"The result could not be written to standard output: {len(text.encode()) + 1:,} "
            "bytes needed.",
            why=f"{error.strerror or error}. What was written of it is not whole.",
            fix="make room where the output goes, or send it to another disk.",
        ) from error


def _abandon() -> None:
    """What is still waiting to be written goes nowhere, so that the exit does not stumble on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
