"""The library transformers, imported when it is asked for, and quiet while it works.

Raises SpecError where it is not installed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seethrough.errors import SpecError

if TYPE_CHECKING:
    from types import ModuleType


def transformers() -> "ModuleType":
    """The library."""
    try:
        import transformers as library  # seconds, so only here
    except ImportError as error:
        raise missing("transformers", error) from None
    return library  # type: ignore[no-any-return, unused-ignore]


def missing(name: str, error: ImportError) -> SpecError:
    """What to say where a library of the extra cannot be imported."""
    return SpecError(
        f"Networks from elsewhere (hf:…) need the library {name}.",
        why=f"it cannot be imported: {error}.",
        fix="pip install 'seethrough[hf]'",
    )


@contextmanager
def quiet() -> Iterator[None]:
    """No bars and no remarks of the library inside; afterwards it is as talkative as before."""
    from transformers.utils import logging

    level, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bars:
            logging.enable_progress_bar()
