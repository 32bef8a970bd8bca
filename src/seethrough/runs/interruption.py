"""Ctrl-C and SIGTERM as a wish to stop, instead of an end in the middle of something.

The first signal is remembered; a second one ends the process as it would have without us.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Whether somebody asked to stop; asked inside the block, answered at any time.

    Signals reach the main thread only: in another thread nothing is caught and the answer is no.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def remember(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in _SIGNALS:
        signal.signal(number, remember)
    try:
        yield asked.is_set
    finally:
        for number in _SIGNALS:
            signal.signal(number, before[number])
