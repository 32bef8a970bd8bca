"""The tables of the index of runs, as numbered steps from an empty file.

`user_version` counts the steps that were taken. A step is never changed after it was released:
a new one is added.
"""

import sqlite3


def m001_summaries(connection: sqlite3.Connection) -> None:
    """One row a run: what its files said when they last were as `stamp` tells."""
    connection.execute(
        "CREATE TABLE summaries ("
        " folder TEXT PRIMARY KEY,"  # name of the run's folder
        " stamp TEXT NOT NULL,"  # sizes and times of run.json and log.jsonl
        " summary TEXT NOT NULL"  # JSON
        ") WITHOUT ROWID"
    )


def m002_starts(connection: sqlite3.Connection) -> None:
    """Summaries say what a run began with: those that do not are read again."""
    connection.execute("DELETE FROM summaries")


def m003_copies(connection: sqlite3.Connection) -> None:
    """Summaries say whose copy a run is: those that do not are read again."""
    connection.execute("DELETE FROM summaries")


MIGRATIONS = (m001_summaries, m002_starts, m003_copies)


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that are missing; sqlite3.DatabaseError where the file is newer."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"the index has version {version}")
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            (now,) = connection.execute("PRAGMA user_version").fetchone()
            if now < number:
                step(connection)
                connection.execute(f"PRAGMA user_version = {number}")
