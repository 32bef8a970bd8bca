"""Damage that Pillow does not see, and an end that it misses without need.

A PNG carries a checksum (CRC-32) with every chunk; Pillow skips those of the pixels, so that a
flipped bit can pass as a photo.

A JPEG ends with a marker; some cameras and downloads lose it although every pixel is there. Such
a file is told from a truncated one by trying: followed by three different fillings it must
decode to the same pixels each time. Where pixels are missing, the filling becomes pixels.
Progressive files are not repaired: what they lack is sharpness, and that cannot be seen.
"""

import zlib
from typing import Final

_SIGNATURE_BYTES: Final = 8  # of a PNG, before its first chunk
_AROUND_BYTES: Final = 12  # length, kind and checksum of a PNG chunk
_END_MARKER: Final = b"\xff\xd9"
_PROGRESSIVE: Final = b"\xff\xc2"
_FILLINGS: Final = (b"", b"\x55" * 64, b"\xaa" * 64)


def broken_png_chunk(content: bytes) -> str | None:
    """The first chunk of pixels whose checksum is wrong, in words."""
    at, number = _SIGNATURE_BYTES, 0
    while at + _AROUND_BYTES <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind = content[at + 4 : at + 8]
        end = at + 8 + length
        if kind == b"IDAT" and end + 4 <= len(content):
            number += 1
            promised = int.from_bytes(content[end : end + 4], "big")
            if zlib.crc32(memoryview(content)[at + 4 : end]) != promised:
                return f"the checksum of its chunk {number} of pixels is wrong"
        at = end + 4
    return None


def ended(content: bytes) -> tuple[bytes, ...]:
    """A JPEG without its end marker, with three; none if there is nothing to try."""
    if content.endswith(_END_MARKER) or _PROGRESSIVE in content:
        return ()
    return tuple(content + filling + _END_MARKER for filling in _FILLINGS)
