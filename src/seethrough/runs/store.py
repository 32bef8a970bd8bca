"""The list of all runs, from an index that can be thrown away.

The truth is in the runs' folders. The index (runs_dir/index.sqlite) only remembers summaries of
files that have not changed, by their sizes and times; what it does not know is read again. It is
read and written by those who list runs, never by training. Where it is locked, damaged, read-only
or newer than this program, the list comes from the folders alone.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seethrough.errors import RunError
from seethrough.runs import folder, manifest, summary
from seethrough.runs.migrations import migrate
from seethrough.runs.summary import Summary

INDEX = "index.sqlite"
_BUSY_S = 0.2


def list_runs(runs_dir: Path | None = None) -> list[Summary]:
    """Every run, newest first; a folder whose run.json cannot be read is left out."""
    place = runs_dir or folder.default_runs_dir()
    root = str(place)  # joining a thousand Paths costs more than asking the disk about them
    stamps = {name: _stamp(f"{root}/{name}") for name in folder.run_ids(place)}
    known = _known(place)
    listed, fresh = [], {}
    for name, stamp in stamps.items():
        said = known[name][1] if name in known and known[name][0] == stamp else None
        if said is None:
            try:
                said = summary.from_files(place / name)
            except (RunError, KeyError, TypeError, ValueError):
                continue
            fresh[name] = (stamp, said)
        listed.append(said if said.is_finished else summary.reconciled(said, place / name))
    gone = known.keys() - stamps.keys()
    if fresh or gone:
        _remember(place, fresh, gone)
    return sorted(listed, key=lambda each: (each.created, each.id), reverse=True)


def rebuild(runs_dir: Path) -> None:
    """Throw the index away; the next list makes it again."""
    for name in (INDEX, f"{INDEX}-journal"):
        (runs_dir / name).unlink(missing_ok=True)


def _stamp(run: str) -> str:
    """Changes whenever the run's manifest or log does."""
    parts = []
    for name in (manifest.FILE, "log.jsonl"):
        try:
            found = os.stat(f"{run}/{name}")  # noqa: PTH116 - a thousand of them
        except OSError:
            parts.append("-")
        else:
            parts.append(f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}")
    return " ".join(parts)


@contextmanager
def _index(place: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(place / INDEX, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # it can be made again
        migrate(connection)
        yield connection
    finally:
        connection.close()


def _known(place: Path) -> dict[str, tuple[str, Summary]]:
    """What the index remembers; nothing where it cannot be used."""
    if not (place / INDEX).exists():
        return {}
    try:
        with _index(place) as index:
            rows = index.execute("SELECT folder, stamp, summary FROM summaries").fetchall()
        return {name: (stamp, Summary(**json.loads(text))) for name, stamp, text in rows}
    except sqlite3.OperationalError:  # locked, or a disk that cannot be read: it may be fine later
        return {}
    except (sqlite3.DatabaseError, TypeError, ValueError):
        with contextlib.suppress(OSError):
            rebuild(place)
        return {}


def _remember(place: Path, fresh: dict[str, tuple[str, Summary]], gone: set[str]) -> None:
    rows = [(name, stamp, json.dumps(said.to_dict())) for name, (stamp, said) in fresh.items()]
    # A list that could not be remembered is still a right list.
    with contextlib.suppress(sqlite3.Error), _index(place) as index:
        index.execute("BEGIN IMMEDIATE")
        index.executemany("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)", rows)
        index.executemany("DELETE FROM summaries WHERE folder = ?", [(name,) for name in gone])
        index.execute("COMMIT")
