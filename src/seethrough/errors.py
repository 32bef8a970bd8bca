"""Every error a user can cause, as a tree.

SeethroughError
├── DataError        a folder, an archive, an image or a cache cannot be used
├── SpecError        the text of a network cannot be read
├── ShapeError       two sizes that must agree do not
├── RecipeError      a training recipe asks for something impossible
│   └── TrainingDiverged   the loss stopped being a number
├── CheckpointError  stored weights are damaged or belong to another network
├── RunError         a run does not exist, is ambiguous, or is in the wrong state
├── LayerError       a layer, unit or cell that was asked for does not exist
├── StorageError     the disk refused a write: full, read-only, no permission
├── ParallelError    one of several processes that train together is gone
└── ServerError      the local server cannot start or refuses a request
"""


class SeethroughError(Exception):
    """What happened, why, and how to fix it; `serve` sends the studio the same three lines."""

    def __init__(self, what: str, why: str, fix: str) -> None:
        super().__init__(what, why, fix)  # all in `args`, so that it survives pickling by a worker
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        return f"{self.what}\nwhy: {self.why}\nfix: {self.fix}"


class DataError(SeethroughError, ValueError):
    """A folder, an archive, an image or a cache cannot be used."""


class SpecError(SeethroughError, ValueError):
    """The text of a network cannot be read."""


class ShapeError(SeethroughError, ValueError):
    """Two sizes that must agree do not."""


class RecipeError(SeethroughError, ValueError):
    """A training recipe asks for something impossible."""


class TrainingDiverged(RecipeError):  # noqa: N818 - said as what happened
    """The loss stopped being a number, several steps in a row."""


class CheckpointError(SeethroughError, ValueError):
    """Stored weights are damaged or belong to another network."""


class RunError(SeethroughError, LookupError):
    """A run does not exist, is ambiguous, or is in the wrong state for what was asked."""


class LayerError(SeethroughError, LookupError):
    """A layer, unit or cell that was asked for does not exist."""


class StorageError(SeethroughError):
    """The disk refused a write: full, read-only, no permission."""


class ParallelError(SeethroughError, RuntimeError):
    """One of several processes that train together is gone."""


class ServerError(SeethroughError, RuntimeError):
    """The local server cannot start or refuses a request."""
