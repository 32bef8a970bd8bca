"""Which images train a network and which judge it.

`assign` sets a share of every class aside. It depends on the seed and on the images' content
only, never on file names or their order: in each class, groups of identical files are sorted by
a hash of (seed, id), and groups are taken from the front until the share is reached. A group is
never divided, and one that would overshoot the share is passed over; so identical images stand
on one side, also when they carry two class names (they count with the first).

Of a class with at least two different images at least one is set aside and at least one is
trained on; a class with a single one is trained on.

Raises DataError for shares outside 0..1.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

from seethrough.data.augment import Purpose
from seethrough.data.hash import draws
from seethrough.errors import DataError


class Split(IntEnum):
    """What an image is used for."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """How to divide images that come undivided; shares are 0..1 of every class."""

    test: float = 0.2
    validation: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        shares = {"test": self.test, "validation": self.validation}
        for name, share in shares.items():
            if not 0 <= share < 1:
                raise DataError(
                    f"{name}={share} is not a share of the images.",
                    why="a share is at least 0 and less than 1.",
                    fix=f"write {name}=0.2 to set a fifth of every class aside.",
                )
        if self.test + self.validation >= 1:
            raise DataError(
                f"test={self.test} and validation={self.validation} leave nothing to train on.",
                why="together they take all images.",
                fix="choose shares that add up to less than 1, such as 0.2 and 0.1.",
            )


def assign(
    labels: Int64[np.ndarray, " n"], ids: UInt64[np.ndarray, " n"], plan: SplitPlan
) -> UInt8[np.ndarray, " n"]:
    """The `Split` of each image."""
    contents, group_of, sizes = np.unique(ids, return_inverse=True, return_counts=True)
    owner = np.full(len(contents), np.iinfo(np.int64).max)
    np.minimum.at(owner, group_of, labels)  # the first of the class names that a content carries
    rank = draws(contents, plan.seed, Purpose.SPLIT)
    chosen = np.full(len(contents), Split.TRAIN, dtype=np.uint8)
    for label in np.unique(owner):
        groups = np.flatnonzero(owner == label)
        groups = groups[np.lexsort((contents[groups], rank[groups]))]
        total = int(sizes[groups].sum())
        free = list(groups)
        for split, share in ((Split.TEST, plan.test), (Split.VALIDATION, plan.validation)):
            taken = _take(free, sizes, wanted=share * total)
            chosen[taken] = split
            gone = set(taken)
            free = [group for group in free if group not in gone]
    return chosen[group_of]


def _take(free: list[np.int64], sizes: Int64[np.ndarray, " g"], *, wanted: float) -> list[np.int64]:
    """Groups from the front of `free` that together come closest to `wanted` images from below."""
    if wanted == 0 or len(free) < 2:
        return []
    target = max(1, round(wanted))
    taken: list[np.int64] = []
    room = target
    for group in free[:-1]:  # the last one is always left to train on
        if sizes[group] <= room:
            taken.append(group)
            room -= int(sizes[group])
        if room == 0:
            break
    return taken or [min(free, key=lambda group: int(sizes[group]))]
