"""The test photos on which two networks can be compared: both know the class, neither learned it.

Photos are the same where their files are: by the first eight bytes of the SHA-256, whatever they
are called and at whatever size either network looks at them. Needs no torch.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from seethrough.data.dataset import Dataset, Split


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Common:
    """Positions of the same photos in both data sets, and what they show."""

    first: Int64[np.ndarray, " n"]
    second: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]  # positions in `classes`
    classes: tuple[str, ...]  # the first's, then those that only the second knows
    notes: tuple[str, ...]  # which photos are left out, in whole sentences

    def names(self, dataset: Dataset) -> Int64[np.ndarray, " k"]:
        """Where the classes of a data set stand in `classes`."""
        return np.array([self.classes.index(name) for name in dataset.classes], dtype=np.int64)


def common(first: Dataset, second: Dataset) -> Common:
    """The photos that both data sets keep for testing."""
    classes = tuple(dict.fromkeys([*first.classes, *second.classes]))
    tests = first.indices(Split.TEST), second.indices(Split.TEST)
    if first.fingerprint == second.fingerprint:
        here = there = tests[0]
        notes: list[str] = []
    else:
        _, one, other = np.intersect1d(
            first.ids[tests[0]], second.ids[tests[1]], return_indices=True
        )
        order = np.argsort(one, kind="stable")
        here, there = tests[0][one[order]], tests[1][other[order]]
        notes = _left_out(first, second, len(here))
    labels = _labels(first, here, classes)
    same = labels == _labels(second, there, classes)
    if not same.all():
        notes.append(
            f"{int((~same).sum())} photos are left out: they show one class in {first.source} "
            f"and another in {second.source}."
        )
    return Common(
        first=here[same],
        second=there[same],
        labels=labels[same],
        classes=classes,
        notes=tuple(notes),
    )


def _labels(
    dataset: Dataset, index: Int64[np.ndarray, " n"], classes: tuple[str, ...]
) -> Int64[np.ndarray, " n"]:
    place = np.array([classes.index(name) for name in dataset.classes], dtype=np.int64)
    return np.asarray(place[dataset.labels[index]])


def _left_out(first: Dataset, second: Dataset, shared: int) -> list[str]:
    sizes = [len(dataset.indices(Split.TEST)) for dataset in (first, second)]
    notes = [
        f"They learned from other photos. Of {sizes[0]:,} and {sizes[1]:,} test photos, {shared:,} "
        "were set aside by both; only these count."
    ]
    only = [
        set(one.classes) - set(other.classes) for one, other in ((first, second), (second, first))
    ]
    for which, names in zip(("first", "second"), only, strict=True):
        if names:
            notes.append(f"Only the {which} knows {', '.join(sorted(names))}.")
    return notes
