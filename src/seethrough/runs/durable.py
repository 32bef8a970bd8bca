"""Writing a file so that it is either there, whole and on the disk, or was never touched.

    temporary name in the same folder → write → flush → fsync → read back and compare
    → rename over the final name → fsync of the folder

A reader sees the old content or the new one, after a kill or a power cut too. Raises StorageError
with the path and, where the disk is full, the bytes needed and free. A write that returns is there.
"""

import errno
import os
import shutil
from pathlib import Path

from seethrough.errors import StorageError

_SUFFIX = ".partial"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CHUNK = 1 << 20


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`, durably."""
    partial = path.with_name(f".{path.name}.{os.getpid()}{_SUFFIX}")
    try:
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if not _holds(partial, content):
                raise StorageError(
                    f"{path} was written and read back different.",
                    why="the disk returned other bytes than it was given.",
                    fix="check the disk, or put the runs elsewhere with --runs-dir.",
                )
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise refused(path, len(content), error) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what killed writers left in this folder; what a living one writes there stays."""
    for partial in folder.glob(f".*{_SUFFIX}"):
        if not _is_written(partial):
            partial.unlink(missing_ok=True)


def _is_written(partial: Path) -> bool:
    """Whether the process that began this file still lives: its number stands in the name."""
    number = partial.name.removesuffix(_SUFFIX).rpartition(".")[2]
    if not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def refused(path: Path, needed: int, error: OSError) -> StorageError:
    """What to tell of a write that the system refused."""
    if error.errno in _FULL:
        return StorageError(
            f"{path} could not be written: {needed:,} bytes needed, {_free(path)} free.",
            why=f"{os.strerror(error.errno or 0)}. What was there before is untouched.",
            fix="make room on this disk, or put the runs elsewhere with --runs-dir.",
        )
    return StorageError(
        f"{path} could not be written.",
        why=f"{error.strerror or error}.",
        fix="check that the folder is there and may be written to, or use --runs-dir.",
    )


def _holds(path: Path, content: bytes) -> bool:
    view = memoryview(content)
    with path.open("rb") as file:
        for start in range(0, len(view), _CHUNK):
            if file.read(_CHUNK) != view[start : start + _CHUNK]:
                return False
        return file.read(1) == b""


def _free(path: Path) -> str:
    try:
        return f"{shutil.disk_usage(path.parent).free:,}"
    except OSError:
        return "an unknown number"
