"""Where the function of a reference stands, found without running any code.

    mypackage.nets:make    the function `make` in an installed module
    nets.py:make           the function `make` in a file

Looking for a module imports nothing, not even the packages above it: what the file holds can be
read, and compared, before anybody decides to run it. Raises SpecError.
"""

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec as Found
from pathlib import Path

from seethrough.errors import SpecError

MAX_FILE = 1_000_000  # bytes
_FILE = re.compile(r"([^\n=]+\.py):([^\W\d]\w*)")
_MODULE = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Python file with a function that makes a network."""

    reference: str  # as it was given, a path made absolute
    module: str | None  # dotted name; None: the file was given
    function: str
    path: Path
    text: str
    sha256: str  # of the file's bytes

    @property
    def short(self) -> str:
        """The file's or module's last name and the function: nets:make."""
        return f"{self.path.stem if self.module is None else self.module}:{self.function}"


def is_reference(text: str) -> bool:
    """Whether a text means a function in a Python file or module, by its form alone."""
    return (_FILE.fullmatch(text) or _MODULE.fullmatch(text)) is not None


def find(reference: str) -> Source:
    """The file with the function; nothing in it is run."""
    reference = reference.strip()
    in_file, in_module = _FILE.fullmatch(reference), _MODULE.fullmatch(reference)
    if in_file is not None:
        path = Path(in_file[1]).expanduser().absolute()
        return _read(f"{path}:{in_file[2]}", None, in_file[2], path)
    if in_module is not None:
        path = _file_of(in_module[1], reference)
        return _read(reference, in_module[1], in_module[2], path)
    raise SpecError(
        f"{reference[:200]!r} names no function.",
        why="a network of your own is named by its module or file, a colon, and the function.",
        fix="write for example mypackage.nets:make, or nets.py:make.",
    )


def _file_of(module: str, reference: str) -> Path:
    place: Sequence[str] | None = None
    found: Found | None = None
    for depth in range(1, module.count(".") + 2):
        name = ".".join(module.split(".")[:depth])
        found = _found(name, place)
        if found is None:
            raise SpecError(
                f"There is no module {name!r}.",
                why=f"{reference} was asked for, and Python finds no {name} where it looks.",
                fix="install the package (pip install -e .), or give the file: nets.py:make.",
            )
        place = found.submodule_search_locations
    assert found is not None
    origin = Path(found.origin or "")
    if origin.suffix != ".py":
        raise SpecError(
            f"{module} is no Python file.",
            why=f"it comes from {found.origin or 'a folder without __init__.py'}.",
            fix="name the module whose file holds the function.",
        )
    return origin


def _found(name: str, place: Sequence[str] | None) -> Found | None:
    for finder in sys.meta_path:
        found = finder.find_spec(name, place, None)
        if found is not None:
            return found
    return None


def _read(reference: str, module: str | None, function: str, path: Path) -> Source:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"The file {path} cannot be read.",
            why=f"{error}.",
            fix="give the path of the Python file whose function makes the network.",
        ) from None
    if len(content) > MAX_FILE:
        raise SpecError(
            f"The file {path} is larger than {MAX_FILE:,} bytes.",
            why="it is kept beside every network that is made with it.",
            fix="put the function into a file of its own.",
        )
    return Source(
        reference=reference,
        module=module,
        function=function,
        path=path,
        text=text,
        sha256=hashlib.sha256(content).hexdigest(),
    )
