"""What is said of one file: a prediction, or why there is none. Fields as in `predict --json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from seethrough.errors import SeethroughError, ShapeError

NO_LABEL = "no label"  # said where all labels are below ½


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One image judged; the first of equally probable classes is the label.

    Of several labels `labels` are those of ½ and more; `label` is their names in one text, and
    `probability` how sure the network is of the label that it is least sure of: the smallest of
    p for those said and 1 − p for the others.
    """

    path: str  # or the name that the image was given
    label: str
    probability: float  # 0..1, of `label`
    probabilities: dict[str, float]  # in the order of the classes
    labels: tuple[str, ...] | None = None  # None: the network names one class

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        told = {
            "path": self.path,
            "label": self.label,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
        }
        return told if self.labels is None else told | {"labels": list(self.labels)}

    def __str__(self) -> str:
        if self.labels is None:
            return f"{self.path}: {self.label}, {self.probability:.1%}"
        shown = ", ".join(f"{name} {self.probabilities[name]:.1%}" for name in self.labels)
        return f"{self.path}: {shown or NO_LABEL}"


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
    path: str,
    classes: Sequence[str],
    probabilities: Float32[np.ndarray, " k"],
    *,
    is_several: bool = False,
) -> Prediction:
    """The probabilities with their names."""
    if len(classes) != len(probabilities):
        raise ShapeError(
            f"The network gives {len(probabilities)} probabilities for {len(classes)} classes.",
            why="every class needs one.",
            fix="name as many classes as the network has outputs, in their order.",
        )
    best = int(probabilities.argmax())
    said = [label for label, value in zip(classes, probabilities, strict=True) if value >= 0.5]
    sure = probabilities[best]
    if is_several:
        sure = np.maximum(probabilities, 1 - probabilities).min()
    named = {label: float(value) for label, value in zip(classes, probabilities, strict=True)}
    return Prediction(
        path=path,
        label=", ".join(said) or NO_LABEL if is_several else classes[best],
        probability=float(sure),
        probabilities=named,
        labels=tuple(said) if is_several else None,
    )


def unreadable(path: str, error: SeethroughError) -> Unreadable:
    """The error in place of the prediction."""
    return Unreadable(path=path, what=error.what, why=error.why, fix=error.fix)
