"""The body of a request: raw bytes of one picture, counted while they arrive.

No forms and no multipart: what is not parsed cannot be mis-parsed. `Content-Length` is believed
only where it admits to be too much.
"""

from collections.abc import AsyncIterator
from urllib.parse import unquote

import anyio
from fastapi import Request

from seethrough.serve.refusal import Refusal

LIMIT_BYTES = 25_000_000
AT_ONCE = 4  # bodies that are held at the same time
PIECE_S = 10.0  # for the next piece of a body
WHOLE_S = 60.0  # for all of them
NAME_CHARACTERS = 255


def _too_large() -> Refusal:
    return Refusal(
        413,
        f"The picture is larger than {LIMIT_BYTES // 1_000_000} MB.",
        why="larger bodies are not taken in, so that memory stays free.",
        fix="save it smaller: the network reads only a few dozen pixels a side.",
    )


def _check_kind(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {"", "application/octet-stream"} or kind.startswith("image/"):
        return
    raise Refusal(
        415,
        f"A body of type {kind[:80]} is not taken.",
        why="this address takes the bytes of one picture, as they are in its file.",
        fix="send the file itself, with Content-Type image/* or application/octet-stream.",
    )


async def picture_bytes(request: Request) -> bytes:
    """The whole body, or a Refusal as soon as it is clear that it cannot be taken."""
    _check_kind(request)
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise Refusal(
            400,
            "The length of the body is not a number.",
            why="Content-Length must count bytes.",
            fix="leave it to the program that sends the picture.",
        )
    if int(declared) > LIMIT_BYTES:
        raise _too_large()
    try:
        with anyio.fail_after(WHOLE_S):
            return b"".join([piece async for piece in _counted(request.stream())])
    except TimeoutError:
        raise Refusal(
            408,
            "The picture stopped arriving.",
            why=f"nothing came for {PIECE_S:.0f} s, or not all of it within {WHOLE_S:.0f} s.",
            fix="send it again.",
        ) from None


async def _counted(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece as it comes; TimeoutError when none comes, a Refusal when they are too much."""
    size = 0
    while True:
        with anyio.fail_after(PIECE_S):
            piece = await anext(stream, None)
        if piece is None:
            return
        size += len(piece)
        if size > LIMIT_BYTES:
            raise _too_large()
        yield piece


def picture_name(header: str | None) -> str:
    """The name that the file was dropped with; shown as text, never used as a path."""
    name = unquote(header or "", errors="replace").replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter for letter in name if letter.isprintable())
    return printable[:NAME_CHARACTERS].strip() or "photo"
