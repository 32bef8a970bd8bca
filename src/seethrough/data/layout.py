"""Which folder means what: from a list of files to photos with a class and, perhaps, a split.

    photos/cat/1.jpg                 one folder a class; the split is made by `split.assign`
    photos/train/cat/1.jpg           train/ and test/, or train/, val/ and test/: taken as they are
    photos/val/cat/2.jpg             val/ without test/ is the test split
    photos/only/one/folder/cat/…     folders that hold nothing but one folder are passed through

Class names are the folders' names in Unicode's NFC form, in the order of their code points, and
splits are joined by name, never by position. Names that differ only in case or in their Unicode
form are refused: on another computer they would be one.

Raises DataError where it is not clear what to learn.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from seethrough.data.dataset import Problem
from seethrough.data.header import IMAGE_SUFFIXES
from seethrough.data.source import Entry, Listing
from seethrough.data.split import Split
from seethrough.errors import DataError

LAYOUTS: Final = (
    "make one folder a class (photos/cat/1.jpg, photos/dog/2.jpg, …), "
    "with or without train/ and test/ above them, and name the folder above."
)
_SPLITS: Final = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}
_WORDS: Final = {Split.TRAIN: "train", Split.VALIDATION: "val", Split.TEST: "test"}
IS_THE_TEST: Final = "is the test split."  # ends the note on folders without test/
_SHOWN = 5  # names in a sentence, before it says how many more


@dataclass(frozen=True, slots=True)
class Photo:
    """A file that should be a photo; `split` is None where the folders do not say.

    `label` is the position of its class; of photos with several labels, those of all of them.
    """

    path: str
    size: int
    label: int | tuple[int, ...]
    split: Split | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the folders, or a CSV, say."""

    classes: tuple[str, ...]
    photos: tuple[Photo, ...]  # sorted by path
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    is_several: bool = False  # a photo can have several labels, or none


def read(listing: Listing, *, name: str) -> Layout:
    """Find the classes; `name` is what messages call the source."""
    tree = _Tree(listing)
    base = tree.base()
    if not tree.folders(base):
        raise _no_classes(listing, name)
    notes = [f"The photos were found in {base.rstrip('/')}."] if base else []
    roots = _roots(tree, base, name, notes)
    is_divided = len(roots) > 1  # train/ alone is divided like a folder without it
    found = {split: _classes_in(tree, prefix, listing, name) for prefix, split in roots.items()}
    classes = _joined(found, name, notes)
    position = {label: index for index, label in enumerate(classes)}
    photos = [
        Photo(entry.path, entry.size, position[label], split if is_divided else None)
        for split, folders in found.items()
        for label, entries in folders.items()
        for entry in entries
    ]
    beside = [entry for prefix in {base, *roots} for entry in tree.files(prefix)]
    strays = [entry for entry in beside if _suffix(entry) in IMAGE_SUFFIXES]
    if others := len(beside) - len(strays):
        notes.append(f"{counted(others, 'other file')} beside the folders: not used.")
    if listing.num_ignored:
        notes.append(f"Hidden or system files that were ignored: {listing.num_ignored:,}.")
    problems = [*listing.problems, *map(_stray, strays)]
    return Layout(
        classes=classes,
        photos=tuple(sorted(photos, key=lambda photo: photo.path)),
        problems=tuple(sorted(problems, key=lambda problem: problem.path)),
        notes=tuple(notes),
    )


def _roots(tree: "_Tree", base: str, name: str, notes: list[str]) -> dict[str, Split]:
    """The folders in which class folders lie, each with what its photos are for."""
    given = _given_splits(tree, base, name)
    if not given:
        return {base: Split.TRAIN}
    if others := [folder for folder in tree.folders(base) if folder not in given]:
        notes.append(f"{_names(others)} was not used: it is not train, val or test.")
    if Split.TEST not in given.values() and Split.VALIDATION in given.values():
        val = next(folder for folder, split in given.items() if split == Split.VALIDATION)
        given[val] = Split.TEST
        notes.append(f"There is no test folder, so {val} {IS_THE_TEST}")
    return {f"{base}{folder}/": split for folder, split in given.items()}


class _Tree:
    """Which files and folders lie directly in a folder; prefixes end in / or are empty."""

    def __init__(self, listing: Listing) -> None:
        self._files: dict[str, list[Entry]] = defaultdict(list)
        self._folders: dict[str, list[str]] = defaultdict(list)
        for entry in listing.entries:
            self._files[entry.path[: entry.path.rfind("/") + 1]].append(entry)
        for folder in listing.folders:
            cut = folder.rfind("/") + 1
            self._folders[folder[:cut]].append(folder[cut:])

    def files(self, prefix: str) -> Sequence[Entry]:
        return self._files.get(prefix, [])

    def folders(self, prefix: str) -> Sequence[str]:
        return self._folders.get(prefix, [])

    def below(self, prefix: str) -> Iterable[Entry]:
        """All files under a folder, at any depth."""
        yield from self.files(prefix)
        for folder in self.folders(prefix):
            yield from self.below(f"{prefix}{folder}/")

    def holds_folders_only(self, prefix: str) -> bool:
        """Whether its photos, if any, lie in folders of their own."""
        return bool(self.folders(prefix)) and not any(
            _suffix(entry) in IMAGE_SUFFIXES for entry in self.files(prefix)
        )

    def base(self) -> str:
        """The folder in which the classes or the splits lie."""
        prefix = ""
        while len(self.folders(prefix)) == 1 and self.holds_folders_only(prefix):
            (only,) = self.folders(prefix)
            below = f"{prefix}{only}/"
            if only.casefold() in _SPLITS or not self.holds_folders_only(below):
                break
            prefix = below
        return prefix


