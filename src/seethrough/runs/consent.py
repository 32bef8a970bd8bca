"""Which code may be imported when a run is opened.

A run of a network that is somebody's own function names that function in its run.json. A folder
that came from elsewhere could name anything, so it is never followed for that alone. It is, where

    the user trained with it   the reference and the SHA-256 of its file were noted in the user's
                               settings when a run was made with them, and the file is still that
    the user names it now      `open_run(…, code=…)`, `train --resume RUN --model …`, or the
                               environment variable SEETHROUGH_CODE (several: separated by commas)

What is named now is taken as it stands, from wherever it stands: another file, or a changed one.
Raises RunError.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import platformdirs

from seethrough.errors import RunError, SpecError
from seethrough.model.coded import ModuleSpec, referred
from seethrough.model.source import find

NAMED = "SEETHROUGH_CODE"


def note(network: ModuleSpec) -> None:
    """Remember that the user named this code, as it stands."""
    path = _path(network)
    # Where nothing can be written, the user is asked to name it again.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def agreed(network: ModuleSpec, run_id: str, code: str | None) -> ModuleSpec:
    """The network whose code may run now: the run's own, or what the user names in its place."""
    named = code or _named(network)
    if named is not None:
        return referred(named, image_px=network.image_px)
    naming = f"name it, as it stands now: {NAMED}={network.text}"
    if not _path(network).exists():
        raise RunError(
            f"{run_id} was made by code that you have not named here.",
            why=f"its network is the function {network.text}, and opening a run never imports "
            "code only because its folder says so.",
            fix=f"read it first (run.json holds its text); if you trust it, {naming}.",
        )
    kept = "bring back the text that run.json holds under network.source"
    try:
        source = find(network.text)
    except SpecError as error:
        raise RunError(
            f"The code that made {run_id} is not there any more.",
            why=f"{error.what} {error.why}",
            fix=f"{kept}; where it lies elsewhere now, name that: {NAMED}=nets.py:make.",
        ) from error
    if source.sha256 != network.source_sha256:
        raise RunError(
            f"{source.path} is not as it was when {run_id} was made.",
            why="with other code the run's numbers would be others.",
            fix=f"{kept}, or {naming}.",
        )
    return network


def _named(network: ModuleSpec) -> str | None:
    """What SEETHROUGH_CODE says for this network: the same words, or the same file and function."""
    words = [each.strip() for each in os.environ.get(NAMED, "").split(",") if each.strip()]
    for word in words:
        if word == network.text or _last(word) == _last(network.text):
            return word
    return None


def _last(reference: str) -> str:
    """nets:make, of a file or of a module."""
    place, _, function = reference.rpartition(":")
    stem = Path(place).stem if place.endswith(".py") else place.rpartition(".")[2]
    return f"{stem}:{function}"


def _path(network: ModuleSpec) -> Path:
    said = f"{network.text}\n{network.source_sha256}"
    return _settings() / "agreed" / hashlib.sha256(said.encode()).hexdigest()


def _settings() -> Path:
    given = os.environ.get("SEETHROUGH_CONFIG")
    return Path(given).expanduser() if given else platformdirs.user_config_path("seethrough")
