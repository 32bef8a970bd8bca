"""The moments of a run: the network as it was after some of its steps, in one file.

    moments.bin   whole safetensors files (as `model.checkpoint` packs them), one behind the other,
                  in the order of their steps; each says in its header how long it is

A moment is appended in one piece and never changed. What a killed process left of its last one does
not count. A resume cuts the file back to the moments that its checkpoint had seen, so that a run
that was killed and went on ends with the same bytes as one that nobody disturbed.
Which steps are kept stands in `train.moments`. Listing them needs no torch.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seethrough.runs import durable

FILE = "moments.bin"
MAX_HEADER = 8 * 1024 * 1024  # bytes, as in `model.checkpoint`


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The network as it was judged after one step, and where its bytes lie."""

    step: int  # steps taken; 0: nothing was learned yet
    epoch: int  # from 1: the epoch that the step belongs to; 0 before the first step
    is_whole: bool  # all weights are kept: any photo can be sent through
    names: tuple[str, ...]  # of the weights and running statistics that are kept
    offset: int  # of its first byte in the file
    length: int  # in bytes
    sha256: str  # of those bytes, as they say themselves


def listed(folder: Path) -> tuple[Moment, ...]:
    """All whole moments of the run in this folder, the first one first."""
    try:
        with (folder / FILE).open("rb") as file:
            return tuple(_moments(file.fileno()))
    except FileNotFoundError:
        return ()


def content(folder: Path, moment: Moment) -> bytes:
    """The bytes of one moment: a safetensors file."""
    with (folder / FILE).open("rb") as file:
        return os.pread(file.fileno(), moment.length, moment.offset)


def _moments(descriptor: int) -> Iterator[Moment]:
    offset, end = 0, os.fstat(descriptor).st_size
    while offset < end:
        head = os.pread(descriptor, 8, offset)
        size = int.from_bytes(head, "little")
        if len(head) < 8 or not 2 <= size <= MAX_HEADER:
            return
        moment = _moment(os.pread(descriptor, size, offset + 8), offset)
        if moment is None or offset + moment.length > end:
            return
        yield moment
        offset += moment.length


def _moment(header: bytes, offset: int) -> Moment | None:
    """What a header says; None where it is none."""
    try:
        entries = json.loads(header)
        notes = entries.pop("__metadata__")
        numbers = max((int(entry["data_offsets"][1]) for entry in entries.values()), default=0)
        return Moment(
            step=int(notes["step"]),
            epoch=int(notes["epoch"]),
            is_whole=notes["whole"] == "true",
            names=tuple(entries),
            offset=offset,
            length=8 + len(header) + numbers,
            sha256=notes["seethrough.sha256"],
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None


class MomentFile:
    """The file while it is appended to, by the one process that records the run."""

    def __init__(self, folder: Path, *, keep: int) -> None:
        """Open it and cut it after its first `keep` bytes."""
        self._path = folder / FILE
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            os.ftruncate(self._file, keep)
        except OSError as error:
            raise durable.refused(self._path, 0, error) from error
        self._length = keep

    def append(self, packed: bytes) -> None:
        """Write one moment, or nothing at all."""
        view, written = memoryview(packed), 0
        try:
            while written < len(packed):
                written += os.write(self._file, view[written:])
        except OSError as error:
            os.ftruncate(self._file, self._length)
            raise durable.refused(self._path, len(packed), error) from error
        self._length += len(packed)

    def sync(self) -> None:
        """Make every moment survive a power cut."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise durable.refused(self._path, self._length, error) from error

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
