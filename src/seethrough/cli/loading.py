"""Loading photos where somebody waits for it: progress, then what was found and what was not.

All of it goes to standard error; without a terminal only the outcome is told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seethrough.cli.terminal import console, errors_are_watched, say

if TYPE_CHECKING:
    from rich.progress import TaskID

    from seethrough.data.collection import Collection
    from seethrough.data.dataset import Dataset

Progress = Callable[[str, int, int], None]  # what, done, total

SHOWN_PROBLEMS = 5
WORTH_A_LINE = 1_000_000  # bytes of a file to fetch


def load_photos(
    source: str | Path,
    *,
    image_px: int | None,
    is_quiet: bool,
    labels: str | None = None,
    told: Progress | None = None,
) -> "Dataset":
    """The data set, with a bar while it is read and a few lines about it afterwards.

    `told` hears how far it is, too.
    """
    from seethrough.data.load import load

    with progress_bar() as shown:
        listeners = [listener for listener in (shown, told) if listener is not None]

        def progress(what: str, done: int, total: int) -> None:
            for listener in listeners:
                listener(what, done, total)

        heard = progress if listeners else None
        dataset = load(source, labels=labels, image_px=image_px, progress=heard)
    if not is_quiet:
        describe(dataset)
    tell_problems(dataset)
    return dataset


def describe(dataset: "Dataset") -> None:
    """What there is to learn from, and what is noteworthy."""
    from seethrough.data.split import Split

    train, test = (len(dataset.indices(split)) for split in (Split.TRAIN, Split.TEST))
    say(
        f"{dataset.name}: {train:,} photos to learn from, {test:,} set aside for testing, "
        f"{len(dataset.classes)} {'labels' if dataset.is_several else 'classes'}, "
        f"{dataset.image_px} px"
    )
    for note in dataset.notes:
        say(note)


def tell_problems(dataset: "Dataset | Collection") -> None:
    """Which files could not be used; nobody, with --json or without, loses one unawares."""
    if not dataset.problems:
        return
    count = len(dataset.problems)
    say(f"{count:,} {'file' if count == 1 else 'files'} could not be used:")
    for problem in dataset.problems[:SHOWN_PROBLEMS]:
        what, why = (" ".join(text.split()) for text in (problem.what, problem.why))
        say(f"  {problem.path}: {what.rstrip('.')}: {why}")
    if count > SHOWN_PROBLEMS:
        say(f"  and {count - SHOWN_PROBLEMS:,} more; `seethrough studio` lists them all.")


@contextmanager
def fetching_bar() -> Iterator[Progress | None]:
    """A bar on standard error while files are fetched: how much of how much, and how quickly.

    Without a terminal, a line where a file of some size begins to come.
    """
    if not errors_are_watched():
        yield _line_a_file()
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (
        TextColumn("fetching {task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console(to_errors=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None)
            bar.update(tasks[what], completed=done, total=total or None)

        yield progress


def _line_a_file() -> Progress:
    told: set[str] = set()

    def progress(what: str, done: int, total: int) -> None:
        if what not in told and total > WORTH_A_LINE:
            told.add(what)
            say(f"fetching {what}: {total / 1e6:,.0f} MB")

    return progress


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """A bar on standard error that is gone when the work is done; None where nobody sees it."""
    if not errors_are_watched():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, console=console(to_errors=True), transient=True) as bar:
        task = bar.add_task("looking for photos", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield progress
