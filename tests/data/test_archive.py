"""archive.py: names and sizes that only hostile zips have, made by hand."""

import re
import struct
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus import TWO, write_photos, zipped

from seethrough.data.archive import Archive
from seethrough.data.limits import MAX_ENTRIES
from seethrough.errors import DataError

PIECES = ["..", ".", "", "a", "B", "C:", "é", "\\", "/", "//", "cat", ".git", "x.png", " ", "\n"]


def directory_only(path: Path, entries: int) -> Path:
    """A zip that is nothing but a list of files, all of them without a name."""
    start = b"PK\x03\x04" + bytes(26)
    directory = (b"PK\x01\x02" + bytes(42)) * entries
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0, 0, len(directory), len(start), 0)
    path.write_bytes(start + directory + end)
    return path


@settings(deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), joint=st.sampled_from("/\\")
)
def test_a_name_is_refused_or_stays_inside(pieces: list[str], joint: str, tmp_path_factory):
    name = joint.join(pieces)
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    if ".." in re.split(r"[/\\]", name) or re.match(r"[/\\]|[A-Za-z]:", name):
        with pytest.raises(DataError, match="leads out of the archive"):
            Archive(path).listing()
        return
    for entry in Archive(path).listing().entries:
        assert not set(entry.path.split("/")) & {"..", ".", ""}
        assert "\\" not in entry.path


def test_more_files_than_the_limit_are_refused_before_they_are_listed(tmp_path: Path):
    with pytest.raises(DataError, match="too many files in the archive") as caught:
        Archive(directory_only(tmp_path / "a.zip", MAX_ENTRIES + 1)).listing()
    assert "200,000" in caught.value.why
    path = directory_only(tmp_path / "b.zip", 1_500_000)  # a list of 69 MB
    with pytest.raises(DataError, match="too many files in the archive"):
        Archive(path).listing()


def test_threads_read_one_archive_at_once(tmp_path: Path):
    root = write_photos(tmp_path / "photos", {"a": 30, "b": 30})
    archive = Archive(zipped(root, tmp_path / "a.zip"))
    paths = [entry.path for entry in archive.listing().entries]
    wrong: list[str] = []

    def read(own: list[str]) -> None:
        for path in own * 5:
            if archive.read(path) != (root / path).read_bytes():
                wrong.append(path)

    threads = [threading.Thread(target=read, args=(paths[n:] + paths[:n],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_zip_is_known_by_its_content_and_not_by_its_name(tmp_path: Path):
    root = write_photos(tmp_path / "photos", TWO)
    archive = Archive(zipped(root, tmp_path / "photos.backup"))
    assert len(archive.listing().entries) == 8


def test_folders_without_files_are_seen_and_system_folders_are_counted_once(tmp_path: Path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("cat/", "dog/a/", "__MACOSX/x/1.png", "__MACOSX/2.png", "dog/.hidden"):
            archive.writestr(zipfile.ZipInfo(name), b"")
    listing = Archive(path).listing()
    assert listing.folders == ("cat", "dog", "dog/a")
    assert listing.entries == ()
    assert listing.num_ignored == 2


def test_an_archive_that_went_away_says_so(tmp_path: Path):
    for ask in (Archive.listing, Archive.stamp):
        with pytest.raises(DataError, match=r"gone\.zip: cannot be read") as caught:
            ask(Archive(tmp_path / "gone.zip"))
        assert "No such file" in caught.value.why
