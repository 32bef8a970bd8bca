"""Checkpoints of a run: safetensors files that hold everything needed to go on.

    checkpoints/step-00000120.safetensors
        tensors    weights.NAME, optimizer.NAME.SLOT; learning.NAME where weights.NAME are averaged
        metadata   schema, step, epoch, scalars (JSON), log_length, log_sha256, weights_sha256

Each is written durably and read back before older ones are removed; the two newest are kept.
A damaged one is set aside as *.damaged, named in a note of the log, and the one before is used.
One that the system does not let us read (no permission, a disk that stumbles) is not damaged:
it stays, and StorageError says so.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from seethrough.errors import CheckpointError, StorageError
from seethrough.model import checkpoint
from seethrough.runs import durable
from seethrough.runs.log import Position
from seethrough.train.events import TrainState

_SCHEMA = "1"
_KEPT = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """A place from which training goes on."""

    state: TrainState
    log: Position  # the end of the log when it was made
    weights_sha256: str


def write(folder: Path, kept: Checkpoint) -> None:
    """Put a checkpoint into the run's folder and remove all but the newest two."""
    state = kept.state
    metadata = {
        "schema": _SCHEMA,
        "step": str(state.step),
        "epoch": str(state.epoch),
        "scalars": json.dumps(dict(state.scalars)),
        "log_length": str(kept.log.length),
        "log_sha256": kept.log.sha256,
        "weights_sha256": kept.weights_sha256,
    }
    path = _folder(folder) / f"step-{state.step:08d}.safetensors"
    if not path.parent.is_dir():
        try:
            path.parent.mkdir()
            durable.sync_folder(folder)
        except OSError as error:
            raise durable.refused(path.parent, 0, error) from error
    durable.write(path, checkpoint.pack(state.tensors, metadata))
    for old in _paths(folder)[:-_KEPT]:
        old.unlink(missing_ok=True)


def newest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole; changes nothing on the disk."""
    for path in reversed(_paths(folder)):
        try:
            return _read(path)
        except (CheckpointError, FileNotFoundError):  # the recording process removes old ones
            continue
        except OSError as error:
            raise _unreadable(path, error) from error
    return None


def to_resume(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint, and a sentence on each damaged one, which is set aside."""
    notes: list[str] = []
    for path in reversed(_paths(folder)):
        try:
            return _read(path), notes
        except CheckpointError as error:
            aside = path.with_suffix(".damaged")
            path.replace(aside)
            notes.append(f"The checkpoint {path.name} was skipped: {error.why}")
        except OSError as error:
            raise _unreadable(path, error) from error
    return None, notes


def _read(path: Path) -> Checkpoint:
    tensors, metadata = checkpoint.unpack(path.read_bytes(), name=str(path))
    try:
        if metadata["schema"] != _SCHEMA:
            raise ValueError(f"its schema is {metadata['schema']}, not {_SCHEMA}")
        return Checkpoint(
            state=TrainState(
                step=int(metadata["step"]),
                epoch=int(metadata["epoch"]),
                tensors=tensors,
                scalars=json.loads(metadata["scalars"]),
            ),
            log=Position(int(metadata["log_length"]), metadata["log_sha256"]),
            weights_sha256=metadata["weights_sha256"],
        )
    except (KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of this program.",
            why=f"{error}.",
            fix="take an older checkpoint of the run, or train again.",
        ) from error


def _unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be read now.",
        why=f"{error.strerror or error}. Nothing was changed.",
        fix="mend that and try again; or move a broken checkpoint away: the one before it is used.",
    )


def _folder(folder: Path) -> Path:
    return folder / "checkpoints"


def _paths(folder: Path) -> list[Path]:
    """All checkpoints, oldest first."""
    place = _folder(folder)
    try:
        names = [path.name for path in place.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(place, error) from error
    found = [name for name in names if name.startswith("step-") and name.endswith(".safetensors")]
    return [place / name for name in sorted(found)]
