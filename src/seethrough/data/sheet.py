"""A CSV that says what photos show: UTF-8, commas, a header, one photo a line.

    file,labels                       the labels of a photo, with | between them; empty: it has none
    a.jpg,red square|blue disc
    b.jpg,

    file,red square,blue disc         or a column for each label: 1, it shows it; 0, it does not
    a.jpg,1,1

The header decides: two columns `file,labels` (or `file,label`) are the first kind, everything else
the second. A file is a path relative to the folder of photos, with / (\\ is taken for it). Names of
labels are NFC without blanks around them, in the order of their code points. A cell is text and
nothing else: no formula is computed, nothing is opened. Where every photo has exactly one label it
is a data set of classes like any folder of folders.

Raises DataError where the file cannot be read, says two things of one photo, or gives nothing to
learn: a label that every photo has, or none.
"""

import csv
import hashlib
import io
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seethrough.errors import DataError

SEPARATOR: Final = "|"
MAX_BYTES: Final = 256 << 20
_LISTS: Final = ("labels", "label")
_FORMS: Final = (
    "write a header `file,labels` and lines such as `a.jpg,red square|blue disc`, or a column for "
    "each label with 1 and 0 in it."
)
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a CSV says; labels of a photo are positions in `classes`, sorted."""

    path: str  # absolute
    sha256: str  # of its bytes
    classes: tuple[str, ...]
    labels: dict[str, tuple[int, ...]]  # by file, in the order of the lines
    notes: tuple[str, ...]  # whole sentences

    @property
    def is_several(self) -> bool:
        """Whether some photo has no label, or more than one."""
        return any(len(own) != 1 for own in self.labels.values())


def read(path: str | Path) -> Sheet:
    """The sheet in a file."""
    place = Path(path).expanduser()
    try:
        content = place.read_bytes() if place.stat().st_size <= MAX_BYTES else None
        absolute = str(place.resolve())
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{path}: the labels cannot be read.",
            why=f"the system says: {getattr(error, 'strerror', None) or error}.",
            fix="give the path of a CSV file that says what each photo shows.",
        ) from error
    if content is None:
        raise DataError(
            f"{place.name}: the file is too large.",
            why=f"a CSV of labels has at most {MAX_BYTES:,} bytes.",
            fix="leave columns out that are no labels.",
        )
    lines = _lines(_decoded(content, place.name), place.name)
    header = next(lines, (0, []))[1]
    found, notes = _understood(header, lines, place.name)
    classes = _classes(found, place.name)
    position = {label: number for number, label in enumerate(classes)}
    labels = {file: tuple(sorted(position[each] for each in own)) for file, own in found.items()}
    _check_learnable(classes, labels, place.name)
    return Sheet(
        path=absolute,
        sha256=hashlib.sha256(content).hexdigest(),
        classes=classes,
        labels=labels,
        notes=(*notes, _said(place.name, classes, labels)),
    )


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}, line {line}: the text is not UTF-8.",
            why=f"the byte {content[error.start]:#04x} stands for no letter there.",
            fix="save it as “CSV UTF-8”.",
        ) from error
    if "\0" in text:
        raise DataError(
            f"{name}, line {text.count(chr(10), 0, text.index(chr(0))) + 1}: this is no text.",
            why="it holds a zero byte; UTF-16 and spreadsheets' own files do.",
            fix="save it as “CSV UTF-8”.",
        )
    return text


def _lines(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty with its number; cells without blanks around them."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            stripped = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise DataError(
            f"{name}, line {reader.line_num}: this is no CSV.",
            why=f"{error}.",
            fix='put text with commas or quotes in it between quotes: "a, b".',
        ) from error


def _understood(
    header: list[str], lines: Iterator[tuple[int, list[str]]], name: str
) -> tuple[dict[str, frozenset[str]], list[str]]:
    """The labels of each file, and what is noteworthy."""
    is_list = _check_header(header, name)
    found: dict[str, frozenset[str]] = {}
    repeated = 0
    for number, cells in lines:
        if len(cells) != len(header):
            raise DataError(
                f"{name}, line {number}: {len(cells)} cells.",
                why=f"the header has {len(header)}: {', '.join(header[:_SHOWN])}.",
                fix='give every line as many; put text with commas between quotes: "a, b".',
            )
        file = cells[0].replace("\\", "/").removeprefix("./")
        if not file:
            raise DataError(
                f"{name}, line {number}: no file.",
                why="the first cell of a line names the photo.",
                fix="name it, or take the line out.",
            )
        own = _listed(cells[1]) if is_list else _marked(cells, header, name, number)
        if found.get(file, own) != own:
            raise DataError(
                f"{name}, line {number}: {file} has other labels here.",
                why=f"it was said to show {_names(found[file])} before, and {_names(own)} now.",
                fix="leave one of the two lines.",
            )
        repeated += file in found
        found[file] = own
    if not found:
        raise DataError(f"{name}: no photos in it.", why="it has no lines.", fix=_FORMS)
    if not is_list:
        never = [label for label in header[1:] if not any(label in own for own in found.values())]
        if never:
            raise _unlearnable(name, f"no photo has the label {_names(never)}")
    return found, [f"{name}: {repeated:,} lines are there twice."] if repeated else []


def _check_header(header: list[str], name: str) -> bool:
    """Whether labels stand in one column."""
    if not header or header[0].casefold() != "file":
        first = repr(header[0][:80]) if header else "nothing"
        apart = any(sign in cell for cell in header[:1] for sign in ";\t")
        raise DataError(
            f"{name}: the first column is {first}.",
            why="the header's first column is `file`"
            + (", and commas stand between columns." if apart else "."),
            fix=_FORMS,
        )
    if len(header) == 2 and header[1].casefold() in _LISTS:
        return True
    others = header[1:]
    wrong = [label for label in others if label.casefold() in _LISTS]
    twice = [label for label, count in Counter(others).items() if count > 1]
    if not others or "" in others or wrong or twice:
        why = (
            f"there are columns beside `{wrong[0]}`: {_names(set(others) - set(wrong))}."
            if wrong
            else f"two columns are called {_names(twice)}."
            if twice
            else "a column has no name."
        )
        raise DataError(f"{name}: its columns cannot be understood.", why=why, fix=_FORMS)
    return False


def names_in(cell: str) -> list[str]:
    """The labels of a photo, as they stand in a cell: cat|dog."""
    return [label.strip() for label in cell.split(SEPARATOR) if label.strip()]


def _listed(cell: str) -> frozenset[str]:
    return frozenset(names_in(cell))


def _marked(cells: list[str], header: list[str], name: str, number: int) -> frozenset[str]:
    for label, cell in zip(header[1:], cells[1:], strict=True):
        if cell not in {"0", "1"}:
            raise DataError(
                f"{name}, line {number}: {cell[:80]!r} in the column {label!r}.",
                why="a column that is not `labels` is a label itself, with 1 or 0 in it.",
                fix="write 1 or 0, or take the column out if it is no label.",
            )
    return frozenset(
        label for label, cell in zip(header[1:], cells[1:], strict=True) if cell == "1"
    )


def _classes(found: dict[str, frozenset[str]], name: str) -> tuple[str, ...]:
    classes = tuple(sorted(frozenset[str]().union(*found.values())))
    folded: dict[str, str] = {}
    for label in classes:
        key = unicodedata.normalize("NFC", label.casefold())
        if key in folded:
            raise DataError(
                f"{name}: the labels {folded[key]!r} and {label!r} are too alike.",
                why="they differ only in capital letters.",
                fix="write them the same way, or give one another name.",
            )
        folded[key] = label
    return classes


def _check_learnable(classes: Sequence[str], labels: dict[str, tuple[int, ...]], name: str) -> None:
    if len(classes) < 2:
        raise DataError(
            f"{name}: {'only one label, ' + repr(classes[0]) if classes else 'no label'}.",
            why="a network here answers for two labels or more.",
            fix="for yes or no, name both: one label where it is shown, another where it is not.",
        )
    counts = Counter(position for own in labels.values() for position in own)
    always = [label for number, label in enumerate(classes) if counts[number] == len(labels)]
    if always:
        raise _unlearnable(name, f"every photo has the label {_names(always)}")


def _unlearnable(name: str, what: str) -> DataError:
    return DataError(
        f"{name}: {what}.",
        why="where the answer is always the same, there is nothing to learn.",
        fix="take this label out, or add photos for which the answer is the other one.",
    )


def _said(name: str, classes: Sequence[str], labels: dict[str, tuple[int, ...]]) -> str:
    """What was understood."""
    if all(len(own) == 1 for own in labels.values()):
        return f"{name}: every photo has exactly one label, so they are classes."
    most = max(len(own) for own in labels.values())
    without = sum(not own for own in labels.values())
    suspicious = [label for label in classes if ";" in label or "," in label]
    doubt = (
        f" The label {suspicious[0]!r} has another sign inside: labels are separated by |."
        if suspicious
        else ""
    )
    return (
        f"{name}: {len(classes)} labels, up to {most} a photo; {without:,} photos have none.{doubt}"
    )


def _names(names: Sequence[str] | frozenset[str] | set[str]) -> str:
    shown = [repr(name) for name in sorted(names)]
    if not shown:
        return "nothing"
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
