"""File bytes → the pixels that a network sees. The one way in for every photo.

    decode    content → upright 8-bit RGB, whole
    fit       short side → image_px, the centre kept, a square
    picture   both: what load, predict and serve all call, so that they see equal pixels

A picture that needs more memory than the others is decoded alone. A JPEG is decoded at a half,
a quarter or an eighth of its size if that still leaves 2 × image_px. Of a file with several
frames or pages the first is used. Damaged EXIF data is ignored, with a note; a damaged picture
is refused: no half of a photo ever stands for the photo.

Raises DataError. Knows nothing of folders or classes.
"""

import threading
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageFile

from seethrough.data.colour import to_rgb
from seethrough.data.header import corrupt, misnamed, open_header, pillow_is_quiet

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
_LARGE_PIXELS: Final = 8_000_000  # decoded one at a time: 64 MP take 0.5 GB on their way
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
    image, width, height, remark = _upright(content, name=name, image_px=image_px)
    return Picture(pixels=np.array(image), width=width, height=height, note=remark)


def fit(pixels: UInt8[np.ndarray, "h w 3"], image_px: int) -> UInt8[np.ndarray, "s s 3"]:
    """The largest centred square, resized to `image_px` (Lanczos)."""
    return _fitted(Image.fromarray(pixels), image_px)


def picture(content: bytes, *, name: str, image_px: int) -> Fitted:
    """What the network sees of a file."""
    image, width, height, remark = _upright(content, name=name, image_px=image_px)
    notes = [note for note in (remark, _cut(width, height)) if note]
    return Fitted(
        pixels=_fitted(image, image_px),
        width=width,
        height=height,
        note=" ".join(notes) or None,
        remark=remark,
    )


def size_px(content: bytes, *, name: str) -> tuple[int, int]:
    """Width and height that the header promises, as stored (not turned upright)."""
    return open_header(content, name=name).size


def _upright(
    content: bytes, *, name: str, image_px: int | None
) -> tuple[Image.Image, int, int, str | None]:
    image = open_header(content, name=name)
    width, height = image.size
    found = image.format or "image"
    try:
        if image_px is not None:
            image.draft(None, (2 * image_px, 2 * image_px))
        is_large = image.width * image.height > _LARGE_PIXELS
        with _LARGE if is_large else nullcontext():
            # TIFF reads its metadata while it decodes, and may warn about it.
            with pillow_is_quiet() if found == "TIFF" else nullcontext():
                image.load()
            orientation, exif_note = _orientation(image)
            rgb, colour_note = to_rgb(image)
            if turn := _TURNS.get(orientation):
                rgb = rgb.transpose(turn)
    except Exception as error:  # decoders raise whatever a damaged file makes them raise
        raise corrupt(name, found, error) from error
    if orientation >= _LYING:
        width, height = height, width
    notes = (misnamed(content, name=name), exif_note, _frames(image), colour_note)
    return rgb, width, height, " ".join(note for note in notes if note) or None


def _orientation(image: ImageFile.ImageFile) -> tuple[int, str | None]:
    """EXIF's number, 1 where nothing has to be turned; TIFF is turned while it is decoded."""
    if image.info.keys().isdisjoint(_METADATA):
        return _UPRIGHT, None
    try:
        with pillow_is_quiet():
            value = image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
    except Exception:  # EXIF is a second, often careless, file inside the file
        return _UPRIGHT, "Its EXIF data is damaged and was ignored."
    return value if value in _TURNS else _UPRIGHT, None


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


def _fitted(image: Image.Image, image_px: int) -> UInt8[np.ndarray, "s s 3"]:
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    if side != image_px:
        image = image.resize(
            (image_px, image_px),
            Image.Resampling.LANCZOS,
            box=(left, top, left + side, top + side),
            reducing_gap=3.0,  # Pillow: "the result is almost indistinguishable" from 3 upwards
        )
    elif width != height:
        image = image.crop((left, top, left + side, top + side))
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
