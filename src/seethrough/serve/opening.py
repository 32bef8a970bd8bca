"""What a program that has just started is still doing, told to a page that is open already.

One thread tells, the server's threads ask; each telling is one object, so none is ever half.
"""

from collections.abc import Callable

from seethrough.serve.wire import OpeningMessage

Progress = Callable[[str, int, int], None]  # what, done, total; a total of 0: not known yet


class Opening:
    """Progress until the work is done; afterwards nothing."""

    def __init__(self, what: str) -> None:
        self._told: OpeningMessage | None = OpeningMessage(what=what, done=0, total=0)

    def tell(self, what: str, done: int, total: int) -> None:
        """How far it is."""
        self._told = OpeningMessage(what=what, done=done, total=total)

    def end(self) -> None:
        """The page may go where it wanted."""
        self._told = None

    @property
    def message(self) -> OpeningMessage | None:
        """What was told last; None: it is done."""
        return self._told
