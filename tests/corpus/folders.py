"""Ways to arrange photos in folders, with the outcome that is promised."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.corpus.photos import TWO, BadSource, encoded, photo, put, write_photos


def folders() -> Iterator[BadSource]:
    """The corpus of folders; those that need a link or a pipe are skipped where there are none."""

    def made(change: Callable[[Path], object]) -> Callable[[Path], Path]:
        def write(root: Path) -> Path:
            write_photos(root, TWO)
            change(root)
            return root

        return write

    yield BadSource("empty", lambda root: root, "no photos in it")
    yield BadSource("no-class-folders", _flat, "no folders that say what they show")
    yield BadSource("one-class", lambda root: write_photos(root, {"cat": 4}), "only one class")
    yield BadSource("empty-class", made(lambda root: (root / "cow").mkdir()), "no photos in the")
    yield BadSource(
        "nothing-readable", made(lambda root: put(root / "cow/1.jpg", b"moo")), "no readable photo"
    )
    yield BadSource("system-files", made(_clutter), note="ignored: 7")
    yield BadSource("twins-by-case", made(lambda root: _copy(root / "cat", "Cat")), "too alike")
    yield BadSource("twins-by-accent", made(_accents), "too alike")
    yield BadSource(
        "unknown-test-class", lambda root: _split(root, test={"cat": 2, "dgo": 2}), "dgo"
    )
    yield BadSource(
        "test-lacks-a-class", lambda root: _split(root, test={"cat": 2}), note="no photos of 'dog'"
    )
    yield BadSource("test-only", lambda root: write_photos(root / "test", TWO).parent, "no train")
    yield BadSource(
        "two-trains",
        lambda root: _split(root, test=TWO, also="training"),
        "mean the same split",
    )
    yield BadSource(
        "photo-called-train",
        lambda root: put(_split(root, test=TWO) / "train.png", encoded(photo(), "PNG")).parent,
        listed=("beside the class folders",),
    )
    yield BadSource(
        "text-called-jpg",
        made(lambda root: put(root / "cat/notes.jpg", b"whiskers")),
        listed=("Not an image",),
    )
    yield BadSource(
        "links-outside",
        made(_links),
        listed=("A link that leads out", "Cannot be read", "Cannot be read", "contains itself"),
    )
    yield BadSource(
        "pipe", made(lambda root: os.mkfifo(root / "cat/pipe.jpg")), listed=("Not a regular file",)
    )
    yield BadSource("names", made(_names))
    yield BadSource("name-not-text", made(_latin), listed=("The name is not valid text",))
    yield BadSource("two-labels", made(_mislabelled), note="under two class names: 1 case")
    yield BadSource("leak", _leak, note="also training photos: 1")


def _flat(root: Path) -> Path:
    return put(root / "1.jpg", encoded(photo())).parent


def _copy(folder: Path, name: str) -> None:
    for file in folder.iterdir():
        put(folder.parent / name / file.name, file.read_bytes() + b"different")


def _clutter(root: Path) -> None:
    for name in (".DS_Store", "Thumbs.db", "cat/._0000.png", "cat/desktop.ini"):
        put(root / name, b"system")
    for name in (".git/config", ".ipynb_checkpoints/a.png", "__MACOSX/cat/1.png"):
        put(root / name, b"system")


def _accents(root: Path) -> None:
    _copy(root / "cat", "caf\u00e9")
    _copy(root / "cat", "cafe\u0301")


def _split(root: Path, *, test: Mapping[str, int], also: str | None = None) -> Path:
    write_photos(root / "train", TWO, seed=1)
    write_photos(root / "test", test, seed=2)
    if also:
        write_photos(root / also, TWO, seed=3)
    return root


def _links(root: Path) -> None:
    outside = put(root.parent / "outside.png", encoded(photo(), "PNG"))
    (root / "cat/outside.png").symlink_to(outside)
    (root / "cat/nowhere.png").symlink_to(root / "gone.png")
    (root / "cat/itself.png").symlink_to(root / "cat/itself.png")
    (root / "dog/circle").symlink_to(root / "dog", target_is_directory=True)
    (root / "dog/inside.png").symlink_to(root / "cat/0000.png")


def _names(root: Path) -> None:
    for index, name in enumerate(
        ("two words", "naïve caf\u00e9", "日本語", "🐈", "a'b\"c", "tab\there", "line\nbreak",
         "<img onerror=alert(1)>", "\u202egnp", "CON", "dot.", "x" * 200)
    ):  # fmt: skip
        put(root / "cat" / f"{name}.png", encoded(photo(seed=900 + index), "PNG"))


def _latin(root: Path) -> None:
    name = os.fsencode(root / "cat") + b"/caf\xe9.png"
    Path(os.fsdecode(name)).write_bytes(encoded(photo(), "PNG"))


def _mislabelled(root: Path) -> None:
    put(root / "dog/also-a-cat.png", (root / "cat/0000.png").read_bytes())


def _leak(root: Path) -> Path:
    _split(root, test=TWO)
    put(root / "test/cat/seen.png", (root / "train/cat/0000.png").read_bytes())
    return root
