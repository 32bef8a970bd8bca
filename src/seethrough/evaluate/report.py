"""How good a network is on photos it never saw: from probabilities to numbers and words.

    accuracy   share of photos whose most probable class is their label
    chance     accuracy of always saying the class that most of these photos show
    loss       mean of −ln p(label); a probability of 0 counts as 1.2e-38, the smallest float32

Shares are 0..1. Raises ShapeError where sizes disagree, DataError where there is nothing to count,
CheckpointError where a network answers with something that is no probability.
Field names are those of the messages that the server sends. Knows neither torch nor files.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from seethrough.errors import CheckpointError, DataError, ShapeError
from seethrough.evaluate import confusion, verdict
from seethrough.evaluate.confusion import Confusion
from seethrough.evaluate.interval import wilson
from seethrough.evaluate.scores import ClassScore, per_class
from seethrough.evaluate.table import text

SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured, and what it means in plain sentences; printing it gives a table."""

    accuracy: float
    interval: tuple[float, float]  # 95 %, Wilson
    images: int
    chance: float
    train_accuracy: float | None
    train_images: int
    loss: float
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]  # row: label, column: predicted
    per_class: tuple[ClassScore, ...]
    most_confused: tuple[Confusion, ...]  # most frequent first, ten at most
    verdict: str  # one short sentence
    explanation: str  # what the gap between training and test means, and what would help
    warnings: tuple[str, ...]
    views: int = 1  # of each photo, whose answers were averaged

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it: lists, dictionaries, strings and numbers."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Report":
        """The report that `to_dict` wrote."""
        values = dict(stored)
        low, high = values["interval"]
        values["interval"] = (low, high)
        values["classes"] = tuple(values["classes"])
        values["confusion"] = tuple(tuple(row) for row in values["confusion"])
        values["per_class"] = tuple(ClassScore(**score) for score in values["per_class"])
        values["most_confused"] = tuple(Confusion(**pair) for pair in values["most_confused"])
        values["warnings"] = tuple(values["warnings"])
        return cls(**values)

    def __str__(self) -> str:
        return text(self)


def evaluate(
    probabilities: Float[np.ndarray, "n k"],
    labels: Int[np.ndarray, " n"],
    classes: Sequence[str],
    *,
    train_accuracy: float | None = None,
    train_images: int = 0,
) -> Report:
    """Hold what the network said of every photo against what the photo shows."""
    _check(probabilities, labels, classes)
    predicted = probabilities.argmax(axis=1)
    counts = confusion.matrix(labels, predicted, len(classes))
    hits, images = int(np.trace(counts)), len(labels)
    interval = wilson(hits, images)
    said = verdict.judge(counts, classes, train_accuracy=train_accuracy, train_images=train_images)
    of_label = probabilities[np.arange(images), labels].astype(np.float64)
    return Report(
        accuracy=hits / images,
        interval=(interval.low, interval.high),
        images=images,
        chance=int(counts.sum(axis=1).max()) / images,
        train_accuracy=train_accuracy,
        train_images=train_images,
        loss=float(-np.log(np.maximum(of_label, SMALLEST)).mean()),
        classes=tuple(classes),
        confusion=tuple(tuple(int(cell) for cell in row) for row in counts),
        per_class=per_class(counts, classes),
        most_confused=confusion.most_confused(counts, classes),
        verdict=said.verdict,
        explanation=said.explanation,
        warnings=said.warnings,
    )


def _check(
    probabilities: Float[np.ndarray, "rows columns"],
    labels: Int[np.ndarray, " photos"],
    classes: Sequence[str],
) -> None:
    if probabilities.shape != (len(labels), len(classes)):
        rows, columns = probabilities.shape
        raise ShapeError(
            f"{rows} × {columns} probabilities for {len(labels)} photos of {len(classes)} classes.",
            why="every photo needs one probability for every class.",
            fix="pass the labels and the classes of the photos that were judged.",
        )
    if len(labels) == 0:
        raise DataError(
            "There is no test photo.",
            why="a network can only be judged on photos that were set aside before training.",
            fix="add photos, or a folder test/ with some of every class.",
        )
    if labels.min() < 0 or labels.max() >= len(classes):
        raise ShapeError(
            f"Labels run from {labels.min()} to {labels.max()}; there are {len(classes)} classes.",
            why="a label is the place of a photo's class in the list of classes, from 0.",
            fix="pass the classes that the labels were numbered by.",
        )
    # 1e-3: float32 rounding over 1,000 classes stays far below it, logits far above
    right = (probabilities >= 0).all(axis=1) & (np.abs(probabilities.sum(axis=1) - 1) < 1e-3)
    if not right.all():
        raise CheckpointError(
            f"{int((~right).sum())} of {len(labels)} photos got answers that are no probabilities.",
            why="they are not numbers, are negative, or do not add up to 1: the weights went out "
            "of bounds in training, or these are logits.",
            fix="train again with a lower peak learning rate; pass softmax(logits), not logits.",
        )


def _plain(value: Any) -> Any:
    """Tuples as lists and dataclasses as dictionaries, all the way down."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
