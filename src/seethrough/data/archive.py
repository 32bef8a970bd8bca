"""Photos in a zip: listed and read in memory, never unpacked to the disk.

An archive is refused whole when it is not what an honest program writes: a name that leads out
of it (`..`, `/`, a drive, a server), two names that a computer could take for one, entries that
share bytes, more entries or more unpacked bytes than `limits` allows, encryption. Bytes are
counted while they are unpacked; what an entry says about its size is not believed.

Raises DataError. Zip only: tar, 7z and rar are refused by name.
"""

import os
import stat
import struct
import unicodedata
import weakref
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from seethrough.data.dataset import Problem
from seethrough.data.header import check_file_size, in_words
from seethrough.data.limits import MAX_DEPTH, MAX_ENTRIES, MAX_FILE_BYTES, MAX_RATIO
from seethrough.data.source import Entry, Listing, Source, is_ignored
from seethrough.errors import DataError

_MAX_DIRECTORY_BYTES: Final = 64_000_000  # 320 for each of MAX_ENTRIES
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_LOCAL_HEADER_BYTES: Final = 30  # without the name; APPNOTE.TXT 4.3.7
_RATIO_COUNTS_FROM: Final = 100_000_000  # unpacked bytes; below, no ratio does any harm
_UTF8_NAME = 0x800  # APPNOTE.TXT 4.4.4, bit 11
_ENCRYPTED = 0x1
_AGAIN = "make the zip again from the folder of photos, with the system's own zip program."


