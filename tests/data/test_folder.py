"""folder.py against what the system itself says of the same places."""

import os
import socket
from pathlib import Path

import pytest
from tests.corpus import put

from seethrough.data.folder import Folder
from seethrough.data.limits import MAX_DEPTH, MAX_FILE_BYTES
from seethrough.errors import DataError


def test_the_listing_is_what_find_would_list(tmp_path: Path):
    names = ["b/2.jpg", "b/1.jpg", "a/x/y/3.png", "a.txt", "B/1.jpg", "é.png"]
    for name in names:
        put(tmp_path / name, name.encode())
    (tmp_path / "empty/er").mkdir(parents=True)
    listing = Folder(tmp_path).listing()
    assert [entry.path for entry in listing.entries] == sorted(names)
    assert [entry.size for entry in listing.entries] == [len(n.encode()) for n in sorted(names)]
    assert listing.folders == ("B", "a", "a/x", "a/x/y", "b", "empty", "empty/er")
    assert all(Folder(tmp_path).read(name) == name.encode() for name in names)


def test_a_link_inside_the_folder_is_followed_once_and_circles_end(tmp_path: Path):
    put(tmp_path / "a/1.jpg", b"one")
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "a/up").symlink_to(tmp_path, target_is_directory=True)
    listing = Folder(tmp_path).listing()
    assert [entry.path for entry in listing.entries] == ["a/1.jpg", "b/1.jpg"]
    assert {problem.path for problem in listing.problems} == {"a/up", "b/up"}


def test_a_folder_that_is_itself_a_link_is_opened(tmp_path: Path):
    put(tmp_path / "real/a/1.jpg", b"one")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert Folder(tmp_path / "link").read("a/1.jpg") == b"one"


def test_what_is_no_file_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.chdir(tmp_path)  # the path of a socket may have 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        listing = Folder(tmp_path).listing()
    assert listing.entries == ()
    assert [problem.path for problem in listing.problems] == ["pipe.jpg", "socket.jpg"]
    with pytest.raises(DataError, match=r"pipe\.jpg: not a regular file"):
        Folder(tmp_path).read("pipe.jpg")  # it took the place of a photo after the listing


def test_reading_stays_inside_the_folder(tmp_path: Path):
    put(tmp_path / "outside.jpg", b"secret")
    (tmp_path / "in").mkdir()
    for path in ("../outside.jpg", str(tmp_path / "outside.jpg"), "x/../../outside.jpg"):
        with pytest.raises(DataError, match="leads out of the folder"):
            Folder(tmp_path / "in").read(path)


def test_a_file_larger_than_the_limit_is_refused_by_its_size(tmp_path: Path):
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(DataError, match=r"large\.jpg: the file is too large"):
        Folder(tmp_path).read("large.jpg")


def test_a_path_that_the_system_cannot_open_is_listed_or_refused(tmp_path: Path):
    with pytest.raises(DataError, match="cannot be read") as caught:
        Folder(tmp_path).read("x" * 5000)
    assert "longer than the system allows" in caught.value.why


def test_folders_deeper_than_the_limit_are_listed_and_the_scan_ends(tmp_path: Path):
    place = tmp_path
    for _ in range(MAX_DEPTH + 10):
        place = place / "d"
        place.mkdir()
    put(place / "1.jpg", b"deep")
    listing = Folder(tmp_path).listing()
    assert listing.entries == ()
    assert len(listing.problems) == 1


def test_the_stamp_changes_with_every_change(tmp_path: Path):
    put(tmp_path / "a/1.jpg", b"one")
    stamps = [Folder(tmp_path).stamp()]
    assert Folder(tmp_path).stamp() == stamps[0]
    put(tmp_path / "a/1.jpg", b"two")
    stamps.append(Folder(tmp_path).stamp())
    (tmp_path / "b").mkdir()
    stamps.append(Folder(tmp_path).stamp())
    put(tmp_path / ".hidden", b"")
    stamps.append(Folder(tmp_path).stamp())
    (tmp_path / "c.jpg").symlink_to("/nowhere")
    stamps.append(Folder(tmp_path).stamp())
    assert len(set(stamps)) == len(stamps)
