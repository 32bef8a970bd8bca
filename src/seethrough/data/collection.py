"""Photos of any folder or zip, to look at and not to learn from: no layout is asked for.

A photo's class is the nearest folder above it that is called like one of the classes, both names
in Unicode's NFC form; without such a folder nobody said what it shows, and its label is None.

Each file is read once, for its header says whether it is a photo and how large; its pixels are
decoded when they are looked at. Nothing is kept on the disk, neither beside the photos nor in the
cache. Of a source with more than MOST files, as many are taken, evenly spread, and a note says so.

Raises DataError where there is no photo. Knows no model.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from seethrough.data.dataset import Problem
from seethrough.data.decode import size_px
from seethrough.data.header import IMAGE_SUFFIXES
from seethrough.data.load import found
from seethrough.data.source import Entry, Source
from seethrough.errors import DataError

MOST = 1000

Progress = Callable[[str, int, int], None]  # what is being done, how many, of how many


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """One photo of a collection."""

    path: str  # relative to the source, with /
    label: str | None  # None: nobody said
    width: int  # px, as the file stores it
    height: int
    digest: str = field(repr=False)  # SHA-256 of the file, in hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Photos in the order of their paths."""

    name: str
    source: str  # absolute path, or the name of a built-in set
    photos: tuple[Pictured, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]  # whole sentences
    opened: Source = field(repr=False)

    def __len__(self) -> int:
        return len(self.photos)

    def content(self, index: int) -> bytes:
        """The file of one photo; DataError where it is another one by now."""
        photo = self.photos[index]
        content = self.opened.read(photo.path)
        if hashlib.sha256(content).hexdigest() != photo.digest:
            raise DataError(
                f"{photo.path}: the file was changed.",
                why="it is not the one that was there when the studio was opened.",
                fix="open the studio again.",
            )
        return content


def collect(
    source: str | Path, classes: Sequence[str], *, progress: Progress | None = None
) -> Collection:
    """Every photo of a folder, a zip or a built-in set, with its class where a folder says it."""
    name, origin, opened = found(source)
    listing = opened.listing()
    files = [entry for entry in listing.entries if _suffix(entry) in IMAGE_SUFFIXES]
    taken, notes = _spread(files), []
    if len(taken) < len(files):
        notes.append(f"{len(taken):,} of its {len(files):,} photos are shown, evenly spread.")
    known = {unicodedata.normalize("NFC", label): label for label in classes}
    photos, problems = [], list(listing.problems)
    for number, entry in enumerate(taken, start=1):
        try:
            photos.append(_pictured(opened, entry, known))
        except DataError as error:
            problems.append(Problem.of(entry.path, error))
        if progress is not None:
            progress("Reading photos", number, len(taken))
    if not photos:
        raise _no_photos(name, problems)
    if (unknown := sum(photo.label is None for photo in photos)) == len(photos):
        notes.append(_no_labels(photos, classes))
    elif unknown:
        notes.append(f"{unknown:,} of {len(photos):,} photos lie in no folder named like a class.")
    return Collection(
        name=name,
        source=origin,
        photos=tuple(photos),
        problems=tuple(sorted(problems, key=lambda problem: problem.path)),
        notes=tuple(notes),
        opened=opened,
    )


def _spread(files: list[Entry]) -> list[Entry]:
    if len(files) <= MOST:
        return files
    return [files[number * len(files) // MOST] for number in range(MOST)]


def _pictured(opened: Source, entry: Entry, known: dict[str, str]) -> Pictured:
    content = opened.read(entry.path)
    width, height = size_px(content, name=entry.path)
    above = [unicodedata.normalize("NFC", part) for part in entry.parts[-2::-1]]
    return Pictured(
        path=entry.path,
        label=next((known[folder] for folder in above if folder in known), None),
        width=width,
        height=height,
        digest=hashlib.sha256(content).hexdigest(),
    )


def _no_photos(name: str, problems: list[Problem]) -> DataError:
    if problems:
        first = problems[0]
        why = f"none of its files can be used; the first, {first.path}: {first.what}"
    else:
        why = f"no file in it ends in {', '.join(sorted(IMAGE_SUFFIXES))}."
    return DataError(
        f"{name}: no photos in it.",
        why=why,
        fix="name a folder with photos, or leave it out and drop photos on the page.",
    )


def _no_labels(photos: Sequence[Pictured], classes: Sequence[str]) -> str:
    folders = sorted({PurePosixPath(photo.path).parent.name for photo in photos} - {""})
    shown = ", ".join(map(repr, folders[:3])) + (", …" if len(folders) > 3 else "")
    there = f" (there is {shown})" if folders else ""
    return (
        f"No folder is called like a class, such as {classes[0]!r}{there}: "
        "nobody said what the photos show."
    )


def _suffix(entry: Entry) -> str:
    return PurePosixPath(entry.path).suffix.lower()
