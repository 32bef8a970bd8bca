"""The files of a published network: a folder on this disk, or fetched from huggingface.co.

    hf:OWNER/NAME              the newest revision
    hf:OWNER/NAME@REVISION     a branch, a tag or a commit
    hf:./FOLDER                a folder with the same files (also hf:/FOLDER, hf:~/FOLDER)

    config.json                what network it is
    preprocessor_config.json   how it standardises photos
    model.safetensors          its weights; the only format that is read
    README.md                  its licence, where there is one

They are fetched by the library huggingface_hub into its own cache, and taken from there where the
hub cannot be reached (HF_HOME, HF_HUB_OFFLINE and HF_ENDPOINT mean what they mean there). Nothing
else of a repository is fetched, no file of it is run. Raises SpecError for a name that cannot be,
CheckpointError for what cannot be had.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seethrough.errors import CheckpointError, SpecError
from seethrough.model.hub.library import missing
from seethrough.model.hub.preprocessing import FILE as PREPROCESSING

Progress = Callable[[str, int, int], None]  # file, bytes that are here, bytes in all (0: unknown)

PREFIX = "hf:"
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
INDEX = f"{WEIGHTS}.index.json"  # of weights in several files
MAX_JSON = 4_000_000  # bytes; a configuration with 22,000 classes has a tenth of it

_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_PICKLES = ("pytorch_model.bin", "model.bin", "tf_model.h5", "flax_model.msgpack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Where the files of one revision lie."""

    name: str  # hf:OWNER/NAME, or hf: and the folder's path
    revision: str | None  # the commit; None: a folder has none
    folder: Path

    @property
    def reference(self) -> str:
        """The words that name it again, as it is now."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"

    def fields(self, file: str) -> dict[str, Any]:
        """What a JSON file of it says."""
        try:
            with (self.folder / file).open("rb") as opened:
                content = opened.read(MAX_JSON + 1)
            stored = json.loads(content)
        except (OSError, ValueError, RecursionError) as error:
            raise _unread(self.name, file, f"{error}") from None
        if len(content) > MAX_JSON or not isinstance(stored, dict):
            raise _unread(self.name, file, "it is too large, or no JSON object")
        return stored

    def licence(self) -> str | None:
        """As its card names it; None where there is no card, or it does not say."""
        from huggingface_hub.repocard import metadata_load

        try:
            said = metadata_load(self.folder / CARD) or {}
        except Exception:  # whatever is written there: it is only told, never used
            return None
        named = said.get("license_name") if said.get("license") == "other" else None
        licence = named or said.get("license")
        return None if licence is None else str(licence)[:100]


def is_reference(words: str) -> bool:
    """Whether these words name a published network."""
    return words.startswith(PREFIX)


def snapshot(reference: str, progress: Progress | None = None) -> Snapshot:
    """All small files of a reference; `progress` hears how much of a file is here."""
    words = reference.removeprefix(PREFIX)
    if words.startswith((".", "/", "~")):
        return _folder(Path(words).expanduser())
    name, _, revision = words.partition("@")
    if not _NAME.fullmatch(name) or (not revision and "@" in words):
        is_here = bool(words) and Path(words).is_dir()
        raise SpecError(
            f"{reference[:200]!r} names no network.",
            why="it is no OWNER/NAME, no OWNER/NAME@REVISION and no path.",
            fix=f"a folder is written with its path: hf:./{words}."
            if is_here
            else "write hf:microsoft/resnet-18, for instance, or hf:./folder.",
        )
    return _fetched(name, revision or None, progress)


def weights(found: Snapshot, progress: Progress | None = None) -> Path:
    """The file with the weights, which may take a while."""
    if found.revision is not None:
        return _file(found.name.removeprefix(PREFIX), WEIGHTS, found.revision, progress)
    path = found.folder / WEIGHTS
    if not path.is_file():
        there = [each for each in (INDEX, *_PICKLES) if (found.folder / each).exists()]
        raise _lacking(found.name, WEIGHTS, there)
    return path


def _folder(folder: Path) -> Snapshot:
    found = Snapshot(name=f"{PREFIX}{folder.absolute()}", revision=None, folder=folder.absolute())
    if not folder.is_dir():
        raise CheckpointError(
            f"There is no folder {folder}.",
            why=f"{PREFIX} and a path name a folder with {CONFIG} and {WEIGHTS}.",
            fix="check the path; save_pretrained of the library transformers makes such a folder.",
        )
    for file in (CONFIG, PREPROCESSING):
        if not (folder / file).is_file():
            raise _lacking(found.name, file, [])
    return found


def _fetched(name: str, revision: str | None, progress: Progress | None) -> Snapshot:
    try:
        from huggingface_hub.errors import EntryNotFoundError
    except ImportError as error:
        raise missing("huggingface_hub", error) from None
    own = f"{PREFIX}{name}"
    first = _file(name, CONFIG, revision, progress)
    commit = first.parent.name
    _file(name, PREPROCESSING, commit, progress)
    with contextlib.suppress(EntryNotFoundError):  # no card, so no licence is known
        _file(name, CARD, commit, progress, is_needed=False)
    return Snapshot(name=own, revision=commit, folder=first.parent)


def _file(
    name: str,
    file: str,
    revision: str | None,
    progress: Progress | None,
    *,
    is_needed: bool = True,
) -> Path:
    from huggingface_hub import errors, hf_hub_download

    own = f"{PREFIX}{name}"
    if progress is not None:
        progress(file, 0, 0)
    try:
        with _quiet():
            bar = _bar(file, progress)
            return Path(hf_hub_download(name, file, revision=revision, tqdm_class=bar))
    except errors.EntryNotFoundError as error:
        if not is_needed:
            raise
        if isinstance(error, errors.LocalEntryNotFoundError):
            raise _unreached(own, file, error) from None
        there = _others(name, revision) if file == WEIGHTS else []
        raise _lacking(own, file, there) from None
    except errors.GatedRepoError:
        raise CheckpointError(
            f"{own} is given only to those who accepted its conditions.",
            why="huggingface.co refused it: the repository is gated.",
            fix=f"accept them at https://huggingface.co/{name}, then: hf auth login.",
        ) from None
    except errors.RepositoryNotFoundError:
        raise CheckpointError(
            f"There is no network {own}.",
            why="huggingface.co knows none of this name, or it is private.",
            fix="check owner and name (capital letters matter); for a private one: hf auth login.",
        ) from None
    except errors.RevisionNotFoundError:
        raise CheckpointError(
            f"{own} has no revision {revision!r}.",
            why="it is neither a branch, nor a tag, nor a commit of it.",
            fix=f"leave it out for the newest: {own}.",
        ) from None
    except Exception as error:  # which library speaks HTTP there, and what it raises, changes
        raise _unreached(own, file, error) from None


def _others(name: str, revision: str | None) -> list[str]:
    """The weights of other formats in a repository, as far as it can be asked."""
    from huggingface_hub import HfApi

    there = []
    with _quiet(), contextlib.suppress(Exception):  # as below
        for file in (INDEX, *_PICKLES):
            if HfApi().file_exists(name, file, revision=revision):
                there.append(file)
    return there


def _lacking(own: str, file: str, others: list[str]) -> CheckpointError:
    if INDEX in others:
        return CheckpointError(
            f"The weights of {own} are in several files.",
            why=f"it has {INDEX}, and one {WEIGHTS} is read here.",
            fix="take a smaller network: networks for photos fit into one file.",
        )
    if others:
        return CheckpointError(
            f"{own} has no weights that can be read without running code.",
            why=f"it has {', '.join(others)}, and only {WEIGHTS} is read: the others may hold "
            "programs.",
            fix="take a revision that has it (OWNER/NAME@refs/pr/1 is often one), or have the "
            "library transformers save it anew on a machine where you trust the file.",
        )
    fixes = {
        PREPROCESSING: 'write one: {"image_mean": [0.485, 0.456, 0.406], "image_std": '
        '[0.229, 0.224, 0.225], "size": 224} with the numbers that it learned with.',
    }
    return CheckpointError(
        f"{own} has no {file}.",
        why=f"{CONFIG}, {PREPROCESSING} and {WEIGHTS} together are a network that can be gone on "
        "with.",
        fix=fixes.get(file, "take a repository or folder that save_pretrained made."),
    )


def _unreached(own: str, file: str, error: Exception) -> CheckpointError:
    from huggingface_hub import constants

    is_offline = constants.is_offline_mode()
    cause = error.__cause__ or error
    said = next((line for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
    return CheckpointError(
        f"{file} of {own} cannot be fetched.",
        why="HF_HUB_OFFLINE forbids to ask huggingface.co, and it is not in "
        f"{constants.HF_HUB_CACHE}."
        if is_offline
        else f"{constants.ENDPOINT} does not give it: {said[:300].rstrip('.')}.",
        fix="unset HF_HUB_OFFLINE, or fetch it where there is a network: "
        f"hf download {own.removeprefix(PREFIX)}."
        if is_offline
        else "look at the connection and try again; or fetch it elsewhere (hf download "
        f"{own.removeprefix(PREFIX)} --local-dir folder) and name the folder: hf:./folder.",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """The library's own remarks are left out inside: what matters of them is in our errors."""
    from huggingface_hub.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _bar(file: str, progress: Progress | None) -> type:
    """What the library tells how far it is: a class of bars, as its own are."""

    class Bar:
        def __init__(self, *_: object, total: int | None = None, initial: int = 0, **__: object):
            self.n, self.total = initial, total
            self.update(0)

        def update(self, more: int | float | None = 1) -> None:
            self.n += int(more or 0)
            if progress is not None:
                progress(file, self.n, int(self.total or 0))

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

        def close(self, *_: object, **__: object) -> None:
            """Nothing is left open, and nothing else is shown."""

        refresh = update_transfer = set_postfix_str = set_transfer_postfix_str = close

    return Bar


def _unread(name: str, file: str, why: str) -> CheckpointError:
    return CheckpointError(
        f"{file} of {name} cannot be read.",
        why=f"{why}.",
        fix="take another revision of it.",
    )
