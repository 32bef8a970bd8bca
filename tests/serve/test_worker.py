"""worker.py: one thing at a time, nothing for nobody, and no endless queue."""

import threading

import anyio
import pytest

from seethrough.serve.refusal import Refusal
from seethrough.serve.worker import QUEUE, Worker


class Asker:
    """As much of a request as the worker asks."""

    def __init__(self, *, is_gone: bool = False) -> None:
        self.is_gone = is_gone

    async def is_disconnected(self) -> bool:
        return self.is_gone


def test_work_is_done_one_after_another_outside_the_event_loop():
    at_once, most = 0, 0
    threads = set()

    def work() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        threads.add(threading.current_thread())
        at_once -= 1

    async def go() -> None:
        worker = Worker()
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(worker.do, Asker(), work)

    anyio.run(go)
    assert most == 1
    assert threading.main_thread() not in threads


def test_what_nobody_waits_for_any_more_is_never_computed():
    done = []

    async def go() -> None:
        await Worker().do(Asker(is_gone=True), lambda: done.append(1))

    with pytest.raises(Refusal, match="Nobody waits for this"):
        anyio.run(go)
    assert done == []


def test_a_queue_that_is_full_is_refused_and_drains_again():
    release = threading.Event()
    statuses = []

    async def go() -> None:
        worker = Worker()

        async def ask() -> None:
            try:
                await worker.do(Asker(), release.wait)
            except Refusal as refusal:
                statuses.append(refusal.status)
                if len(statuses) == 3:
                    release.set()

        async with anyio.create_task_group() as tasks:
            for _ in range(QUEUE + 3):
                tasks.start_soon(ask)
        assert await worker.do(Asker(), lambda: 7) == 7

    anyio.run(go)
    assert statuses == [503, 503, 503]


def test_long_work_ends_once_nobody_waits_for_it():
    asker, breaths = Asker(), []

    def work(breath):
        while True:
            breaths.append(1)
            asker.is_gone = len(breaths) > 3
            breath()

    with pytest.raises(Refusal, match="Nobody waits for this"):
        anyio.run(lambda: Worker().do_while_wanted(asker, work))
    assert len(breaths) > 3


def test_long_work_that_is_wanted_gives_its_answer_or_its_own_error():
    def fails(breath):
        breath()
        raise KeyError("mine")

    assert anyio.run(lambda: Worker().do_while_wanted(Asker(), lambda breath: 7)) == 7
    with pytest.raises(KeyError, match="mine"):
        anyio.run(lambda: Worker().do_while_wanted(Asker(), fails))
