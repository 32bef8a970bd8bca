"""store.py: the list is right with an index, without one, and with a broken one."""

import dataclasses
import os
import shutil
import sqlite3

import pytest

from seethrough.runs import migrations, store, summary
from seethrough.runs.store import INDEX, list_runs
from seethrough.serve import wire


@pytest.fixture
def runs_dir(make_run, go):
    """A finished run, a stopped one, and one that waits."""
    finished, stopped, waiting = make_run(), make_run(), make_run()
    go(finished)
    go(stopped, stop_after=4)
    return waiting.folder.parent


def plain(runs_dir):
    """The list without any index."""
    found = [summary.summarise(path) for path in runs_dir.iterdir() if (path / "run.json").exists()]
    return sorted(found, key=lambda each: each.created, reverse=True)


def test_runs_are_listed_newest_first_with_their_state(runs_dir):
    listed = list_runs(runs_dir)
    assert [each.state for each in listed] == ["waiting", "stopped", "finished"]
    assert [each.epoch for each in listed] == [0, 1, 3]
    assert listed == plain(runs_dir)
    for each in listed:
        assert wire.RunSummary.model_validate(each.to_dict())


def test_the_list_is_the_same_from_the_index_and_follows_every_change(runs_dir, go, photos):
    from seethrough.runs.folder import open_run

    assert list_runs(runs_dir) == list_runs(runs_dir) == plain(runs_dir)
    stopped = list_runs(runs_dir)[1].id
    go(open_run(stopped, runs_dir))
    assert list_runs(runs_dir)[1].state == "finished"
    shutil.rmtree(runs_dir / stopped)
    assert [each.state for each in list_runs(runs_dir)] == ["waiting", "finished"]
    with sqlite3.connect(runs_dir / INDEX) as index:
        assert index.execute("SELECT count(*) FROM summaries").fetchone() == (2,)
    index.close()


def test_a_list_of_nothing_makes_nothing(tmp_path):
    assert list_runs(tmp_path / "nowhere") == []
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, None])
def test_an_index_that_cannot_be_used_is_made_again(runs_dir, content):
    wanted = list_runs(runs_dir)
    if content is None:  # from a newer program
        with sqlite3.connect(runs_dir / INDEX) as index:
            index.execute("PRAGMA user_version = 99")
        index.close()
    else:
        (runs_dir / INDEX).write_bytes(content)
    assert list_runs(runs_dir) == wanted
    assert list_runs(runs_dir) == wanted
    with sqlite3.connect(runs_dir / INDEX) as index:
        assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert index.execute("SELECT count(*) FROM summaries").fetchone() == (3,)
    index.close()


def test_a_row_that_makes_no_sense_is_read_again(runs_dir):
    wanted = list_runs(runs_dir)
    with sqlite3.connect(runs_dir / INDEX) as index:
        index.execute("UPDATE summaries SET summary = '{\"id\": 1}'")
    index.close()
    assert list_runs(runs_dir) == wanted


def test_a_locked_index_holds_nobody_up(runs_dir):
    wanted = list_runs(runs_dir)
    holder = sqlite3.connect(runs_dir / INDEX, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert list_runs(runs_dir) == wanted
    holder.close()


def test_a_run_with_a_broken_manifest_does_not_hide_the_others(runs_dir):
    (runs_dir / list_runs(runs_dir)[0].id / "run.json").write_text("{")
    assert [each.state for each in list_runs(runs_dir)] == ["stopped", "finished"]


def test_the_tables_after_all_migrations(tmp_path):
    index = sqlite3.connect(tmp_path / INDEX, isolation_level=None)
    migrations.migrate(index)
    migrations.migrate(index)
    tables = index.execute("SELECT sql FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [
        (
            "CREATE TABLE summaries ( folder TEXT PRIMARY KEY, stamp TEXT NOT NULL, "
            "summary TEXT NOT NULL) WITHOUT ROWID",
        )
    ]
    assert index.execute("PRAGMA user_version").fetchone() == (len(migrations.MIGRATIONS),)
    names = [step.__name__ for step in migrations.MIGRATIONS]
    assert [name[:4] for name in names] == [f"m{n:03d}" for n in range(1, len(names) + 1)]
    index.close()


def test_what_has_not_changed_is_listed_without_being_read(runs_dir):
    """The files say something else now, at the same size and time: the index answers."""
    wanted = list_runs(runs_dir)
    changed = runs_dir / wanted[2].id / "run.json"
    stamp, text = changed.stat(), changed.read_text()
    with changed.open("r+") as file:
        file.write(text.replace(wanted[2].id, "x" * len(wanted[2].id)))
    os.utime(changed, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert list_runs(runs_dir) == wanted
    store.rebuild(runs_dir)
    assert list_runs(runs_dir) != wanted


def test_the_end_of_a_log_is_found_behind_a_torn_line(runs_dir):
    folder = next(path for path in runs_dir.iterdir() if (path / "report.json").exists())
    whole = summary.summarise(folder)
    with (folder / "log.jsonl").open("ab") as file:
        file.write(b'{"kind": "end", "sta')
    assert summary.summarise(folder) == whole
    content = (folder / "log.jsonl").read_bytes()
    torn = content[: content.rindex(b'{"kind": "end", "state": "finished"') + 20]
    (folder / "log.jsonl").write_bytes(torn)
    assert summary.summarise(folder) == dataclasses.replace(
        whole, state="stopped", train_seconds=summary.summarise(folder).train_seconds
    )


def test_the_index_can_be_thrown_away(runs_dir):
    wanted = list_runs(runs_dir)
    store.rebuild(runs_dir)
    assert not (runs_dir / INDEX).exists()
    assert list_runs(runs_dir) == wanted
