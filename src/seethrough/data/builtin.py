"""The photos that come with the program, so that the first run needs no network.

They are ordinary files in an ordinary zip and take the same way as a user's own.
"""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from seethrough.errors import DataError

BUILTIN: Final = {"everyday": "everyday.zip"}


def builtin_path(name: str) -> Path:
    """Where the zip of a built-in set lies."""
    resource = files("seethrough") / "data" / "photos" / BUILTIN[name]
    # The package is always installed as files (its wheel is not run zipped), so the path stays.
    with as_file(resource) as path:
        if path.is_file():
            return path
    raise DataError(
        f"{name}: the built-in photos are missing.",
        why=f"there is no {resource}.",
        fix="install the program again.",
    )
