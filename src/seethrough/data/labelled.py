"""Photos of a folder or a zip with the labels of a CSV: what `layout.read` makes of folders alone.

Only photos that the CSV names are used; the others are counted in a note. A name means the file of
this path below the source, written in any Unicode form.

Raises DataError where a named file is not there.
"""

import unicodedata
from pathlib import PurePosixPath

from seethrough.data.header import IMAGE_SUFFIXES
from seethrough.data.layout import Layout, Photo, counted
from seethrough.data.sheet import Sheet
from seethrough.data.source import Listing
from seethrough.errors import DataError


def arrange(listing: Listing, sheet: Sheet, name: str) -> Layout:
    """The photos that the sheet names; `name` is what messages call the source."""
    entries = {unicodedata.normalize("NFC", entry.path): entry for entry in listing.entries}
    if missing := [file for file in sheet.labels if file not in entries]:
        raise _missing(missing, [*entries], sheet, name)
    photos = []
    for file, labels in sheet.labels.items():
        entry, own = entries[file], labels if sheet.is_several else labels[0]
        photos.append(Photo(entry.path, entry.size, own, None))
    unnamed = [
        path
        for path in entries
        if path not in sheet.labels and PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES
    ]
    notes = list(sheet.notes)
    if unnamed:
        more = ", …" if len(unnamed) > 1 else ""
        notes.append(
            f"{counted(len(unnamed), 'photo')} that the CSV does not name: not used "
            f"({unnamed[0]}{more})."
        )
    return Layout(
        classes=sheet.classes,
        photos=tuple(sorted(photos, key=lambda photo: photo.path)),
        problems=listing.problems,
        notes=tuple(notes),
        is_several=sheet.is_several,
    )


def _missing(missing: list[str], paths: list[str], sheet: Sheet, name: str) -> DataError:
    first = missing[0]
    ends = PurePosixPath(first).name
    near = next((path for path in paths if PurePosixPath(path).name == ends), None)
    csv = PurePosixPath(sheet.path).name
    others = f" (and {len(missing) - 1:,} others)" if len(missing) > 1 else ""
    return DataError(
        f"{name}: there is no {first!r}{others}.",
        why=f"{csv} names it" + (f"; there is {near!r}." if near else "."),
        fix="name files by their path inside the folder of photos, or take the lines out.",
    )
