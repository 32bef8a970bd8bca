"""The one thread in which torch works, so that the event loop never waits for it.

Requests queue before it in order. What nobody waits for any more is never computed, and a queue
that is too long is refused at once instead of being answered too late.
"""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread
from fastapi import Request

from seethrough.serve.refusal import Refusal

T = TypeVar("T")

QUEUE = 64  # requests that may wait


class Worker:
    """Does one thing after another, each for one request."""

    def __init__(self) -> None:
        self._turn = anyio.Semaphore(1, fast_acquire=True)
        self._thread = anyio.CapacityLimiter(1)
        self._waiting = 0

    async def do(self, request: Request, work: Callable[[], T]) -> T:
        """What `work` returns, once it is this request's turn."""
        if self._waiting >= QUEUE:
            raise Refusal(
                503,
                "The server has too much to do.",
                why=f"{QUEUE} requests wait for the network already.",
                fix="try again in a moment.",
            )
        self._waiting += 1
        try:
            async with self._turn:
                if await request.is_disconnected():
                    raise Refusal(
                        503, "Nobody waits for this.", why="the connection ended.", fix="ask again."
                    )
                return await anyio.to_thread.run_sync(work, limiter=self._thread)
        finally:
            self._waiting -= 1
