"""One class at a time, counted from the confusion matrix m.

    precision   m[c, c] / Σ column c     right when it says so; None: it never said so
    recall      m[c, c] / Σ row c        found; None: no photo shows this class
    f1          2·m[c, c] / (Σ row c + Σ column c); None: neither shown nor said

Shares are 0..1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """How one class fares."""

    label: str
    images: int
    precision: float | None
    recall: float | None
    f1: float | None
    most_often_taken_for: str | None  # None: never taken for another
    taken_for_count: int


def per_class(counts: Int[np.ndarray, "k k"], classes: Sequence[str]) -> tuple[ClassScore, ...]:
    """The scores of every class, in the order of the classes."""
    return tuple(_score(counts, classes, index) for index in range(len(classes)))


def _score(counts: Int[np.ndarray, "k k"], classes: Sequence[str], index: int) -> ClassScore:
    hits = int(counts[index, index])
    shown, said = int(counts[index].sum()), int(counts[:, index].sum())
    others = counts[index].copy()
    others[index] = 0
    taken_for = int(others.argmax())
    count = int(others[taken_for])
    return ClassScore(
        label=classes[index],
        images=shown,
        precision=hits / said if said else None,
        recall=hits / shown if shown else None,
        f1=2 * hits / (shown + said) if shown + said else None,
        most_often_taken_for=classes[taken_for] if count else None,
        taken_for_count=count,
    )
