"""Good photos, made by script: different from each other, equal on every machine."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

TWO = {"cat": 4, "dog": 4}  # the classes of an honest source


@dataclass(frozen=True, slots=True)
class BadSource:
    """A folder or a zip; `refused` as above, `listed` are pieces of the problems in it."""

    name: str
    write: Callable[[Path], Path]  # writes into an empty folder, returns what is to be loaded
    refused: str | None = None
    listed: tuple[str, ...] = ()
    note: str | None = None


def photo(width: int = 40, height: int = 40, seed: int = 0) -> Image.Image:
    """A smooth coloured picture that differs with the seed and survives JPEG."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def write_photos(
    root: Path, classes: Mapping[str, int], *, px: int = 32, seed: int = 0, suffix: str = ".png"
) -> Path:
    """One folder a class with so many photos, all different; the class tints them."""
    number = seed * 100_000
    for position, (label, count) in enumerate(classes.items()):
        folder = root / label
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            number += 1
            image = np.asarray(photo(px, px, seed=number)).astype(np.int32)
            image[..., position % 3] = image[..., position % 3] // 2 + 120
            kind = "JPEG" if suffix in (".jpg", ".jpeg") else suffix[1:].upper()
            content = encoded(Image.fromarray(image.astype(np.uint8)), kind)
            (folder / f"{index:04d}{suffix}").write_bytes(content)
    return root


def zipped(root: Path, target: Path, *, above: str = "") -> Path:
    """An honest zip of a folder."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file():
                archive.write(file, above + file.relative_to(root).as_posix())
    return target


def put(file: Path, content: bytes) -> Path:
    """A file and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file
