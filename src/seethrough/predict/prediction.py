"""What is said of one file: a prediction, or why there is none. Fields as in `predict --json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from seethrough.errors import SeethroughError, ShapeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One image judged; the first of equally probable classes is the label."""

    path: str  # or the name that the image was given
    label: str
    probability: float  # 0..1, of `label`
    probabilities: dict[str, float]  # in the order of the classes

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "path": self.path,
            "label": self.label,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
        }

    def __str__(self) -> str:
        return f"{self.path}: {self.label}, {self.probability:.1%}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A file that could not be judged, and why."""

    path: str
    what: str
    why: str
    fix: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        error = {"what": self.what, "why": self.why, "fix": self.fix}
        return {"path": self.path, "error": error}

    def __str__(self) -> str:
        return f"{self.path}: {self.what}\nwhy: {self.why}\nfix: {self.fix}"


def prediction(
    path: str, classes: Sequence[str], probabilities: Float32[np.ndarray, " k"]
) -> Prediction:
    """The probabilities with their names."""
    if len(classes) != len(probabilities):
        raise ShapeError(
            f"The network gives {len(probabilities)} probabilities for {len(classes)} classes.",
            why="every class needs one.",
            fix="name as many classes as the network has outputs, in their order.",
        )
    best = int(probabilities.argmax())
    named = {label: float(value) for label, value in zip(classes, probabilities, strict=True)}
    return Prediction(
        path=path,
        label=classes[best],
        probability=float(probabilities[best]),
        probabilities=named,
    )


def unreadable(path: str, error: SeethroughError) -> Unreadable:
    """The error in place of the prediction."""
    return Unreadable(path=path, what=error.what, why=error.why, fix=error.fix)
