"""Files of one photo each, good and bad, with the outcome that is promised."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image
from tests.corpus.photos import encoded, photo

EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class BadImage:
    """One file; `refused` is a pattern for the error's `what`, None where it is accepted."""

    name: str
    content: bytes
    refused: str | None = None
    note: str | None = None  # a piece of the note of an accepted one


def png_of(*chunks: tuple[bytes, bytes], break_crc_of: bytes = b"") -> bytes:
    """A PNG from its chunks, with right checksums but for one."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        total = zlib.crc32(kind + body) ^ (kind == break_crc_of)
        parts.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", total))
    return b"".join(parts)


def png_header(width: int, height: int, *, bits: int = 8, colour: int = 2) -> tuple[bytes, bytes]:
    """The IHDR chunk; colour 0 is grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGB + alpha."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)


def sixteen_bit_png(value: int, side: int = 8) -> bytes:
    """16-bit grey, all pixels equal."""
    row = b"\0" + struct.pack(">H", value) * side
    return png_of(
        png_header(side, side, bits=16, colour=0),
        (b"IDAT", zlib.compress(row * side)),
        (b"IEND", b""),
    )


def solid_png(width: int, height: int) -> bytes:
    """1-bit white of any size in a few kilobytes."""
    row = b"\0" + b"\xff" * -(-width // 8)
    packed = zlib.compressobj(6)
    body = b"".join(packed.compress(row) for _ in range(height)) + packed.flush()
    return png_of(png_header(width, height, bits=1, colour=0), (b"IDAT", body), (b"IEND", b""))


def looping_tiff() -> bytes:
    """A TIFF whose only directory names itself as the next one."""
    return b"II*\0" + struct.pack("<IH", 8, 0) + struct.pack("<I", 8)


def frames(kind: str, count: int = 3) -> bytes:
    """An animation or a document of several pages; the first one is red."""
    colours = ("red", "green", "blue")
    pictures = [Image.new("RGB", (24, 24), colours[index % 3]) for index in range(count)]
    return encoded(pictures[0], kind, save_all=True, append_images=pictures[1:])


def rotated(kind: str, orientation: int, width: int = 48, height: int = 32) -> bytes:
    """`photo(width, height)` stored as a camera held another way would, EXIF telling so."""
    stored = {
        1: (), 2: ("FLIP_LEFT_RIGHT",), 3: ("ROTATE_180",), 4: ("FLIP_TOP_BOTTOM",),
        5: ("TRANSPOSE",), 6: ("ROTATE_90",), 7: ("TRANSVERSE",), 8: ("ROTATE_270",),
    }[orientation]  # fmt: skip
    image = photo(width, height)
    for turn in stored:
        image = image.transpose(Image.Transpose[turn])
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    return encoded(image, kind, exif=exif, **options)


def without_adobe_marker(content: bytes) -> bytes:
    """A CMYK JPEG that does not say that it is Adobe's."""
    at = content.index(b"\xff\xee\x00\x0eAdobe")
    return content[:at] + content[at + 16 :]


def images() -> Iterator[BadImage]:
    """The corpus of files; names are unique and are good file names."""
    jpeg = encoded(photo(200, 150), quality=90)
    yield BadImage("empty.jpg", b"", "empty file")
    yield BadImage("text.jpg", b"this is not a photo\n" * 20, "not an image")
    yield BadImage("download.jpg", b"<!DOCTYPE html><html>404</html>", "not an image")
    yield BadImage("drawing.svg", b"<svg><script>alert(1)</script></svg>", "not an image")
    yield from _cut_images(jpeg)
    yield BadImage("no-end-marker.jpg", jpeg[:-2], note="end marker is missing")
    yield BadImage("one-byte-short.jpg", jpeg[:-4], "damaged or truncated")
    yield BadImage("extra-bytes.jpg", jpeg[:-2] + b"\0" * 245 + jpeg[-2:])
    yield BadImage("bytes-behind-the-end.jpg", jpeg + b"\0" * 1000)
    yield BadImage(
        "bad-sum.png",
        png_of(
            png_header(2, 2), (b"IDAT", zlib.compress(bytes(14))), (b"IEND", b""),
            break_crc_of=b"IDAT",
        ),
        "damaged or truncated",
    )  # fmt: skip
    yield from _foreign_images()
    yield BadImage("gif-in-truth.jpg", encoded(photo(), "GIF"), note="content is GIF")
    yield BadImage("png-in-truth.jpg", encoded(photo(), "PNG"), note="content is PNG")
    yield BadImage("bmp-in-truth.png", encoded(photo(), "BMP"), note="content is BMP")
    huge = png_of(png_header(65_535, 65_535), (b"IDAT", b""), (b"IEND", b""))
    yield BadImage("65535-px.png", huge, "too large")
    wide = png_of(png_header(12_000, 9_000), (b"IDAT", b""), (b"IEND", b""))
    yield BadImage("12000-by-9000.png", wide, "too large")
    yield BadImage("60000-px.webp", _resized(frames("WEBP"), b"VP8X", 12, 60_000), "too large")
    yield BadImage(
        "65535-px.gif", _resized(encoded(photo(), "GIF"), b"GIF8", 6, 65_535), "too large"
    )
    long = png_of(png_header(16_385, 1), (b"IDAT", b""), (b"IEND", b""))
    yield BadImage("one-px-too-long.png", long, "too large")
    bomb = (b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 4_000_000))
    yield BadImage(
        "text-bomb.png",
        png_of(png_header(1, 1), bomb, (b"IDAT", zlib.compress(bytes(4))), (b"IEND", b"")),
        "damaged or truncated",
    )
    for kind, suffix in (("GIF", "gif"), ("PNG", "png"), ("WEBP", "webp")):
        yield BadImage(f"animated.{suffix}", frames(kind), note="several frames")
    yield BadImage("pages.tiff", frames("TIFF"), note="several pages")
    yield BadImage("looping.tiff", looping_tiff(), "damaged or truncated")
    yield BadImage("sixteen-bit.png", sixteen_bit_png(40_000))
    yield BadImage("cmyk.jpg", encoded(photo().convert("CMYK")))
    yield BadImage("cmyk-not-adobe.jpg", without_adobe_marker(encoded(photo().convert("CMYK"))))
    yield BadImage("palette.png", encoded(photo().quantize(8), "PNG", transparency=0))
    clear = Image.new("RGBA", (20, 20), (10, 20, 30, 0))
    yield BadImage("transparent.png", encoded(clear, "PNG"), note="transparent everywhere")
    broken = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 60_000) + b"\xff" * 40
    yield BadImage("broken-exif.jpg", encoded(photo(), exif=broken), note="EXIF data is damaged")
    for width, height in ((1, 1), (1, 10_000), (10_000, 1)):
        odd = encoded(photo(width, height), "PNG")
        yield BadImage(f"{width}-by-{height}.png", odd, note="for a photo")
    for orientation in (3, 6, 8):
        yield BadImage(f"turned-{orientation}.jpg", rotated("JPEG", orientation))


