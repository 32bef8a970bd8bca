"""Where photos come from: a folder or a zip behind one face.

A listing names every file once, sorted by path, so that nothing depends on the order in which
a file system or an archive happens to hold them.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from seethrough.data.dataset import Problem

_SYSTEM_NAMES: Final = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}
    | {"system volume information", "lost+found"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file; `stamp` changes when the file does."""

    path: str  # relative to the source, with /
    size: int  # bytes
    stamp: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name."""
        return PurePosixPath(self.path).parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a source holds before anything is decoded."""

    entries: tuple[Entry, ...]  # sorted by path
    folders: tuple[str, ...]  # all of them, empty ones too, sorted
    problems: tuple[Problem, ...]
    num_ignored: int  # hidden and system files


class Source(ABC):
    """Lists files and reads them; never writes."""

    @abstractmethod
    def listing(self) -> Listing:
        """All files, without reading them."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The content of one file; DataError says why it cannot be had."""

    @abstractmethod
    def stamp(self) -> str:
        """A digest that changes when any file of the source was changed, added or removed."""


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name belongs to a system and not to the user."""
    return name.startswith(".") or name.casefold() in _SYSTEM_NAMES


def digest(parts: Iterable[str]) -> str:
    """SHA-256 of the parts; what is in one part never counts for another."""
    hashed = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        hashed.update(len(encoded).to_bytes(8, "big") + encoded)
    return hashed.hexdigest()
