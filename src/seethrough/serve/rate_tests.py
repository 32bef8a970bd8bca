"""Range tests that the studio asked for: each in a process of its own, what it told kept here.

    started by the server, it reads a run and writes nothing
    ends by itself, or when its standard input is closed: on request, and when the server is gone

One goes on at a time; of each run the newest is kept.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable

import anyio

from seethrough.runs.folder import Run
from seethrough.serve.rate_process import ended
from seethrough.serve.refusal import Refusal
from seethrough.serve.stream import KEEPALIVE_S, POLL_S, Audience
from seethrough.serve.wire import ErrorMessage, RangeTestEvent, RangeTestMessage

KEPT = 16
GRACE_S = 10.0


class RateTest:
    """One process, and its events so far."""

    def __init__(self, run: Run) -> None:
        self.run = run.id
        self.events: list[RangeTestEvent] = []
        self._is_called_off = False
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own folder
            [sys.executable, "-m", "seethrough.serve.rate_process", str(run.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the server's terminal is not for it
        )
        self._reader = threading.Thread(target=self._read, name=f"range-test-{run.id}", daemon=True)
        self._reader.start()

    @property
    def message(self) -> RangeTestMessage:
        """Where it stands."""
        last = self.events[-1].root if self.events else None
        state = last.state if last is not None and last.kind == "end" else "trying"
        return RangeTestMessage(run=self.run, state=state)

    def call_off(self) -> None:
        """End it; returns when it is gone."""
        self._is_called_off = True
        self._close_input()
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join()

    def _close_input(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.events.append(RangeTestEvent.model_validate(json.loads(line)))
        code = self._process.wait()
        self._close_input()
        if self.message.state == "trying":
            end = ended("stopped", None) if self._is_called_off else ended("failed", _died(code))
            self.events.append(RangeTestEvent(end))


def _died(code: int) -> ErrorMessage:
    return ErrorMessage(
        what="The range test ended before its end.",
        why=f"its process left with exit code {code}.",
        fix="the terminal of the server shows why; where memory was short, end other programs.",
    )


class RateTests:
    """The newest range test of each run."""

    def __init__(self) -> None:
        self._tests: OrderedDict[str, RateTest] = OrderedDict()
        self._starting = threading.Lock()

    def message(self, run: Run) -> RangeTestMessage:
        """Where the run's newest test stands."""
        test = self._tests.get(run.id)
        return RangeTestMessage(run=run.id, state="none") if test is None else test.message

    def start(self, run: Run) -> RangeTestMessage:
        """Begin a test in the place of the one before."""
        from seethrough.runs.rates import check_testable

        check_testable(run)
        with self._starting:
            for other in self._tests.values():
                if other.message.state == "trying":
                    raise Refusal(
                        409,
                        f"Learning rates are being tried already, for {other.run}.",
                        why="two tests at once would each take twice as long.",
                        fix="wait for its end, or stop it.",
                    )
            test = self._tests[run.id] = RateTest(run)
            self._tests.move_to_end(run.id)
            while len(self._tests) > KEPT:
                self._tests.popitem(last=False)
        return test.message

    def stop(self, run: Run) -> RangeTestMessage:
        """End the run's test that goes on."""
        test = self.test(run)
        if test.message.state != "trying":
            raise Refusal(
                409,
                f"No learning rates are being tried for {run.id}.",
                why="its range test has ended.",
                fix="there is nothing to stop.",
            )
        test.call_off()
        return test.message

    def test(self, run: Run) -> RateTest:
        """The run's newest test."""
        if run.id not in self._tests:
            raise Refusal(
                404,
                f"No learning rates were tried for {run.id}.",
                why="the server has no range test of this run since it was started.",
                fix="begin one.",
            )
        return self._tests[run.id]

    def close(self) -> None:
        """End what goes on: the server ends."""
        for test in list(self._tests.values()):
            if test.message.state == "trying":
                test.call_off()


async def told(
    test: RateTest, after: int, audience: Audience, is_closing: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """The test's events behind the first `after`, as they come, until its end."""
    with audience.seat():
        yield b": a range test\n\n"
        spoke = time.monotonic()
        while not is_closing():
            for event in test.events[after:]:
                after += 1
                spoke = time.monotonic()
                kind, data = event.root.kind, event.model_dump_json()
                yield f"id: {after}\nevent: {kind}\ndata: {data}\n\n".encode()
                if kind == "end":
                    return
            if time.monotonic() - spoke >= KEEPALIVE_S:
                spoke = time.monotonic()
                yield b": still here\n\n"
            await anyio.sleep(POLL_S)
