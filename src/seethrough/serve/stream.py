"""A run's log as server-sent events, for whoever looks while it grows.

Each whole line of the log becomes

    id: <byte offset after the line>
    event: <the line's kind>
    data: <the line>

so that a reader who lost the connection goes on where it was. A line without its line break is
still being written and waits. The stream closes after an `end` that nothing follows; a run whose
process died without writing one gets an `end` from here. No thread and no open file a reader.
"""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

from seethrough.serve.refusal import Refusal
from seethrough.serve.wire import EndEvent, NoteEvent

READERS = 64
POLL_S = 0.1
KEEPALIVE_S = 10.0
CHECK_S = 2.0  # how often the run behind a silent log is asked whether it still works
PIECE_BYTES = 1 << 18


@dataclass(slots=True)
class Audience:
    """The readers of all streams together."""

    readers: int = 0
    limit: int = READERS

    def check(self) -> None:
        """Refuse one reader more than the limit."""
        if self.readers >= self.limit:
            raise Refusal(
                503,
                "Too many pages follow a training already.",
                why=f"the server serves {self.limit} at once, so that training is not slowed down.",
                fix="close a page and load this one again.",
            )

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Count one reader while it reads."""
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1


def start_of(log: Path, after: int) -> int:
    """`after` where it is the end of a line of this log, else 0.

    A log is cut back when a run resumes from an earlier checkpoint: what a reader saw beyond it
    does not count any more, so it reads again from `started`.
    """
    if after <= 0 or not log.exists() or after > log.stat().st_size:
        return 0
    with log.open("rb") as file:
        file.seek(after - 1)
        return after if file.read(1) == b"\n" else 0


def whole_lines(log: Path, offset: int) -> list[bytes]:
    """The finished lines from `offset` on, at most about PIECE_BYTES of them."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(offset)
        piece = file.read(PIECE_BYTES)
        while b"\n" not in piece and (more := file.read(PIECE_BYTES)):
            piece += more
    return piece[: piece.rfind(b"\n") + 1].splitlines(keepends=True)


def _message(line: bytes, offset: int) -> tuple[str, bytes]:
    """The line's kind, and the line as an event."""
    text = line.decode("utf-8", errors="replace").rstrip("\r\n")
    try:
        kind = str(json.loads(text)["kind"])
    except (ValueError, KeyError, TypeError):
        kind = "note"
        damaged = NoteEvent(kind="note", text="A line of the log is damaged and was left out.")
        text = damaged.model_dump_json()
    return kind, f"id: {offset}\nevent: {kind}\ndata: {text}\n\n".encode()


@dataclass(slots=True)
class LogStream:
    """One reader's way through one log."""

    log: Path
    offset: int
    audience: Audience
    ended: Callable[[], EndEvent | None]  # how the run ended; None: it still works
    is_closing: Callable[[], bool]  # the server wants to end
    kind: str = field(default="", init=False)  # of the newest line that was sent

    async def events(self) -> AsyncIterator[bytes]:
        """Everything that is there, then everything that comes."""
        if self.audience.readers >= self.audience.limit:
            return
        with self.audience.seat():
            yield b": the log of a run\n\n"
            spoke = checked = time.monotonic()
            while not self.is_closing():
                if messages := self._new_messages():
                    spoke = checked = time.monotonic()
                    yield messages
                    continue
                if self.kind == "end":
                    return
                now = time.monotonic()
                if now - checked >= CHECK_S:
                    checked = now
                    if last := await self._last_words():
                        yield last
                        return
                if now - spoke >= KEEPALIVE_S:
                    spoke = now
                    yield b": still here\n\n"
                await anyio.sleep(POLL_S)

    def _new_messages(self) -> bytes:
        if self.log.exists() and self.log.stat().st_size < self.offset:
            self.offset = 0  # cut back: see start_of
        messages = []
        for line in whole_lines(self.log, self.offset):
            self.offset += len(line)
            self.kind, message = _message(line, self.offset)
            messages.append(message)
        return b"".join(messages)

    async def _last_words(self) -> bytes:
        """What is left to say of a run that does not work any more; empty while it does."""
        end = await anyio.to_thread.run_sync(self.ended)
        if end is None:
            return b""
        if rest := self._new_messages():  # written between the last look and its end
            return rest if self.kind == "end" else rest + self._end(end)
        return self._end(end)

    def _end(self, end: EndEvent) -> bytes:
        return f"id: {self.offset}\nevent: end\ndata: {end.model_dump_json()}\n\n".encode()
