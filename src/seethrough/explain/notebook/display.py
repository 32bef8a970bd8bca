"""Which of its two faces a trace shows in a notebook: the page to click in, or the static picture.

The page needs the extra `notebook`, and a kernel that carries its messages; without one of them a
notebook shows the picture. Beside the page the picture stands in the notebook's file too, for those
who read it where no kernel runs.
"""

from typing import TYPE_CHECKING

from seethrough.errors import DataError
from seethrough.explain.equation import Json

if TYPE_CHECKING:
    from seethrough.explain.notebook.widget import Widget
    from seethrough.explain.trace import Trace

Bundle = tuple[dict[str, Json], dict[str, Json]]  # by media type: what to show, what is said of it


def widget(trace: "Trace") -> "Widget":
    """The page to click in. Raises DataError where the extra `notebook` is not installed."""
    if trace.is_several:
        raise DataError(
            "The page to click in does not show several labels a photo.",
            why="it ends with softmax, and here each label has a probability of its own.",
            fix="show the trace itself, or open the run in the studio.",
        )
    try:
        from seethrough.explain.notebook.widget import Widget
    except ImportError as error:
        raise DataError(
            "The page to click in needs a library that is not installed.",
            why=str(error),
            fix="pip install 'seethrough[notebook]'; without it a trace shows itself as a picture.",
        ) from error
    return Widget(trace)


def bundle(trace: "Trace") -> Bundle:
    """The page as a notebook reads it; empty where there is none, which asks for the picture."""
    try:
        import comm

        page = widget(trace)
    except (ImportError, DataError):
        return {}, {}
    if isinstance(page.comm, comm.DummyComm):  # nobody listens: a terminal
        page.close()
        return {}, {}
    data, said = page._repr_mimebundle_()
    return {**data, "text/plain": repr(trace)}, said
