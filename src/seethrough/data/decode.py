"""File bytes → the pixels that a network sees. The one way in for every photo.

    decode    content → upright 8-bit RGB, whole
    fit       short side → image_px, the centre kept, a square
    picture   both: what load, predict and serve all call, so that they see equal pixels

A picture that needs more memory than the others is decoded alone. A JPEG is decoded at a half,
a quarter or an eighth of its size if that still leaves 2 × image_px, and other large pictures are
averaged down to that. Of a file with several
frames or pages the first is used. Damaged EXIF data is ignored, with a note; a damaged picture
is refused: no half of a photo ever stands for the photo.

Raises DataError. Knows nothing of folders or classes.
"""

import hashlib
import threading
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageFile

from seethrough.data.colour import to_rgb
from seethrough.data.damage import broken_png_chunk, ended
from seethrough.data.header import (
    corrupt,
    image_format,
    misnamed,
    open_header,
    pillow_is_quiet,
)
from seethrough.errors import DataError

# EXIF 2.32, tag 0x0112: how the stored rows and columns must be turned to stand upright.
_LYING: Final = 5  # from this value on, rows and columns are exchanged
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_UPRIGHT: Final = 1
# Where Pillow keeps what may hold an orientation: EXIF, EXIF as PNG text, XMP.
_METADATA: Final = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})
_PEEKED: Final = ("GIF", "TIFF")  # looking for a second frame makes Pillow forget the first
_DAMAGED_EXIF: Final = "Its EXIF data is damaged; what could not be read was ignored."
_ODD_SHAPE: Final = "It is very small, or very long and thin, for a photo."
_TINY_PX: Final = 8
_THIN: Final = 20  # times as long as wide
_LARGE_PIXELS: Final = 8_000_000  # decoded one at a time: 64 MP take 0.5 GB on their way
_LARGEST_BLOCK_PX: Final = 64  # Pillow's sums of larger blocks lose a grey level
_LARGE: Final = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded file; `width` and `height` are those of the file, upright, in pixels."""

    pixels: UInt8[np.ndarray, "h w 3"]
    width: int
    height: int
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What the network sees of a file; `note` says in words what it does not see."""

    pixels: UInt8[np.ndarray, "s s 3"]
    width: int
    height: int
    note: str | None
    remark: str | None  # the part of `note` that is about the file, not about its shape


def decode(content: bytes, *, name: str, image_px: int | None = None) -> Picture:
    """The whole picture; with `image_px`, perhaps smaller, but at least twice that."""
    seen = _upright(content, name=name, image_px=image_px)
    return Picture(
        pixels=np.array(seen.image), width=seen.width, height=seen.height, note=seen.remark
    )


def fit(pixels: UInt8[np.ndarray, "h w 3"], image_px: int) -> UInt8[np.ndarray, "s s 3"]:
    """The largest centred square, resized to `image_px` (Lanczos)."""
    return _fitted(Image.fromarray(pixels), image_px)


def picture(content: bytes, *, name: str, image_px: int) -> Fitted:
    """What the network sees of a file."""
    seen = _upright(content, name=name, image_px=image_px)
    return Fitted(
        pixels=_fitted(seen.image, image_px),
        width=seen.width,
        height=seen.height,
        note=_joined(seen.remark, _cut(seen.width, seen.height)),
        remark=seen.remark,
    )


def size_px(content: bytes, *, name: str) -> tuple[int, int]:
    """Width and height that the header promises, as stored (not turned upright)."""
    return open_header(content, name=name)[0].size


@dataclass(frozen=True, slots=True)
class _Upright:
    """RGB, turned; width and height are the file's own, before any draft."""

    image: Image.Image
    width: int
    height: int
    remark: str | None


def _upright(content: bytes, *, name: str, image_px: int | None) -> _Upright:
    found = image_format(content) or "image"
    try:
        seen = _turned(content, name=name, image_px=image_px)
    except OSError as error:
        tried = _with_end(content, name=name, image_px=image_px) if found == "JPEG" else None
        if tried is None:
            raise corrupt(name, found, error) from error
        seen = tried
    except DataError:
        raise
    except Exception as error:  # decoders raise whatever a damaged file makes them raise
        raise corrupt(name, found, error) from error
    short, long = sorted((seen.width, seen.height))
    shape = _ODD_SHAPE if short < _TINY_PX or long > _THIN * short else None
    return replace(seen, remark=_joined(misnamed(content, name=name), seen.remark, shape))


