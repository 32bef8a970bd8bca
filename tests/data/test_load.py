"""load.py on real folders and zips: what comes out, and that nothing else happens."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.corpus import (
    TWO,
    BadSource,
    encoded,
    folders,
    images,
    photo,
    put,
    write_photos,
    zipped,
    zips,
)

from seethrough.data.dataset import Split
from seethrough.data.decode import picture
from seethrough.data.load import load, original
from seethrough.data.split import SplitPlan
from seethrough.errors import DataError


def tree(root: Path) -> dict[str, str]:
    """What a folder holds, with contents, times and permissions."""
    found = {}
    for path in sorted(root.rglob("*")):
        state = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        digest = hashlib.sha256(content).hexdigest()
        found[str(path.relative_to(root))] = f"{digest} {state.st_mtime_ns} {state.st_mode}"
    return found


# ---------------------------------------------------------------- the corpus


@pytest.mark.parametrize("source", [*folders(), *zips()], ids=lambda source: source.name)
def test_every_source_of_the_corpus_has_the_promised_outcome(source: BadSource, tmp_path: Path):
    root = tmp_path / "photos"
    root.mkdir()
    place = source.write(root)
    before = tree(tmp_path)
    if source.refused is None:
        data = load(place)
        whats = [problem.what for problem in data.problems]
        assert len(whats) == len(source.listed)
        assert all(any(piece in what for what in whats) for piece in source.listed)
        assert all(problem.why and problem.fix for problem in data.problems)
        assert source.note is None or any(source.note in note for note in data.notes)
    else:
        with pytest.raises(DataError, match=re.escape(source.refused)) as caught:
            load(place)
        assert caught.value.why
        assert caught.value.fix
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    assert tree(tmp_path) == before


def test_a_class_of_the_corpus_lists_what_single_files_are_refused_for(tmp_path: Path):
    for image in images():
        put(tmp_path / "photos/strange" / image.name, image.content)
    write_photos(tmp_path / "photos", TWO)
    data = load(tmp_path / "photos", image_px=32)
    refused = {image.name: image for image in images() if image.refused}
    listed = {Path(problem.path).name: problem for problem in data.problems}
    assert listed.keys() == refused.keys()
    for name, problem in listed.items():
        assert refused[name].refused.lower() in problem.what.lower()
    for index, path in enumerate(data.paths):
        content = (tmp_path / "photos" / path).read_bytes()
        alone = picture(content, name=path, image_px=32)
        assert np.array_equal(data.images[index], alone.pixels)
        assert data.sizes[index].tolist() == [alone.width, alone.height]
        assert original(data, index) == content


# ---------------------------------------------------------------- what comes out


def test_a_folder_becomes_labelled_pixels_in_the_order_of_the_paths(tmp_path: Path):
    root = write_photos(tmp_path / "pets", {"dog": 7, "cat": 5}, px=40, suffix=".jpg")
    put(root / "cat/kittens/small.jpg", encoded(photo(seed=99)))
    data = load(root, image_px=24)
    files = sorted(file.relative_to(root).as_posix() for file in root.rglob("*.jpg"))
    assert list(data.paths) == files
    assert data.classes == ("cat", "dog")
    assert [data.classes[label] for label in data.labels] == [path[:3] for path in files]
    assert (data.name, data.source, data.image_px) == ("pets", str(root), 24)
    assert data.images.shape == (13, 24, 24, 3)
    assert not data.images.flags.writeable
    for index, path in enumerate(files):
        content = (root / path).read_bytes()
        first = hashlib.sha256(content).digest()[:8]
        assert int(data.ids[index]) == int.from_bytes(first, "big")
    assert data.problems == ()
    assert data.notes == ()
    assert len(data.indices(Split.TEST)) == 2  # a fifth of 6 and of 7
    assert len(data.indices(Split.VALIDATION)) == 0


def test_a_zip_is_the_folder_that_was_zipped(tmp_path: Path):
    root = write_photos(tmp_path / "pets", {"dog": 7, "cat": 5})
    whole = load(root)
    packed = load(zipped(root, tmp_path / "packed.zip"))
    assert packed.fingerprint == whole.fingerprint
    assert packed.name == "packed"
    assert np.array_equal(packed.images, whole.images)
    assert np.array_equal(packed.splits, whole.splits)
    assert all(original(packed, index) == original(whole, index) for index in range(12))


def test_a_copy_made_in_another_order_is_the_same_data_set(tmp_path: Path):
    root = write_photos(tmp_path / "one", {"b": 9, "a": 9})
    for file in sorted(root.rglob("*.png"), reverse=True):
        put(tmp_path / "two" / file.relative_to(root), file.read_bytes())
    assert load(root).fingerprint == load(tmp_path / "two").fingerprint


def test_the_fingerprint_changes_with_whatever_changes_the_training(tmp_path: Path):
    root = write_photos(tmp_path / "photos", {"a": 9, "b": 9})
    found = [load(root), load(root, image_px=16), load(root, plan=SplitPlan(seed=1))]
    (root / "a/0000.png").rename(root / "a/renamed.png")
    found.append(load(root))
    put(root / "a/renamed.png", encoded(photo(seed=5), "PNG"))
    found.append(load(root))
    (root / "a").rename(root / "c")
    found.append(load(root))
    assert len({data.fingerprint for data in found}) == 6


def test_renaming_files_does_not_move_a_photo_to_the_other_side(tmp_path: Path):
    root = write_photos(tmp_path / "photos", {"a": 30, "b": 30})
    before = load(root)
    for number, file in enumerate(sorted(root.rglob("*.png"), reverse=True)):
        file.rename(file.with_name(f"renamed-{number}.png"))
    after = load(root)
    sides = [
        dict(zip(data.ids.tolist(), data.splits.tolist(), strict=True)) for data in (before, after)
    ]
    assert sides[0] == sides[1]


@pytest.mark.parametrize(("px", "expected"), [(20, 32), (63, 32), (64, 64), (200, 64)])
def test_without_a_size_the_median_short_side_decides(px, expected, tmp_path: Path):
    root = write_photos(tmp_path / "photos", {"a": 5, "b": 4}, px=px)
    put(root / "a/large.png", encoded(photo(400, 300), "PNG"))
    put(root / "a/broken.png", b"broken")
    assert load(root).image_px == expected


@pytest.mark.parametrize("image_px", [0, -1, 1025])
def test_a_size_that_cannot_be_is_refused(image_px, tmp_path: Path):
    with pytest.raises(DataError, match=f"image_px={image_px} cannot be used"):
        load(tmp_path, image_px=image_px)


# ---------------------------------------------------------------- splits that come with the folder


def sides(root: Path, **folders_: dict[str, int]) -> dict[str, list[str]]:
    """Load folders of splits; which top folders are in which split."""
    for seed, (name, classes) in enumerate(folders_.items()):
        write_photos(root / name, classes, seed=seed + 1)
    data = load(root)
    return {
        split.name: sorted({data.paths[index].split("/")[0] for index in data.indices(split)})
        for split in Split
    }


def test_given_splits_are_taken_as_they_are(tmp_path: Path):
    assert sides(tmp_path / "a", train=TWO, test=TWO, val=TWO) == {
        "TRAIN": ["train"],
        "VALIDATION": ["val"],
        "TEST": ["test"],
    }
    assert sides(tmp_path / "b", Training=TWO, Testing=TWO) == {
        "TRAIN": ["Training"],
        "VALIDATION": [],
        "TEST": ["Testing"],
    }


def test_validation_without_test_is_the_test_split(tmp_path: Path):
    found = sides(tmp_path / "photos", train=TWO, val=TWO)
    assert found == {"TRAIN": ["train"], "VALIDATION": [], "TEST": ["val"]}
    notes = load(tmp_path / "photos").notes
    assert "There is no test folder, so val is the test split." in notes


def test_train_alone_is_divided_like_a_plain_folder(tmp_path: Path):
    found = sides(tmp_path / "photos", train={"a": 10, "b": 10})
    assert found == {"TRAIN": ["train"], "VALIDATION": [], "TEST": ["train"]}


def test_test_classes_are_joined_by_name_and_not_by_position(tmp_path: Path):
    write_photos(tmp_path / "photos/train", {"a": 4, "b": 4, "c": 4}, seed=1)
    write_photos(tmp_path / "photos/test", {"c": 2, "b": 3}, seed=2)
    data = load(tmp_path / "photos")
    for path, label in zip(data.paths, data.labels, strict=True):
        assert data.classes[label] == path.split("/")[1]
    assert "Test has no photos of 'a'." in data.notes


def test_a_class_may_be_called_train(tmp_path: Path):
    root = write_photos(tmp_path / "photos", {"train": 5, "bus": 5})
    data = load(root)
    assert data.classes == ("bus", "train")


def test_other_folders_beside_train_and_test_are_named_and_left(tmp_path: Path):
    write_photos(tmp_path / "photos/train", TWO, seed=1)
    write_photos(tmp_path / "photos/test", TWO, seed=2)
    write_photos(tmp_path / "photos/unlabelled", {"x": 3}, seed=3)
    data = load(tmp_path / "photos")
    assert len(data) == 16
    assert any("'unlabelled' was not used" in note for note in data.notes)


def test_folders_that_hold_one_folder_are_passed_through(tmp_path: Path):
    root = write_photos(tmp_path / "photos", TWO)
    data = load(zipped(root, tmp_path / "a.zip", above="download/photos/"))
    assert data.classes == ("cat", "dog")
    assert "The photos were found in download/photos." in data.notes
    assert original(data, 0) == (root / data.paths[0].removeprefix("download/photos/")).read_bytes()


def test_a_class_with_a_single_photo_is_trained_on_and_named(tmp_path: Path):
    data = load(write_photos(tmp_path / "photos", {"many": 10, "one": 1}))
    assert any("No test photo of 'one'" in note for note in data.notes)


def test_photos_of_which_none_can_be_set_aside_are_refused(tmp_path: Path):
    root = write_photos(tmp_path / "few", {"a": 1, "b": 1})
    with pytest.raises(DataError, match="few: no photos to test on"):
        load(root)
    assert len(load(root, plan=SplitPlan(test=0.0)).indices(Split.TRAIN)) == 2
    write_photos(tmp_path / "given/train", TWO)
    for label in TWO:
        put(tmp_path / "given/test" / label / "1.png", b"broken")
    with pytest.raises(DataError, match="given: no photos to test on"):
        load(tmp_path / "given")


# ---------------------------------------------------------------- going wrong


def test_a_source_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path):
    with pytest.raises(DataError, match="there is no such folder or zip") as caught:
        load(tmp_path / "gone")
    assert str(tmp_path / "gone") in caught.value.why
    assert "everyday" in caught.value.fix
    with pytest.raises(DataError, match="cannot be looked up"):
        load("a\0b")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="loop"):
        load(tmp_path / "loop")


def test_a_photo_that_was_changed_after_loading_is_not_shown_for_it(tmp_path: Path):
    root = write_photos(tmp_path / "photos", TWO)
    data = load(root)
    put(root / data.paths[2], encoded(photo(seed=77), "PNG"))
    with pytest.raises(DataError, match=f"{data.paths[2]}: the file was changed"):
        original(data, 2)
    (root / data.paths[3]).unlink()
    with pytest.raises(DataError, match=f"{data.paths[3]}: cannot be read"):
        original(data, 3)
    (root / data.paths[4]).unlink()
    (root / data.paths[4]).symlink_to("/etc/hostname")
    with pytest.raises(DataError, match="leads out of the folder"):
        original(data, 4)
    shutil.rmtree(root)
    with pytest.raises(DataError, match="the photos are no longer there"):
        original(data, 0)


def test_an_archive_that_was_replaced_is_opened_again(tmp_path: Path):
    root = write_photos(tmp_path / "photos", TWO)
    data = load(zipped(root, tmp_path / "a.zip"))
    assert original(data, 0)
    (root / data.paths[0]).unlink()
    zipped(root, tmp_path / "a.zip")
    with pytest.raises(DataError, match=r"not in a\.zip"):
        original(data, 0)


def test_what_the_system_does_not_let_us_read_is_listed():
    """In a process without special rights, in case the tests run with them."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        write_photos(root / "photos", {"a": 5, "b": 5})
        put(root / "photos/b/more/1.png", encoded(photo(seed=5), "PNG"))
        (root / "photos/a/0001.png").chmod(0)
        (root / "photos/b/more").chmod(0)
        (root / "cache").mkdir(mode=0o777)
        (root / "cache").chmod(0o777)
        script = (
            "import mmap, os, sys; from seethrough.data.load import load;"
            "os.geteuid() or os.seteuid(65534);"
            "data = load(sys.argv[1]);"
            "print(len(data), [(p.path, p.what, p.why) for p in data.problems])"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(root / "photos")],
            env={**os.environ, "SEETHROUGH_CACHE": str(root / "cache")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        (root / "photos/b/more").chmod(0o755)
    assert done.stderr == ""
    assert done.stdout.startswith("9 ")
    assert "('a/0001.png', 'Cannot be read.', 'the system says: Permission denied.')" in done.stdout
    assert "('b/more', 'Cannot be read.', 'the system says: Permission denied.')" in done.stdout


def test_progress_counts_every_photo_once_and_in_order(tmp_path: Path):
    root = write_photos(tmp_path / "photos", {"a": 50, "b": 51})
    calls: list[tuple[str, int, int]] = []
    load(root, progress=lambda *call: calls.append(call))
    assert calls[-1] == ("Reading photos", 101, 101)
    assert [done for _, done, _ in calls] == sorted({done for _, done, _ in calls})
    calls.clear()
    load(root, progress=lambda *call: calls.append(call))
    assert calls == []


def test_the_one_who_asked_may_stop_in_the_middle(tmp_path: Path):
    root = write_photos(tmp_path / "photos", {"a": 50, "b": 50})

    def stop(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(root, progress=stop)
    assert not list((tmp_path / "cache").rglob("*.tmp"))
    assert len(load(root)) == 100


def test_a_photo_that_disappears_while_others_are_read_is_listed(tmp_path: Path):
    root = write_photos(tmp_path / "photos", {"a": 200, "b": 200})

    def take_away(what: str, done: int, total: int) -> None:
        (root / "b/0199.png").unlink(missing_ok=True)

    data = load(root, progress=take_away)
    assert len(data) == 399
    assert [problem.path for problem in data.problems] == ["b/0199.png"]
    again = load(root)
    assert again.problems == ()
    assert again.fingerprint == data.fingerprint


def test_names_that_a_zip_stores_without_saying_utf8_are_read_as_they_were_meant(tmp_path: Path):
    contents = {
        f"{label}/{index}.png": encoded(photo(seed=index + 10 * len(label)), "PNG")
        for label in ("café", "thé")
        for index in range(3)
    }
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    content = bytearray(file.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + flags + 1] &= 0xF7  # bit 11: the name is UTF-8
            at = content.find(signature, at + 1)
    file.write_bytes(content)
    assert load(file).classes == ("café", "thé")
