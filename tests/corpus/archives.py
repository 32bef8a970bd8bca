"""Zips, honest and hostile, with the outcome that is promised."""

import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.corpus.photos import TWO, BadSource, encoded, photo, put


def zips() -> Iterator[BadSource]:
    """The corpus of archives."""
    for name, hostile in {
        "up": "../evil.png",
        "absolute": "/abs/evil.png",
        "drive": "C:\\evil.png",
        "server": "\\\\host\\share\\evil.png",
        "up-inside": "cat/../../evil.png",
        "up-backwards": "..\\..\\evil.png",
        "up-as-folder": "../",
    }.items():
        yield BadSource(name, _archive({hostile: b"x"}), "leads out of the archive")
    yield BadSource("link", _linked, listed=("A link or a device inside",))
    yield BadSource("through-a-link", _through, "is a file and a folder")
    yield BadSource("ratio", _ratio, "that unpack to")
    yield BadSource("overlap", _overlap, "overlap")
    yield BadSource("lying-size", _lying, listed=("Damaged inside the archive",))
    yield BadSource("bad-sum", _bad_sum, listed=("Damaged inside the archive",))
    yield BadSource("deep", _archive({"a/" * 200 + "x.png": b"x"}), "200 deep")
    yield BadSource("twice", _archive({"cat/a.png": b"x", "Cat/A.png": b"y"}), "two files are")
    yield BadSource("encrypted", _encrypted, "encrypted")
    yield BadSource("cut", _cut, "damaged or cut off")
    yield BadSource("half", lambda root: _cut(root, at=0.5), "damaged or cut off")
    yield BadSource("empty-zip", lambda root: _store(root, {}), "no photos in it")
    yield BadSource("nested", _archive({"cat/more.zip": b"PK\x03\x04"}), listed=("Not an image",))
    yield BadSource("bzip2", _bzip2, listed=("Packed in a way",))
    for name, content in {
        "tar": bytes(257) + b"ustar\0" + bytes(300),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
        "rar": b"Rar!\x1a\x07\0" + bytes(100),
        "text": b"hello",
        "nothing": b"",
        "photo": encoded(photo()),
    }.items():
        yield BadSource(
            name, lambda root, content=content: put(root / "p.zip", content), "not a zip"
        )


def _contents() -> dict[str, bytes]:
    return {
        f"{label}/{index}.png": encoded(photo(seed=10 * position + index), "PNG")
        for position, (label, count) in enumerate(TWO.items())
        for index in range(count)
    }


def _store(root: Path, contents: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(root / "photos.zip", "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return root / "photos.zip"


def _archive(added: Mapping[str, bytes]) -> Callable[[Path], Path]:
    return lambda root: _store(root, _contents() | dict(added))


def _linked(root: Path) -> Path:
    file = _store(root, _contents())
    with zipfile.ZipFile(file, "a") as archive:
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return file


def _through(root: Path) -> Path:
    file = _linked(root)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("cat/link.png/passwd.png", b"x")
    return file


def _changed(file: Path, change: Callable[[bytearray, int], None], name: str = "dog/3.png") -> Path:
    """Change the directory's entry for one file; `change` gets all bytes and the entry's place."""
    content = bytearray(file.read_bytes())
    at = content.rindex(name.encode()) - 46  # APPNOTE.TXT 4.3.12
    change(content, at)
    file.write_bytes(content)
    return file


def _ratio(root: Path) -> Path:
    def change(content: bytearray, at: int) -> None:
        content[at + 24 : at + 28] = struct.pack("<I", 120_000_000)  # size when unpacked

    return _changed(_store(root, _contents()), change)


def _overlap(root: Path) -> Path:
    def change(content: bytearray, at: int) -> None:
        content[at + 42 : at + 46] = bytes(4)  # where the file begins: at the first one

    return _changed(_store(root, _contents()), change)


def _lying(root: Path) -> Path:
    def change(content: bytearray, at: int) -> None:
        content[at + 24 : at + 28] = struct.pack("<I", 100)  # size when unpacked

    return _changed(_archive({"dog/big.png": b"\0" * 1_000_000})(root), change, "dog/big.png")


def _bad_sum(root: Path) -> Path:
    def change(content: bytearray, at: int) -> None:
        content[at + 16] ^= 1

    return _changed(_store(root, _contents()), change)


def _encrypted(root: Path) -> Path:
    def change(content: bytearray, at: int) -> None:
        content[at + 8] |= 1

    return _changed(_store(root, _contents()), change)


def _cut(root: Path, at: float = 0.99) -> Path:
    file = _store(root, _contents())
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * at)])
    return file


def _bzip2(root: Path) -> Path:
    file = _store(root, _contents())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("cat/b.png", encoded(photo(), "PNG"), zipfile.ZIP_BZIP2)
    return file
