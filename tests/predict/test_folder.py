"""folder.py: every file gets an answer, and no file's answer depends on the files beside it."""

import os

import numpy as np
import pytest
from PIL import Image

from seethrough.errors import DataError
from seethrough.model.build import build
from seethrough.model.presets import preset
from seethrough.predict.folder import contents, predict_files
from seethrough.predict.prediction import Prediction, Unreadable

CLASSES = ("cat", "dog", "frog")


@pytest.fixture(scope="module")
def network():
    return build(preset("demo"), num_classes=3, mean=(0.5,) * 3, std=(0.25,) * 3, seed=1)


@pytest.fixture
def photos(tmp_path):
    """Three photos, a text, half a photo, a hidden file, and one photo in a folder of its own."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "my photos"
    (folder / "inner").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for name in ("b.png", "a ü.jpg", "c.webp", "inner/d.png", ".hidden/e.png", ".f.png"):
        pixels = rng.integers(0, 256, (50, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    (folder / "notes.txt").write_text("not a photo")
    whole = (folder / "b.png").read_bytes()
    (folder / "half.png").write_bytes(whole[: len(whole) // 2])
    return folder


def _names(said, folder):
    return [os.path.relpath(each.path, folder) for each in said]


def test_a_folder_stands_for_its_files_and_no_file_is_left_out(network, photos):
    said = list(predict_files(network, CLASSES, 32, [photos]))
    assert _names(said, photos) == [
        "a ü.jpg", "b.png", "c.webp", "half.png", "notes.txt", "inner/d.png",
    ]  # fmt: skip
    bad = [each for each in said if isinstance(each, Unreadable)]
    assert _names(bad, photos) == ["half.png", "notes.txt"]
    assert all(each.what and each.why and each.fix for each in bad)


def test_an_answer_does_not_depend_on_the_files_beside_it(network, photos):
    together = {each.path: each for each in predict_files(network, CLASSES, 32, [photos])}
    for path, said in together.items():
        (alone,) = predict_files(network, CLASSES, 32, [path])
        assert alone == said
        if isinstance(said, Prediction):
            assert list(said.probabilities) == list(CLASSES)


def test_files_come_in_the_order_in_which_they_were_given(network, photos):
    given = [photos / "c.webp", str(photos / "b.png"), photos / "c.webp"]
    said = list(predict_files(network, CLASSES, 32, given))
    assert _names(said, photos) == ["c.webp", "b.png", "c.webp"]
    assert said[0] == said[2]


def test_what_is_no_file_comes_back_with_its_reason(network, photos, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    missing = tmp_path / "missing.png"
    dangling = tmp_path / "dangling.png"
    dangling.symlink_to(missing)
    given = [missing, empty, pipe, dangling, photos / "b.png"]
    *bad, good = predict_files(network, CLASSES, 32, given)
    assert [each.what.removeprefix(f"{each.path} ") for each in bad] == [
        "cannot be read.",
        "is a folder without files.",
        "is no ordinary file.",
        "cannot be read.",
    ]
    assert isinstance(good, Prediction)


def test_a_folder_that_links_to_itself_ends(network, photos):
    (photos / "inner" / "loop").symlink_to(photos)
    assert len(list(predict_files(network, CLASSES, 32, [photos]))) == 6


def test_an_endless_file_is_not_read_to_its_end(tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(10**12)  # a hole: it takes no place on the disk
    assert len(contents(large)) == 50_000_001
    with pytest.raises(DataError, match="cannot be read"):
        contents(tmp_path / "missing")


def test_nothing_is_written(network, photos):
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*")}
    list(predict_files(network, CLASSES, 32, [photos]))
    assert {path: path.stat().st_mtime_ns for path in photos.rglob("*")} == before
