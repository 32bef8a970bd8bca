"""Ctrl-C and SIGTERM as a wish to stop, instead of an end in the middle of something.

The first signal is remembered; a second one ends the process as it would have without us.
Where processes were started together the same wish comes twice, from the terminal and from the
one that started them: what comes within `same_s` of the first signal is the same wish.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruption(same_s: float = 0.0) -> Iterator[Callable[[], bool]]:
    """Whether somebody asked to stop; asked inside the block, answered at any time.

    Signals reach the main thread only: in another thread nothing is caught and the answer is no.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    until = 0.0

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal until
        if not asked.is_set():
            asked.set()
            until = time.monotonic() + same_s
            if same_s:
                return
        elif time.monotonic() < until:
            return
        signal.signal(number, before[signal.Signals(number)])
        if same_s:  # the handler stayed for the same wish: what came now is another one
            signal.raise_signal(number)

    for number in _SIGNALS:
        signal.signal(number, remember)
    try:
        yield asked.is_set
    finally:
        for number in _SIGNALS:
            signal.signal(number, before[number])