def _turned(content: bytes, *, name: str, image_px: int | None) -> _Upright:
    """Upright RGB, the file's own size, and a remark; raises whatever Pillow raises."""
    image, is_sound = open_header(content, name=name)
    width, height = image.size
    if image.format == "PNG" and (broken := broken_png_chunk(content)):
        raise ValueError(broken)
    if image_px is not None:
        image.draft(None, (2 * image_px, 2 * image_px))
    is_large = image.width * image.height > _LARGE_PIXELS
    with _LARGE if is_large else nullcontext():
        # TIFF reads its metadata while it decodes, and may warn about it.
        with pillow_is_quiet() if image.format == "TIFF" else nullcontext():
            image.load()
        orientation, exif_is_sound = _orientation(image)
        rgb, colour_note = to_rgb(image)
        if rgb is image and image.format in _PEEKED:
            rgb = image.copy()
        if is_large and image_px is not None:
            rgb = _reduced(rgb, image_px)
        if orientation in _TURNS:
            rgb = rgb.transpose(_TURNS[orientation])
    if orientation >= _LYING:
        width, height = height, width
    exif_note = None if is_sound and exif_is_sound else _DAMAGED_EXIF
    return _Upright(rgb, width, height, _joined(exif_note, _frames(image), colour_note))


def _with_end(content: bytes, *, name: str, image_px: int | None) -> _Upright | None:
    """The picture in a JPEG that lacks its end marker and nothing else."""
    seen = pixels = None
    try:
        for number, whole in enumerate(ended(content)):
            seen = _turned(whole, name=name, image_px=image_px)
            now = hashlib.sha256(seen.image.tobytes()).digest()
            if number and now != pixels:
                return None
            pixels = now
    except OSError:
        return None
    return seen and replace(seen, remark=_joined("Its end marker is missing.", seen.remark))


def _orientation(image: ImageFile.ImageFile) -> tuple[int, bool]:
    """EXIF's number and whether EXIF is sound; a TIFF was turned already while it was decoded."""
    if image.info.keys().isdisjoint(_METADATA):
        return _UPRIGHT, True
    try:
        with pillow_is_quiet() as heard:
            value = image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
    except Exception:  # EXIF is a second, often careless, file inside the file
        return _UPRIGHT, False
    return value if value in _TURNS else _UPRIGHT, not heard


def _frames(image: ImageFile.ImageFile) -> str | None:
    if image.format not in ("GIF", "PNG", "WEBP", "TIFF"):
        return None
    try:
        with pillow_is_quiet():
            several = bool(getattr(image, "is_animated", False))
    except Exception:  # what stands behind the first frame is not needed
        several = True
    if not several:
        return None
    kind = "pages" if image.format == "TIFF" else "frames"
    return f"It has several {kind}; the first is used."


def _reduced(image: Image.Image, image_px: int) -> Image.Image:
    """What `draft` does for a JPEG, for the others: means of blocks, still 2 × image_px."""
    factor = min(min(image.size) // (2 * image_px), _LARGEST_BLOCK_PX)
    return image.reduce(factor) if factor > 1 else image


def _fitted(image: Image.Image, image_px: int) -> UInt8[np.ndarray, "s s 3"]:
    width, height = image.size
    side = min(width, height)
    if width != height:  # cropped first: what was cut off must not colour the border
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    if side != image_px:
        image = image.resize(
            (image_px, image_px),
            Image.Resampling.LANCZOS,
            reducing_gap=3.0,  # Pillow: "the result is almost indistinguishable" from 3 upwards
        )
    return np.array(image)


def _cut(width: int, height: int) -> str | None:
    if width == height:
        return None
    spare = abs(width - height)
    before, after = spare // 2, spare - spare // 2
    sides = ("left", "right") if width > height else ("top", "bottom")
    if before == after:
        cut = f"{before:,} px at the {sides[0]} and {sides[1]} were"
    elif before == 0:
        cut = f"{after:,} px at the {sides[1]} was"
    else:
        cut = f"{before:,} px at the {sides[0]} and {after:,} px at the {sides[1]} were"
    return f"{cut} cut off to make it square."


def _joined(*sentences: str | None) -> str | None:
    return " ".join(sentence for sentence in sentences if sentence) or None
