"""The body of a request: raw bytes of one picture, counted while they arrive.

No forms and no multipart: what is not parsed cannot be mis-parsed. `Content-Length` is believed
only where it admits to be too much.
"""

from urllib.parse import unquote

import anyio
from fastapi import Request

from seethrough.serve.refusal import Refusal

LIMIT_BYTES = 25_000_000
PATIENCE_S = 10.0  # between two pieces of a body
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
    pieces: list[bytes] = []
    size = 0
    stream = request.stream()
    while True:
        try:
            with anyio.fail_after(PATIENCE_S):
                piece = await anext(stream, None)
        except TimeoutError:
            raise Refusal(
                408,
                "The picture stopped arriving.",
                why=f"nothing came for {PATIENCE_S:.0f} s.",
                fix="send it again.",
            ) from None
        if piece is None:
            return b"".join(pieces)
        size += len(piece)
        if size > LIMIT_BYTES:
            raise _too_large()
        pieces.append(piece)


def picture_name(header: str | None) -> str:
    """The name that the file was dropped with; shown as text, never used as a path."""
    name = unquote(header or "", errors="replace").replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter for letter in name if letter.isprintable())
    return printable[:NAME_CHARACTERS].strip() or "photo"
