"""The log of a run: one JSON object a line, appended, never changed; the truth about the run.

A line is written in one piece; `sync` makes all of them survive a power cut. A last line that is
torn (the process was killed in the middle of it) does not count. A resumed run cuts the log back
to what its checkpoint knew, so that no step is missing, doubled or out of order.
Every checkpoint remembers the log's length in bytes and the SHA-256 of those bytes.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seethrough.runs import durable

LogEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two lines of a log."""

    length: int  # bytes before it
    sha256: str  # of those bytes


class Log:
    """A log that is open for appending, in one process."""

    def __init__(self, path: Path, *, keep: int) -> None:
        """Open the log and cut it after its first `keep` bytes."""
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            os.ftruncate(self._file, min(keep, os.fstat(self._file).st_size))
            self._length = os.fstat(self._file).st_size
        except OSError as error:
            raise durable.refused(path, 0, error) from error
        self._digest = hashlib.sha256(os.pread(self._file, self._length, 0))

    def append(self, event: Mapping[str, Any]) -> None:
        """Write one event as one line, or nothing at all."""
        line = f"{json.dumps(event, ensure_ascii=False, allow_nan=False)}\n".encode()
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError as error:
            os.ftruncate(self._file, self._length)
            raise durable.refused(self._path, len(line), error) from error
        self._length += len(line)
        self._digest.update(line)

    def sync(self) -> Position:
        """Make every line survive a power cut; the place after the last one."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise durable.refused(self._path, self._length, error) from error
        return Position(self._length, self._digest.hexdigest())

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def read(path: Path, *, after: int = 0) -> Iterator[tuple[int, LogEvent]]:
    """Each whole line after byte `after`: the byte after it, and its event.

    Where `after` is no place between two lines any more, because the log was cut back and grew
    again, reading begins at the start.
    """
    try:
        with path.open("rb") as file:
            if not _is_between_lines(file.fileno(), after):
                after = 0
            file.seek(after)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                after += len(line)
                yield after, json.loads(line)
    except FileNotFoundError:
        return


def begins_with(path: Path, position: Position) -> bool:
    """Whether the log still starts with what a checkpoint knew of it."""
    try:
        with path.open("rb") as file:
            head = file.read(position.length)
    except FileNotFoundError:
        head = b""
    is_same = hashlib.sha256(head).hexdigest() == position.sha256
    return is_same and len(head) == position.length


def _is_between_lines(descriptor: int, place: int) -> bool:
    return place == 0 or os.pread(descriptor, 1, place - 1) == b"\n"