def _resized(content: bytes, mark: bytes, behind: int, side: int) -> bytes:
    """A file whose header promises another size; GIF counts from 1, WebP from 0, in 3 bytes."""
    at = content.index(mark) + behind
    width = 2 if mark == b"GIF8" else 3
    size = (side - (width == 3)).to_bytes(width, "little")
    return content[:at] + size * 2 + content[at + 2 * width :]


def _cut_images(jpeg: bytes) -> Iterator[BadImage]:
    for percent in (10, 50, 90, 99):
        part = jpeg[: len(jpeg) * percent // 100]
        yield BadImage(f"cut-at-{percent}.jpg", part, "damaged or truncated")
    big = photo(200, 150)
    files = {
        "progressive.jpg": encoded(big, progressive=True),
        "cut.png": encoded(big, "PNG"),
        "cut.webp": encoded(big, "WEBP"),
        "cut.gif": encoded(big, "GIF"),
        "cut.bmp": encoded(big, "BMP"),
        "cut.tiff": encoded(big, "TIFF"),
        "cut-deflated.tiff": encoded(big, "TIFF", compression="tiff_adobe_deflate"),
    }
    for name, content in files.items():
        yield BadImage(name, content[: len(content) * 7 // 10], "damaged or truncated")


def _foreign_images() -> Iterator[BadImage]:
    fits = b"SIMPLE  =                    T".ljust(2880)
    for name, content in {
        "eps.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        "pdf.png": b"%PDF-1.7\n",
        "fits.png": fits,
        "psd.png": b"8BPS\0\1" + bytes(20),
        "heic.jpg": b"\0\0\0\x18ftypheic" + bytes(40),
        "avif.png": b"\0\0\0\x18ftypavif" + bytes(40),
        "zip.png": b"PK\x03\x04" + bytes(40),
        "icon.png": b"\0\0\1\0" + bytes(40),
        "tar.png": bytes(257) + b"ustar\0" + bytes(300),
    }.items():
        yield BadImage(name, content, "not an image")