class Archive(Source):
    """A zip on disk; once its list of files was asked for, it stays open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def listing(self) -> Listing:
        """All files in the archive that may hold photos."""
        return self._contents.listing

    def stamp(self) -> str:
        """Of the archive's own size and times of change."""
        try:
            state = self._path.stat()
        except OSError as error:
            raise _unreadable(self._path, error) from error
        return f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"

    def read(self, path: str) -> bytes:
        """The unpacked content of one file."""
        member = self._contents.members.get(path)
        if member is None:
            raise DataError(
                f"{path}: not in {self._path.name}.",
                why="the archive holds no file of this name.",
                fix="load the archive again if it was changed.",
            )
        try:
            with self._contents.zip.open(member) as file:
                # One byte more than promised: only reading to the end makes zipfile check the sum.
                content = file.read(min(member.file_size, MAX_FILE_BYTES) + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise DataError(
                f"{path}: damaged inside the archive.",
                why=f"it cannot be unpacked ({error}).",
                fix=_AGAIN,
            ) from error
        check_file_size(len(content), name=path)
        return content

    @cached_property
    def _contents(self) -> "_Contents":
        opened = _opened(self._path)
        members = opened.infolist()
        _check_extent(members, opened.start_dir, self._path)
        names = _Names(self._path)
        for member in members:
            names.add(member)
        names.check_collisions()
        listing = Listing(
            entries=tuple(sorted(names.entries, key=lambda entry: entry.path)),
            folders=tuple(sorted(names.folders)),
            problems=tuple(sorted(names.problems, key=lambda problem: problem.path)),
            num_ignored=len(names.ignored),
        )
        return _Contents(opened, names.members, listing)


@dataclass(frozen=True, slots=True)
class _Contents:
    """An open archive whose names have been checked."""

    zip: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    listing: Listing


class _Names:
    """The names of an archive, made harmless or refused, one after the other."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._folded: dict[str, str] = {}  # how a careless computer would compare it → the name
        self._known: dict[str, str | None] = {}  # a folder as written → its path; None: ignored
        self.entries: list[Entry] = []
        self.members: dict[str, zipfile.ZipInfo] = {}
        self.problems: list[Problem] = []
        self.folders: set[str] = set()
        self.ignored: set[str] = set()

    def add(self, member: zipfile.ZipInfo) -> None:
        """Take one more entry in, unless it is a system's or cannot be read."""
        name = _decoded(member)
        above, cut, last = name.replace("\\", "/").rpartition("/")
        written = above + cut
        if written not in self._known:
            self._known[written] = self._folder(written, name)
        folder = self._known[written]
        if last == ".." or "\0" in last or self._is_drive(name):
            raise self._hostile(name)
        if folder is None or last in ("", "."):
            return
        path = f"{folder}/{last}" if folder else last
        if is_ignored(last):
            self.ignored.add(path)
            return
        key = _folded(path)
        if key in self._folded:
            raise DataError(
                f"{self._archive.name}: two files are called {path!r}.",
                why=f"{self._folded[key]!r} and {path!r} are one name on many computers.",
                fix="rename one of them and make the zip again.",
            )
        self._folded[key] = path
        try:
            _check_member(member, path)
        except DataError as error:
            self.problems.append(Problem.of(path, error))
            return
        self.members[path] = member
        self.entries.append(Entry(path, member.file_size, f"{member.CRC:08x}"))

    def check_collisions(self) -> None:
        """Refuse a name that is a file and a folder at once."""
        for folder in sorted(self.folders):
            if _folded(folder) in self._folded:
                raise DataError(
                    f"{self._archive.name}: {folder!r} is a file and a folder.",
                    why="no honest program writes such an archive.",
                    fix=_AGAIN,
                )

    def _folder(self, written: str, name: str) -> str | None:
        """The path of a folder and of all folders above it; None where a system owns it."""
        parts = [part for part in written.split("/") if part not in ("", ".")]
        if written.startswith("/") or ".." in parts or "\0" in written:
            raise self._hostile(name)
        if len(parts) > MAX_DEPTH:
            raise DataError(
                f"{self._archive.name}: folders inside folders, {len(parts)} deep.",
                why=f"up to {MAX_DEPTH} levels are read.",
                fix="put one folder a class into the zip.",
            )
        for depth, part in enumerate(parts, start=1):
            path = "/".join(parts[:depth])
            if is_ignored(part):
                self.ignored.add(path)
                return None
            self.folders.add(path)
        return "/".join(parts)

    def _is_drive(self, name: str) -> bool:
        return len(name) > 1 and name[1] == ":" and name[0].isalpha()

    def _hostile(self, name: str) -> DataError:
        return DataError(
            f"{self._archive.name}: the name {name!r} leads out of the archive.",
            why="such names are made to overwrite files elsewhere. Nothing was unpacked.",
            fix="ask where this archive comes from; " + _AGAIN,
        )


class _Bytes:
    """The file under a ZipFile. It closes with its last user, and every read names its place."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)
        self._name = path.name
        self._at = 0
        self._size = os.fstat(self._handle).st_size

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            message = "a place before the beginning"
            raise OSError(message)
        self._at = start + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        wanted = max(0, self._size - self._at) if size < 0 else size
        if wanted > _MAX_DIRECTORY_BYTES:
            raise self._too_many()
        content = os.pread(self._handle, wanted, self._at)
        self._at += len(content)
        # The directory is the only large piece that ZipFile reads at once.
        if content.startswith(_DIRECTORY_ENTRY) and content.count(_DIRECTORY_ENTRY) > MAX_ENTRIES:
            raise self._too_many()
        return content

    def _too_many(self) -> DataError:
        return DataError(
            f"{self._name}: too many files in the archive.",
            why=f"up to {MAX_ENTRIES:,} are read from one.",
            fix="unpack it and name the folder instead.",
        )


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        file = _Bytes(path)
        start = file.read(512)
        if not start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            raise DataError(
                f"{path}: not a zip.",
                why=f"its content is {in_words(start)}; photos are read from a folder or a zip.",
                fix="name the folder of the photos, or " + _AGAIN,
            )
        return zipfile.ZipFile(file)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path}: the zip is damaged or cut off.",
            why=f"its list of files cannot be read ({error}).",
            fix="download or copy it again; " + _AGAIN,
        ) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path}: cannot be read.",
        why=f"the system says: {error.strerror or error}.",
        fix="check the path and your permission to read it.",
    )


def _check_extent(members: list[zipfile.ZipInfo], end: int, path: Path) -> None:
    """Refuse archives that unpack to more than they can honestly hold."""
    unpacked = sum(member.file_size for member in members)
    packed = max(1, path.stat().st_size)
    if unpacked > _RATIO_COUNTS_FROM and unpacked > MAX_RATIO * packed:
        raise DataError(
            f"{path.name}: {packed / 1e6:.1f} MB that unpack to {unpacked / 1e6:,.0f} MB.",
            why=f"photos do not shrink {MAX_RATIO} times; this is made to fill a computer.",
            fix="ask where this archive comes from; " + _AGAIN,
        )
    places = sorted(
        (member.header_offset, _LOCAL_HEADER_BYTES + member.compress_size) for member in members
    )
    ends = [start for start, _ in places[1:]] + [end]
    for (start, size), next_start in zip(places, ends, strict=False):
        if start < 0 or start + size > next_start:
            raise DataError(
                f"{path.name}: files in the archive overlap.",
                why="the same bytes are unpacked for several names; no honest program writes that.",
                fix="ask where this archive comes from; " + _AGAIN,
            )
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise DataError(
            f"{path.name}: the archive is encrypted.",
            why="its files need a password, and there is nowhere to type one.",
            fix="unpack it with the password and name the folder instead.",
        )


def _check_member(member: zipfile.ZipInfo, path: str) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise DataError(
            f"{path}: a link or a device inside the archive.",
            why="only the bytes of the archive itself are read.",
            fix="put the photo itself into the zip.",
        )
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"{path}: packed in a way that is not read (method {member.compress_type}).",
            why="only the two methods that every zip program writes are read.",
            fix=_AGAIN,
        )
    check_file_size(member.file_size, name=path)


def _decoded(member: zipfile.ZipInfo) -> str:
    """The name; programs that write UTF-8 without saying so are read as they meant it."""
    name = member.orig_filename
    if name.isascii() or member.flag_bits & _UTF8_NAME:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
