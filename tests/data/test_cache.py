"""cache.py: whatever happens to it, the photos come out right or the error says what is missing."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from tests.corpus import TWO, encoded, photo, put, write_photos, zipped

from seethrough.data import cache
from seethrough.data.dataset import Dataset
from seethrough.data.load import load
from seethrough.data.split import SplitPlan
from seethrough.errors import StorageError

COUNT = 24


class Watched:
    """A folder of photos, and whether loading it decoded them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.decoded = False

    def load(self) -> Dataset:
        def progress(what: str, done: int, total: int) -> None:
            self.decoded = True

        self.decoded = False
        return load(self.root, progress=progress)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(write_photos(tmp_path / "photos", {"a": COUNT // 2, "b": COUNT // 2}))


@pytest.fixture
def stored(tmp_path: Path, watched: Watched) -> Path:
    """The folder in which the photos are kept."""
    watched.load()
    (meta,) = (tmp_path / "cache").rglob("meta.json")
    return meta.parent


def same(one: Dataset, other: Dataset) -> bool:
    return (
        one.fingerprint == other.fingerprint
        and np.array_equal(one.images, other.images)
        and np.array_equal(one.ids, other.ids)
        and np.array_equal(one.sizes, other.sizes)
        and (one.paths, one.classes, one.notes) == (other.paths, other.classes, other.notes)
    )


# ---------------------------------------------------------------- when it is used


def test_the_second_time_nothing_is_decoded_and_everything_is_equal(watched: Watched):
    put(watched.root / "a/broken.jpg", b"broken")
    first = watched.load()
    assert watched.decoded
    second = watched.load()
    assert not watched.decoded
    assert same(first, second)
    assert first.problems == second.problems
    assert len(second.problems) == 1


def test_another_seed_or_share_uses_the_same_pixels(watched: Watched):
    first = watched.load()
    other = load(
        watched.root, plan=SplitPlan(test=0.4, seed=9), progress=lambda *_: pytest.fail("decoded")
    )
    assert np.array_equal(first.images, other.images)
    assert not np.array_equal(first.splits, other.splits)


def touch_content(root: Path) -> None:
    """Same size, same modification time, other bytes."""
    file = root / "a/0003.png"
    state = file.stat()
    content = bytearray(file.read_bytes())
    content[-1] ^= 255
    file.write_bytes(bytes(content))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


CHANGES = {
    "added": lambda root: put(root / "a/new.png", encoded(photo(seed=999), "PNG")),
    "removed": lambda root: (root / "a/0000.png").unlink(),
    "renamed": lambda root: (root / "a/0000.png").rename(root / "a/new.png"),
    "moved": lambda root: (root / "a/0000.png").rename(root / "b/new.png"),
    "replaced": lambda root: put(root / "a/0000.png", encoded(photo(seed=999), "PNG")),
    "same size and time": touch_content,
    "a broken one added": lambda root: put(root / "a/new.jpg", b"broken"),
    "a class added": lambda root: write_photos(root, {"c": 3}, seed=9),
    "a class renamed": lambda root: (root / "a").rename(root / "z"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_the_folder_is_noticed(change: str, watched: Watched):
    before = watched.load()
    CHANGES[change](watched.root)
    after = watched.load()
    assert watched.decoded
    assert change == "a broken one added" or after.fingerprint != before.fingerprint
    shutil.rmtree(cache.cache_folder())
    assert same(after, watched.load())


def test_a_changed_zip_is_noticed(tmp_path: Path, watched: Watched):
    packed = Watched(zipped(watched.root, tmp_path / "a.zip"))
    first = packed.load()
    packed.load()
    assert not packed.decoded
    (watched.root / "a/0000.png").unlink()
    zipped(watched.root, tmp_path / "a.zip")
    assert len(packed.load()) == len(first) - 1


def test_two_folders_with_one_name_are_kept_apart(tmp_path: Path):
    one = write_photos(tmp_path / "x/photos", TWO, seed=1)
    two = write_photos(tmp_path / "y/photos", TWO, seed=2)
    assert load(one).fingerprint != load(two).fingerprint
    assert load(one).fingerprint == load(one).fingerprint


# ---------------------------------------------------------------- damage


def flipped(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at % len(content)] ^= 1
    file.write_bytes(bytes(content))


def test_every_kind_of_damage_is_found_and_made_good(watched: Watched, stored: Path):
    good = watched.load()
    expected = np.array(good.images)
    rng = np.random.default_rng(5)
    for _ in range(10):
        (array,) = stored.glob("images-*.npy")
        file = (array, stored / "meta.json")[int(rng.integers(0, 2))]
        kind = int(rng.integers(0, 3))
        size = file.stat().st_size
        if kind == 0 and file == array:  # a flipped letter in meta.json has a test of its own
            flipped(file, int(rng.integers(0, size)))
        elif kind == 1:
            os.truncate(file, int(rng.integers(0, size)))
        else:
            file.unlink()
        again = watched.load()
        assert watched.decoded
        assert np.array_equal(again.images, expected)
        assert same(again, good)
        watched.load()
        assert not watched.decoded


def test_a_letter_changed_in_the_description_never_changes_a_data_set(
    watched: Watched, stored: Path
):
    good = watched.load()
    text = (stored / "meta.json").read_bytes()
    for at in np.random.default_rng(6).integers(0, len(text), 12):
        (stored / "meta.json").write_bytes(text)
        flipped(stored / "meta.json", int(at))
        assert same(watched.load(), good)


def test_a_description_that_leads_elsewhere_is_not_followed(watched: Watched, stored: Path):
    good = watched.load()
    elsewhere = stored.parent.parent / "elsewhere.npy"
    (array,) = stored.glob("images-*.npy")
    shutil.copy(array, elsewhere)
    array.unlink()
    meta = json.loads((stored / "meta.json").read_text())
    meta["images"] = "../../elsewhere.npy"
    (stored / "meta.json").write_text(json.dumps(meta))
    assert same(watched.load(), good)
    assert watched.decoded


def test_an_old_array_in_use_stays_readable_when_a_new_one_takes_its_place(watched: Watched):
    before = watched.load()
    pixels = np.array(before.images)
    CHANGES["replaced"](watched.root)
    after = watched.load()
    assert np.array_equal(before.images, pixels)
    assert not np.array_equal(after.images, pixels)
    arrays = list(cache.cache_folder().rglob("*.npy"))
    assert len(arrays) == 1


def test_a_process_killed_while_it_writes_leaves_nothing_wrong(tmp_path: Path, watched: Watched):
    script = (
        "import os, signal, sys; from seethrough.data.load import load;"
        "load(sys.argv[1], progress=lambda what, done, total: os.kill(os.getpid(), signal.SIGKILL))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(watched.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    left = list((tmp_path / "cache").rglob("*.tmp"))
    assert len(left) == 1
    watched.load()
    assert watched.decoded
    os.utime(left[0], (0, 0))  # long ago
    CHANGES["added"](watched.root)
    watched.load()
    assert not left[0].exists()


# ---------------------------------------------------------------- the disk says no


def test_a_cache_that_is_not_a_folder_is_an_error_that_names_it(
    tmp_path: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
):
    put(tmp_path / "file", b"")
    monkeypatch.setenv("SEETHROUGH_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="the decoded photos cannot be written") as caught:
        watched.load()
    assert str(tmp_path / "file") in caught.value.what
    assert "Not a directory" in caught.value.why
    assert "SEETHROUGH_CACHE" in caught.value.fix


def test_a_full_disk_is_noticed_before_anything_is_decoded(
    tmp_path: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 5000, 5000))
    with pytest.raises(StorageError, match="no room for the decoded photos") as caught:
        watched.load()
    assert not watched.decoded
    assert "5,000 are free" in caught.value.why
    assert f"{COUNT * 32 * 32 * 3 + (16 << 20):,} bytes are needed" in caught.value.why
    assert not list((tmp_path / "cache").rglob("*.tmp"))


@pytest.mark.parametrize("limit", [100, 20_000, 60_000])
def test_a_disk_that_fills_up_while_writing_is_an_error_and_leaves_nothing(
    limit: int, tmp_path: Path, watched: Watched
):
    script = (
        "import resource, sys; from seethrough.data.load import load;"
        "from seethrough.errors import StorageError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))\n"
        "try: load(sys.argv[1])\n"
        "except StorageError as error: sys.exit(str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(watched.root), str(limit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "the decoded photos cannot be written" in done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
    assert len(watched.load()) == COUNT
