"""Photos in a folder of the user's: listed and read, never written.

Symbolic links are followed only to places inside the folder, and never in a circle. Pipes,
sockets and devices are not opened. What cannot be listed becomes a problem, not an exception.
"""

import errno
import os
import stat
from pathlib import Path

from seethrough.data.dataset import Problem
from seethrough.data.header import check_file_size
from seethrough.data.limits import MAX_DEPTH
from seethrough.data.source import Entry, Listing, Source, digest, is_ignored
from seethrough.errors import DataError

_NAMES_THAT_FIT = "rename it, using letters, digits and spaces."


class Folder(Source):
    """A folder on disk; lives as long as it is asked."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def listing(self) -> Listing:
        """All files under the folder, by one walk."""
        walk = _Walk(self._root)
        walk.enter(self._root, "", ())
        return Listing(
            entries=tuple(sorted(walk.entries, key=lambda entry: entry.path)),
            folders=tuple(sorted(walk.folders)),
            problems=tuple(sorted(walk.problems, key=lambda problem: problem.path)),
            num_ignored=walk.num_ignored,
        )

    def stamp(self) -> str:
        """Of all paths, sizes and times of change."""
        return listing_stamp(self.listing())

    def read(self, path: str) -> bytes:
        """The content of one file, if it is still a regular file inside the folder."""
        place = self._root / path
        try:
            if not place.resolve().is_relative_to(self._root):
                raise _outside(path)
            # Without O_NONBLOCK, opening a pipe that took the file's place would wait for ever.
            handle = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise _unreadable(path, error) from error
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise _no_file(path)
            check_file_size(state.st_size, name=path)
            try:
                return file.read()
            except OSError as error:
                raise _unreadable(path, error) from error


def listing_stamp(listing: Listing) -> str:
    """A digest of everything that a listing says."""
    files = (f"{entry.path}\0{entry.size}\0{entry.stamp}" for entry in listing.entries)
    faults = (f"{problem.path}\0{problem.what}" for problem in listing.problems)
    return digest([*files, "/", *listing.folders, "/", *faults, f"{listing.num_ignored}"])


class _Walk:
    """What one walk has found so far."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: list[Entry] = []
        self.folders: list[str] = []
        self.problems: list[Problem] = []
        self.num_ignored = 0

    def enter(self, place: Path, prefix: str, above: tuple[tuple[int, int], ...]) -> None:
        """List one folder; `above` are the identities of the folders around it."""
        try:
            state = place.stat()
            identity = (state.st_dev, state.st_ino)
            if identity in above or len(above) > MAX_DEPTH:
                self._problem(prefix.rstrip("/"), _circle(prefix.rstrip("/")))
                return
            if prefix:
                self.folders.append(prefix.rstrip("/"))
            with os.scandir(place) as found:
                for item in found:
                    self._take(item, prefix, (*above, identity))
        except OSError as error:
            self._problem(prefix.rstrip("/") or ".", _unreadable(prefix.rstrip("/") or ".", error))

    def _take(
        self, item: os.DirEntry[str], prefix: str, above: tuple[tuple[int, int], ...]
    ) -> None:
        if is_ignored(item.name):
            self.num_ignored += 1
            return
        path = prefix + item.name
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            self._problem(shown, _unnameable(shown))
            return
        try:
            if item.is_symlink() and not self._stays_inside(item):
                self._problem(path, _outside(path))
            elif item.is_dir():
                self.enter(Path(item.path), path + "/", above)
            elif item.is_file():
                state = item.stat()
                stamp = f"{state.st_mtime_ns} {state.st_ctime_ns}"
                self.entries.append(Entry(path, state.st_size, stamp))
            else:
                self._problem(path, _no_file(path))
        except OSError as error:
            self._problem(path, _unreadable(path, error))

    def _stays_inside(self, item: os.DirEntry[str]) -> bool:
        try:
            return Path(item.path).resolve(strict=True).is_relative_to(self.root)
        except (
            RuntimeError
        ) as error:  # Python 3.11 and 3.12 say so of links that lead to themselves
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error

    def _problem(self, path: str, error: DataError) -> None:
        self.problems.append(Problem.of(path, error))


def _unreadable(path: str, error: OSError) -> DataError:
    reason = error.strerror or str(error)
    if error.errno == errno.ENOENT:
        why, fix = (
            "it is a link to nothing, or it was removed.",
            "put the photo there, or leave it.",
        )
    elif error.errno == errno.ELOOP:
        why, fix = "it is a link that leads back to itself.", "remove the link."
    elif error.errno in (errno.EACCES, errno.EPERM):
        why, fix = f"the system says: {reason}.", "give yourself permission to read it."
    elif error.errno == errno.ENAMETOOLONG:
        why, fix = "its path is longer than the system allows.", "move it to a shorter path."
    else:
        why, fix = f"the system says: {reason}.", "copy it again from where it came from."
    return DataError(f"{path}: cannot be read.", why=why, fix=fix)


def _outside(path: str) -> DataError:
    return DataError(
        f"{path}: a link that leads out of the folder.",
        why="only files inside the folder that was named are read.",
        fix="copy what it points to into the folder, in place of the link.",
    )


def _circle(path: str) -> DataError:
    return DataError(
        f"{path}: a folder that contains itself.",
        why=f"a link leads back to a folder above it, or there are more than {MAX_DEPTH} levels.",
        fix="remove the link.",
    )


def _no_file(path: str) -> DataError:
    return DataError(
        f"{path}: not a regular file.",
        why="pipes, sockets and devices hold no photo, and opening one could wait for ever.",
        fix="take it out of the folder.",
    )


def _unnameable(shown: str) -> DataError:
    return DataError(
        f"{shown}: the name is not valid text.",
        why="its bytes are not UTF-8, so it could be neither shown nor typed.",
        fix=_NAMES_THAT_FIT,
    )
