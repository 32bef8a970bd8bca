"""collection.py: any folder of photos, read and never written, with classes where folders say."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seethrough.data import collection
from seethrough.data.collection import collect
from seethrough.errors import DataError


def put(path: Path, *, width: int = 9, height: int = 7, colour: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), colour, dtype=np.uint8)).save(path)
    return path


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SEETHROUGH_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "photos"
    put(place / "cat" / "1.png", width=9, height=7)
    put(place / "test" / "dog" / "2.png", colour=10)
    put(place / "cat" / "kittens" / "3.png", colour=20)
    put(place / "4.png", colour=30)
    (place / "cat" / "list.txt").write_text("not a photo")
    return place


def test_the_nearest_folder_that_is_called_like_a_class_is_the_class(folder):
    found = collect(folder, ["dog", "cat"])
    assert [(photo.path, photo.label) for photo in found.photos] == [
        ("4.png", None),
        ("cat/1.png", "cat"),
        ("cat/kittens/3.png", "cat"),
        ("test/dog/2.png", "dog"),
    ]
    assert (found.photos[1].width, found.photos[1].height) == (9, 7)
    assert found.notes == ("1 of 4 photos lie in no folder named like a class.",)
    assert found.problems == ()


def test_accents_are_compared_as_they_are_read_not_as_they_are_stored(tmp_path):
    put(tmp_path / "cafe\u0301" / "1.png")
    (photo,) = collect(tmp_path, ["tea", "caf\u00e9"]).photos
    assert photo.label == "caf\u00e9"


def test_folders_that_name_no_class_leave_the_photos_without_one_and_say_so(folder):
    found = collect(folder, ["0", "1"])
    assert {photo.label for photo in found.photos} == {None}
    (note,) = found.notes
    assert (
        "No folder is called like a class, such as '0' (there is 'cat', 'dog', 'kittens')" in note
    )


def test_nothing_is_written_neither_to_the_folder_nor_to_the_cache(folder):
    before = files(folder)
    found = collect(folder, ["cat"])
    assert [found.content(index) for index in range(4)] == [
        before[photo.path][0] for photo in found.photos
    ]
    assert files(folder) == before
    assert not (folder.parent / "cache").exists()


def test_a_file_that_is_no_photo_is_listed_with_its_reason(folder):
    (folder / "cat" / "broken.jpg").write_bytes(b"nothing")
    found = collect(folder, ["cat", "dog"])
    assert len(found) == 4
    assert [problem.path for problem in found.problems] == ["cat/broken.jpg"]


def test_a_file_that_changed_since_is_refused(folder):
    found = collect(folder, ["cat", "dog"])
    put(folder / "cat" / "1.png", colour=200)
    with pytest.raises(DataError, match=r"cat/1.png: the file was changed"):
        found.content(1)


def test_a_zip_is_a_folder_too(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(folder).as_posix())
    zipped, plain = collect(tmp_path / "photos.zip", ["cat"]), collect(folder, ["cat"])
    assert zipped.photos == plain.photos


def test_of_very_many_photos_some_are_taken_from_all_over(folder, monkeypatch):
    for number in range(12):
        put(folder / "dog" / f"{number:02}.png", colour=100 + number)
    monkeypatch.setattr(collection, "MOST", 8)
    found = collect(folder, ["cat", "dog"])
    assert len(found) == 8
    assert found.notes[0] == "8 of its 16 photos are shown, evenly spread."
    assert {photo.label for photo in found.photos} == {"cat", "dog", None}


def test_a_folder_without_photos_says_what_a_photo_is(tmp_path):
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(DataError, match=r"no photos in it") as caught:
        collect(tmp_path, ["cat"])
    assert ".png" in caught.value.why
    with pytest.raises(DataError, match="there is no such folder or zip"):
        collect(tmp_path / "nowhere", ["cat"])
