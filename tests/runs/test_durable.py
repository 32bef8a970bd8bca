"""durable.py: the order of the system calls, refusals, and nothing half done."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from seethrough.errors import StorageError
from seethrough.runs import durable


@pytest.fixture
def calls(monkeypatch):
    """The system's own calls, written down while they are made."""
    made = []

    def recording(name, call, what):
        def wrapped(*arguments, **options):
            made.append((name, what(arguments)))
            return call(*arguments, **options)

        return wrapped

    def target(arguments):
        return Path(f"/proc/self/fd/{arguments[0]}").readlink().name

    monkeypatch.setattr(os, "fsync", recording("fsync", os.fsync, target))
    monkeypatch.setattr(
        Path, "replace", recording("rename", Path.replace, lambda a: Path(a[1]).name)
    )
    return made


def test_the_content_is_on_the_disk_before_its_name_is(tmp_path, calls):
    durable.write(tmp_path / "a.json", b"one")
    partial = f".a.json.{os.getpid()}.partial"
    assert calls == [("fsync", partial), ("rename", "a.json"), ("fsync", tmp_path.name)]
    assert (tmp_path / "a.json").read_bytes() == b"one"


def test_a_file_is_replaced_and_nothing_is_left_over(tmp_path):
    durable.write(tmp_path / "a", b"one")
    durable.write(tmp_path / "a", b"")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"")]


def test_a_content_longer_than_one_reading_is_compared_whole(tmp_path):
    content = bytes(range(256)) * 10_000
    durable.write(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == content


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    kept = {"a", ".hidden", "c.partial", f".d.{os.getpid()}.partial"}  # the last is being written
    for name in {f".a.{ended.pid}.partial", ".b.c.partial", *kept}:
        (tmp_path / name).touch()
    durable.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    durable.sweep(tmp_path / "nowhere")


def test_a_folder_that_is_not_there_is_a_refusal_with_the_path(tmp_path):
    with pytest.raises(StorageError, match="nowhere/a could not be written") as caught:
        durable.write(tmp_path / "nowhere" / "a", b"one")
    assert caught.value.why == "No such file or directory."


# The system itself refuses to let files grow: what a full disk does, without filling one.
_LIMITED = """
import resource, sys
from pathlib import Path
from seethrough.errors import StorageError
from seethrough.runs import durable
limit, path = int(sys.argv[1]), Path(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    durable.write(path, b"new" * 1000)
except StorageError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.parametrize("limit", [0, 1, 1500, 2999])
def test_a_write_that_does_not_fit_leaves_the_old_file_and_tells_the_bytes(tmp_path, limit):
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    ended = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(limit), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 3, ended.stderr
    assert f"{path} could not be written: 3,000 bytes needed, " in ended.stdout
    assert "File too large" in ended.stdout
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("kept", b"old")]


def test_the_limit_of_the_test_above_is_what_refuses(tmp_path):
    path = tmp_path / "kept"
    subprocess.run([sys.executable, "-c", _LIMITED, "3000", str(path)], check=True)
    assert path.read_bytes() == b"new" * 1000
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
