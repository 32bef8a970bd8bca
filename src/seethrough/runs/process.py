"""Which process records a run, if any.

The file process.json in the run's folder is locked (flock) for as long as a process records, and
holds its id. The lock ends with the process, however it ends: a dead process never looks alive,
and a second one cannot record the same run. launch.json names a process that was started to
record and has not come so far yet. Before any process records, process.json names, unlocked, the
one that made the run and may be about to record it. Both hold the time at which the process
started, because the system gives the ids of dead processes to new ones.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seethrough.errors import RunError
from seethrough.runs import durable

_FILE = "process.json"
_LAUNCHED = "launch.json"


@contextmanager
def recording(folder: Path) -> Iterator[None]:
    """Be the one process that records this run, or raise RunError."""
    path = folder / _FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise durable.refused(path, 0, error) from error
    try:
        if not _locked(descriptor):
            raise RunError(
                f"{folder.name} is being trained already.",
                why=f"process {recorder(folder)} is recording it.",
                fix=f"wait for it, or stop it first: seethrough runs stop {folder.name}.",
            )
        _sign(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def recording_now(folder: Path) -> str | None:
    """The name of the living process that records this run; None where none does."""
    for _ in range(50):  # it takes the lock an instant before it signs
        if not is_recorded(folder):
            return None
        pid = recorder(folder)
        if pid is not None:
            return named(pid)
        time.sleep(0.01)
    return None


def named(pid: int) -> str:
    """A process, in words that no later process has."""
    return f"{pid} {_started(pid)}"


def announce(folder: Path, pid: int) -> None:
    """Note a process that was started to record this run and has not come so far yet."""
    durable.write(folder / _LAUNCHED, _signature(pid))


def made(folder: Path) -> None:
    """Note that this process makes the run, and may be about to record it."""
    signed = {**json.loads(_signature(os.getpid())), "has_begun": False}
    durable.write(folder / _FILE, json.dumps(signed).encode())


def unmade(folder: Path) -> None:
    """Take the note of `made` back: the run could not be made."""
    (folder / _FILE).unlink(missing_ok=True)


def is_to_come(folder: Path) -> bool:
    """Whether the process that made this run lives, and none has recorded it yet."""
    return not has_begun(folder) and _alive(folder / _FILE) is not None


def is_recorded(folder: Path) -> bool:
    """Whether a living process records this run now."""
    try:
        descriptor = os.open(folder / _FILE, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def was_launched(folder: Path) -> bool:
    """Whether a process was ever started in the background to record this run."""
    return (folder / _LAUNCHED).exists()


def has_begun(folder: Path) -> bool:
    """Whether a process ever began to record this run."""
    try:
        noted = json.loads((folder / _FILE).read_bytes())
    except OSError:
        return False
    except ValueError:  # it is about to sign
        return True
    return noted.get("has_begun", True) is not False


def recorder(folder: Path) -> int | None:
    """The living process that records this run, or was started to; None where there is none."""
    signed, launched = folder / _FILE, folder / _LAUNCHED
    if not is_recorded(folder):
        return _alive(launched)
    # It takes the lock an instant before it signs: until then the file names the run's maker, which
    # records it itself only where it launched nobody.
    first, second = (signed, launched) if has_begun(folder) else (launched, signed)
    return _alive(first) or _alive(second)


def _sign(descriptor: int, path: Path) -> None:
    content = _signature(os.getpid())
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content, 0)
    except OSError as error:
        raise durable.refused(path, len(content), error) from error


def _locked(descriptor: int) -> bool:
    for _ in range(50):  # a reader that asks whether the lock is taken holds it for an instant
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return True
    return False


def _alive(path: Path) -> int | None:
    try:
        noted = json.loads(path.read_bytes())
        pid, started = int(noted["pid"]), noted["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if _started(pid) == started else None


def _signature(pid: int) -> bytes:
    return json.dumps({"pid": pid, "started": _started(pid)}).encode()


def _started(pid: int) -> str | None:
    """When a process started, in the kernel's ticks, or a word where the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # never there, or gone while it was read
        if Path("/proc/self/stat").exists():
            return None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        return "alive"
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]  # field 22 of proc(5), counted from the state
