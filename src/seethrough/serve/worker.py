"""The one thread in which torch works, so that the event loop never waits for it.

Requests queue before it in order. What nobody waits for any more is never computed, and a queue
that is too long is refused at once instead of being answered too late.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread
from fastapi import Request

from seethrough.serve.refusal import Refusal

T = TypeVar("T")

QUEUE = 64  # requests that may wait
POLL_S = 0.2  # between two looks whether somebody still waits for long work


class Worker:
    """Does one thing after another, each for one request."""

    def __init__(self) -> None:
        self._turn = anyio.Semaphore(1, fast_acquire=True)
        self._thread = anyio.CapacityLimiter(1)
        self._waiting = 0

    async def do_while_wanted(self, request: Request, work: Callable[[Callable[[], None]], T]) -> T:
        """The same for long work, which calls what it is handed: a Refusal once nobody waits."""
        is_over = threading.Event()

        def breath() -> None:
            if is_over.is_set():
                raise _nobody()

        async def watch() -> None:
            while not await request.is_disconnected():
                await anyio.sleep(POLL_S)
            is_over.set()

        done: list[T] = []
        failed: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            try:
                done.append(await self.do(request, lambda: work(breath)))
            except Exception as error:
                failed = error  # raised below: the group would put it into one of its own
            finally:
                is_over.set()
            group.cancel_scope.cancel()
        if failed is not None:
            raise failed
        return done[0]

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
                    raise _nobody()
                return await anyio.to_thread.run_sync(work, limiter=self._thread)
        finally:
            self._waiting -= 1


def _nobody() -> Refusal:
    return Refusal(503, "Nobody waits for this.", why="the connection ended.", fix="ask again.")
