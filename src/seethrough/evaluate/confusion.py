"""What is taken for what.

    matrix      row: what the photo shows, column: what the network said; cells count photos
    confusion   one cell beside the diagonal
    pair        two such cells together: cat for frog and frog for cat

Counting is scikit-learn's. Raises nothing; `report` checks what comes in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Photos of one class that were taken for another."""

    label: str
    predicted: str
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two classes that are taken for each other more often than any other two."""

    first: str
    second: str
    images: int
    mistakes: int  # of the whole matrix


def matrix(
    labels: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"], num_classes: int
) -> Int[np.ndarray, "k k"]:
    """The photos counted by what they show and what was said."""
    from sklearn.metrics import confusion_matrix  # takes 1 s: see `interval.wilson`

    counts: Int[np.ndarray, "k k"] = confusion_matrix(
        labels, predicted, labels=np.arange(num_classes)
    )
    return counts


def most_confused(
    counts: Int[np.ndarray, "k k"], classes: Sequence[str], *, limit: int = 10
) -> tuple[Confusion, ...]:
    """Confusions that happened, most frequent first; equal ones in the order of the classes."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
    rows, columns = np.unravel_index(order, wrong.shape)
    return tuple(
        Confusion(label=classes[row], predicted=classes[column], images=int(wrong[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if wrong[row, column] > 0
    )


def outstanding_pair(counts: Int[np.ndarray, "k k"], classes: Sequence[str]) -> Pair | None:
    """The pair most often confused, if its lead cannot be put down to chance.

    Chance: mistakes fall on all pairs alike. The largest of many pairs is picked, so the
    probability is multiplied by their number (Bonferroni) before it is held against 5 %.
    """
    both = np.triu(counts + counts.T, k=1)
    mistakes, num_pairs = int(both.sum()), len(classes) * (len(classes) - 1) // 2
    if mistakes == 0 or num_pairs < 2:
        return None
    row, column = np.unravel_index(int(both.argmax()), both.shape)
    images = int(both[row, column])
    from scipy.stats import binomtest  # see `interval.wilson`

    by_chance = binomtest(images, mistakes, 1 / num_pairs, alternative="greater").pvalue
    if by_chance * num_pairs > 0.05:
        return None
    return Pair(
        first=classes[int(row)], second=classes[int(column)], images=images, mistakes=mistakes
    )