def _given_splits(tree: _Tree, base: str, name: str) -> dict[str, Split]:
    """Folders that stand for splits; none where they are classes that are called so."""
    found = {
        folder: _SPLITS[folder.casefold()]
        for folder in tree.folders(base)
        if folder.casefold() in _SPLITS and tree.holds_folders_only(f"{base}{folder}/")
    }
    if not found:
        return {}
    for split in Split:
        same = [folder for folder, meant in found.items() if meant == split]
        if len(same) > 1:
            raise DataError(
                f"{name}: {_names(same)} mean the same split.",
                why=f"each of them is a name for the {_WORDS[split]} photos.",
                fix="move the photos into one of them.",
            )
    if Split.TRAIN not in found.values():
        raise DataError(
            f"{name}: there is {_names(found)}, but no train folder.",
            why="nothing is left to learn from when all photos are set aside.",
            fix="add train/ with one folder a class, or name a folder of classes.",
        )
    return found


def _classes_in(
    tree: _Tree, prefix: str, listing: Listing, name: str
) -> dict[str, tuple[Entry, ...]]:
    """The class folders directly under a folder, by their NFC names."""
    faults = {problem.path: problem for problem in listing.problems}
    found: dict[str, tuple[Entry, ...]] = {}
    folded: dict[str, str] = {}
    for folder in tree.folders(prefix):
        if fault := faults.get(f"{prefix}{folder}"):
            raise DataError(
                f"{name}: the class folder {folder!r} cannot be read.", why=fault.why, fix=fault.fix
            )
        label = unicodedata.normalize("NFC", folder)
        _refuse_twins(folded, label, name)
        found[label] = tuple(tree.below(f"{prefix}{folder}/"))
    return found


def _refuse_twins(folded: dict[str, str], label: str, name: str) -> None:
    key = unicodedata.normalize("NFC", label.casefold())
    if key in folded:
        raise DataError(
            f"{name}: the class folders {folded[key]!r} and {label!r} are too alike.",
            why="they differ only in capital letters or in how accents are stored; "
            "on many computers they are one folder.",
            fix="rename one, or move its photos into the other.",
        )
    folded[key] = label


def _joined(
    found: dict[Split, dict[str, tuple[Entry, ...]]], name: str, notes: list[str]
) -> tuple[str, ...]:
    """The classes of the training photos; every other split may use these and no others."""
    train = found[Split.TRAIN]
    classes = tuple(sorted(train))
    folded: dict[str, str] = {}
    for label in sorted({label for folders in found.values() for label in folders}):
        _refuse_twins(folded, label, name)
    for split, folders in found.items():
        if unknown := sorted(set(folders) - set(classes)):
            raise DataError(
                f"{name}: {_WORDS[split]} has classes that train has not: {_names(unknown)}.",
                why="a network can only tell apart what it has learned.",
                fix="add these folders to train, or take them out.",
            )
    if empty := [label for label in classes if not train[label]]:
        raise DataError(
            f"{name}: no photos in the class {_folders(empty)}.",
            why="there is nothing to learn this class from.",
            fix="put photos into it, or remove the folder.",
        )
    if len(classes) == 1:
        raise DataError(
            f"{name}: only one class, {classes[0]!r}.",
            why="a classifier learns to tell at least two kinds of photos apart.",
            fix="add a second folder with photos of something else.",
        )
    for split, folders in found.items():
        if missing := [label for label in classes if not folders.get(label)]:
            notes.append(f"{_WORDS[split].capitalize()} has no photos of {_names(missing)}.")
    return classes


def _no_classes(listing: Listing, name: str) -> DataError:
    photos = [entry for entry in listing.entries if _suffix(entry) in IMAGE_SUFFIXES]
    if photos:
        return DataError(
            f"{name}: {counted(len(photos), 'photo')}, but no folders that say what they show.",
            why="a class is a folder with photos of one kind.",
            fix=LAYOUTS,
        )
    if fault := next((problem for problem in listing.problems if problem.path == "."), None):
        return DataError(f"{name}: cannot be read.", why=fault.why, fix=fault.fix)
    hidden = f" ({listing.num_ignored} hidden or system files)" if listing.num_ignored else ""
    return DataError(f"{name}: no photos in it.", why=f"it is empty{hidden}.", fix=LAYOUTS)


def _stray(entry: Entry) -> Problem:
    return Problem(
        path=entry.path,
        what="It lies beside the class folders.",
        why="a photo's class is the folder it lies in, and this one lies in none.",
        fix="move it into the folder of its class.",
    )


def _suffix(entry: Entry) -> str:
    return PurePosixPath(entry.path).suffix.lower()


def _folders(names: Sequence[str]) -> str:
    return f"{'folder' if len(names) == 1 else 'folders'} {_names(names)}"


def counted(count: int, noun: str) -> str:
    """The count with its noun in the right number."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _names(names: Iterable[str]) -> str:
    shown = [repr(name) for name in names]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
