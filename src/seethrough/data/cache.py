"""Decoded photos, kept so that they are decoded once. Everything here can be made again.

    <cache>/datasets/<key>/meta.json             names, labels, digests, which array is meant
    <cache>/datasets/<key>/images-<digest>.npy   uint8, n × image_px × image_px × 3, row-major

`<cache>` is SEETHROUGH_CACHE or the user's cache folder (platformdirs); `<key>` the first 32
hexadecimal digits of the SHA-256 of (source, image_px), and of the CSV's path where one says the
labels. meta.json is one object:

    sha256    of everything else, as json.dumps writes it
    format    1; any other number is rebuilt
    stamp     digest of all paths, sizes and times of change when the photos were read
    content   see `fingerprint.py`
    image_px, classes, problems, notes
    images    the name of the array's file
    blocks    zlib.crc32 of each 4 MiB of that file
    paths, labels, splits, ids, sizes   one item an image; splits null where the folders do not say,
                                        ids as 16 hexadecimal digits, sizes as [width, height]
    is_several                          true: labels are lists of positions; missing: false

Both are written to a temporary name and renamed, the array first; meta.json makes it count. A
reader trusts nothing: another stamp, another format, a missing or a damaged file, and the answer
is None. Up to 256 MiB of the array are checked on reading, in larger ones blocks evenly spread.

Raises StorageError when the disk refuses to take what is written.
"""

import json
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
import platformdirs
from jaxtyping import Int32, Shaped, UInt8, UInt64

from seethrough.data.dataset import Problem
from seethrough.data.source import digest
from seethrough.errors import StorageError

_FORMAT: Final = 1
_BLOCK_BYTES: Final = 4 << 20
_BLOCKS_CHECKED: Final = 64
_HEADER_BYTES: Final = 128  # of a version 1.0 .npy file with four dimensions
_ABANDONED_S: Final = 24 * 3600  # without a write: nobody is writing it any more
_SPARE_BYTES: Final = 16 << 20  # that must stay free besides the images


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Photos after decoding and before splitting; the arrays are in the order of the paths."""

    content: str
    image_px: int
    classes: tuple[str, ...]
    images: UInt8[np.ndarray, "n h w 3"]
    labels: Shaped[np.ndarray, " n *k"]  # as in `Dataset`
    splits: UInt8[np.ndarray, " n"] | None  # where the folders say
    ids: UInt64[np.ndarray, " n"]
    paths: tuple[str, ...]
    sizes: Int32[np.ndarray, "n 2"]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of `Decoded` but the pixels, as it stands in meta.json."""

    content: str
    image_px: int
    classes: Sequence[str]
    labels: Sequence[int] | Sequence[Sequence[int]]
    splits: Sequence[int] | None
    ids: Sequence[str]
    paths: Sequence[str]
    sizes: Sequence[Sequence[int]]
    problems: Sequence[Problem]
    notes: Sequence[str]
    is_several: bool = False  # labels are lists of positions


