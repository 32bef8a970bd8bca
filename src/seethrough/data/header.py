"""What the first bytes of a file say: which format it is, and how large its picture would be.

The name of the file decides nothing. Six formats are read, each by its own decoder of Pillow:
JPEG, PNG, WebP, BMP, GIF, TIFF; no other decoder is ever called. A header that promises more
than `limits` allows is refused before a pixel is decoded.

Raises DataError.
"""

import io
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Final

# Importing a plugin registers it; without this, Pillow would import all forty at the first WebP.
from PIL import (  # noqa: F401
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from seethrough.data.limits import MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE_PX
from seethrough.errors import DataError

SUFFIXES: Final = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
}
IMAGE_SUFFIXES: Final = frozenset(suffix for known in SUFFIXES.values() for suffix in known)
WAYS_OUT: Final = "save it as JPEG or PNG in a picture editor, or take it out of the folder."

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
)
_FOREIGN: Final = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript drawing"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript drawing"),
    (b"8BPS", "a Photoshop document"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x80\x02", "a Python pickle"),
)
# Python keeps one list of warning filters for all threads; two may not change it at once.
_WARNINGS: Final = threading.Lock()


@contextmanager
def pillow_is_quiet() -> Iterator[Sequence[warnings.WarningMessage]]:
    """What Pillow would print about damaged metadata is collected instead."""
    with _WARNINGS, warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        yield heard


def image_format(content: bytes) -> str | None:
    """One of the six formats by its signature, or None."""
    for signature, name in _SIGNATURES:
        if content.startswith(signature):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    return None


def open_header(content: bytes, *, name: str) -> tuple[ImageFile.ImageFile, bool]:
    """The picture's size and mode, its pixels still encoded; and whether its metadata is sound."""
    if not content:
        raise DataError(
            f"{name}: empty file.",
            why="it holds 0 bytes, so there is no picture in it.",
            fix="copy it again from where it came from, or take it out of the folder.",
        )
    check_file_size(len(content), name=name)
    found = image_format(content)
    if found is None:
        raise DataError(
            f"{name}: not an image that can be read.",
            why=f"its content is {in_words(content)}, not JPEG, PNG, WebP, BMP, GIF or TIFF.",
            fix=WAYS_OUT,
        )
    try:
        with pillow_is_quiet() as heard:
            image = Image.open(io.BytesIO(content), formats=(found,))
    except Image.DecompressionBombError as error:
        raise _too_large(name, "more than 178 million pixels") from error
    except Exception as error:  # decoders raise whatever a damaged header makes them raise
        raise corrupt(name, found, error) from error
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise _too_large(name, f"{width:,} × {height:,} px")
    return image, not heard


def check_file_size(size: int, *, name: str) -> None:
    """Refuse a file that is larger than any photo needs to be."""
    if size > MAX_FILE_BYTES:
        raise DataError(
            f"{name}: the file is too large ({size / 1e6:.1f} MB).",
            why=f"files of up to {MAX_FILE_BYTES // 1_000_000} MB are read.",
            fix="save a smaller version of it; the network looks at a small picture anyway.",
        )


def corrupt(name: str, found: str, error: Exception) -> DataError:
    """The error for a file that begins like a picture and does not go on like one."""
    said = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        said = "already its header makes no sense"
    return DataError(
        f"{name}: the {found} file is damaged or truncated.",
        why=f"its pixels cannot be decoded to the end ({said}).",
        fix="copy it again from where it came from, or take it out of the folder.",
    )


def misnamed(content: bytes, *, name: str) -> str | None:
    """A sentence if the suffix promises another format than the content is."""
    suffix = PurePosixPath(name).suffix.lower()
    found = image_format(content)
    if found is None or suffix not in IMAGE_SUFFIXES or suffix in SUFFIXES[found]:
        return None
    return f"The name ends in {suffix}, the content is {found}."


def _too_large(name: str, size: str) -> DataError:
    return DataError(
        f"{name}: the picture is too large ({size}).",
        why=f"pictures of up to {MAX_PIXELS // 1_000_000} million pixels "
        f"and {MAX_SIDE_PX:,} px a side are decoded.",
        fix="save a smaller version of it; the network looks at a small picture anyway.",
    )


def in_words(content: bytes) -> str:
    """What the bytes are, in words."""
    if not content:
        return "nothing"
    if found := image_format(content):
        return f"a {found} picture"
    for signature, words in _FOREIGN:
        if content.startswith(signature):
            return words
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        if brand in (b"avif", b"avis"):
            return "an AVIF picture"
        return "a HEIC photo" if brand in (b"heic", b"heix", b"mif1", b"msf1") else "a video"
    if content[257:262] == b"ustar":
        return "a tar archive"
    start = content[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if b"<svg" in start:
        return "an SVG drawing"
    try:
        content[:512].decode("ascii")
    except UnicodeDecodeError:
        return "unknown"
    return "text"