def cache_folder() -> Path:
    """Where everything lies that can be made again."""
    named = os.environ.get("SEETHROUGH_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("seethrough")


def place(source: str, image_px: int, labels_file: str | None = None) -> Path:
    """The folder for one source at one size, with the labels of its folders or of a CSV."""
    parts = [source, str(image_px), *([] if labels_file is None else [labels_file])]
    return cache_folder() / "datasets" / digest(parts)[:32]


def read(folder: Path, stamp: str) -> Decoded | None:
    """What was kept, if it is whole and the source has not changed since."""
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        if meta.pop("sha256") != digest([json.dumps(meta)]):
            return None
        if meta.pop("format") != _FORMAT or meta.pop("stamp") != stamp:
            return None
        file = folder / Path(meta.pop("images")).name
        _check_blocks(file, meta.pop("blocks"))
        problems = [Problem(**problem) for problem in meta.pop("problems")]
        return decoded(Facts(**meta, problems=problems), np.load(file, mmap_mode="r"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # nothing was kept, or it was damaged: both mean that it must be made


def decoded(facts: Facts, images: np.ndarray) -> Decoded:
    """Facts and pixels together; ValueError if they do not belong together."""
    num_images, side = len(facts.paths), facts.image_px
    if images.dtype != np.uint8 or images.shape != (num_images, side, side, 3):
        message = "the array is not the one that meta.json describes"
        raise ValueError(message)
    splits = facts.splits
    return Decoded(
        content=facts.content,
        image_px=side,
        classes=tuple(facts.classes),
        images=images,
        labels=_table(facts),
        splits=None if splits is None else np.array(splits, dtype=np.uint8),
        ids=np.array([int(text, 16) for text in facts.ids], dtype=np.uint64),
        paths=tuple(facts.paths),
        sizes=np.array(facts.sizes, dtype=np.int32).reshape(num_images, 2),
        problems=tuple(facts.problems),
        notes=tuple(facts.notes),
    )


def _table(facts: Facts) -> Shaped[np.ndarray, " n *k"]:
    """Positions, or of several labels a row of 0 and 1 an image."""
    if not facts.is_several:
        return np.array(facts.labels, dtype=np.int64)
    table = np.zeros((len(facts.paths), len(facts.classes)), dtype=np.uint8)
    for row, own in zip(table, facts.labels, strict=True):
        row[np.array(own, dtype=np.int64)] = 1
    return table


class Writing:
    """An array of images that grows on the disk, and counts only once it is published."""

    def __init__(self, folder: Path, *, image_px: int, at_most: int) -> None:
        self._folder = folder
        self._side = image_px
        self._num_images = 0
        self._expected = at_most * image_px * image_px * 3
        self._temporary = folder / f"{uuid.uuid4().hex}.tmp"
        self._beside = self._temporary.with_suffix(".json.tmp")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(folder).free
            if free < self._expected + _SPARE_BYTES:
                raise _full(folder, self._expected + _SPARE_BYTES, free)
            self._file = self._temporary.open("wb")
            self._file.write(b"\0" * _HEADER_BYTES)
        except OSError as error:
            raise self._refused(error) from error

    def __enter__(self) -> "Writing":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as late:  # what was buffered did not fit
            if error is None:
                raise self._refused(late) from late
        finally:
            self._temporary.unlink(missing_ok=True)
            self._beside.unlink(missing_ok=True)

    def append(self, pixels: UInt8[np.ndarray, "h w 3"]) -> None:
        """Write one more image behind the others."""
        try:
            self._file.write(pixels.data)
        except OSError as error:
            raise self._refused(error) from error
        self._num_images += 1

    def publish(self, facts: Facts, stamp: str) -> Decoded:
        """Give the array its name, then name it in meta.json."""
        try:
            self._file.seek(0)
            self._file.write(_header((self._num_images, self._side, self._side, 3)))
            self._file.close()
            blocks = _blocks(self._temporary)
            name = f"images-{digest(map(str, blocks))[:16]}.npy"
            images = np.load(self._temporary, mmap_mode="r")
            self._temporary.replace(self._folder / name)
            meta = {"format": _FORMAT, "stamp": stamp, "images": name, "blocks": blocks}
            meta |= asdict(facts)
            text = json.dumps(meta | {"sha256": digest([json.dumps(meta)])})
            self._beside.write_text(text, encoding="utf-8")
            self._beside.replace(self._folder / "meta.json")
            _sweep(self._folder, keep=name)
        except OSError as error:
            raise self._refused(error) from error
        return decoded(facts, images)

    def _refused(self, error: OSError) -> StorageError:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError:
            free = None
        return _refused(self._folder, self._expected + _SPARE_BYTES, free, error)


def _header(shape: tuple[int, int, int, int]) -> bytes:
    """The .npy header for uint8 (NumPy's format 1.0), always as long as the room left for it."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    padded = text.ljust(_HEADER_BYTES - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode("ascii")


def _blocks(file: Path) -> list[int]:
    sums: list[int] = []
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            sums.append(zlib.crc32(block))
    return sums


def _check_blocks(file: Path, sums: list[int]) -> None:
    size = file.stat().st_size
    if not sums or -(-size // _BLOCK_BYTES) != len(sums):
        message = "the array is cut off"
        raise ValueError(message)
    step = max(1, len(sums) // _BLOCKS_CHECKED)
    looked_at = sorted({*range(0, len(sums), step), len(sums) - 1})
    with file.open("rb") as opened:
        for index in looked_at:
            opened.seek(index * _BLOCK_BYTES)
            if zlib.crc32(opened.read(_BLOCK_BYTES)) != sums[index]:
                message = f"block {index} of the array was changed"
                raise ValueError(message)


def _sweep(folder: Path, *, keep: str) -> None:
    """Remove arrays that meta.json no longer names, and what killed processes left behind.

    Whoever has an old array open keeps it.
    """
    for file in folder.glob("images-*.npy"):
        if file.name != keep:
            file.unlink(missing_ok=True)
    for file in folder.glob("*.tmp"):
        if time.time() - file.stat().st_mtime > _ABANDONED_S:
            file.unlink(missing_ok=True)


def _full(folder: Path, needed: int, free: int) -> StorageError:
    return StorageError(
        f"{folder}: no room for the decoded photos.",
        why=f"{needed:,} bytes are needed, {free:,} are free.",
        fix="free some space, or set SEETHROUGH_CACHE to a folder on a larger disk.",
    )


def _refused(folder: Path, needed: int, free: int | None, error: OSError) -> StorageError:
    room = "" if free is None else f", {free:,} are free"
    return StorageError(
        f"{folder}: the decoded photos cannot be written.",
        why=f"the system says: {error.strerror or error} ({needed:,} bytes are needed{room}).",
        fix="free some space there, or set SEETHROUGH_CACHE to a folder that can be written.",
    )
