"""Which images train a network and which judge it.

`assign` sets a share of every class aside. It depends on the seed and on the images' content
only, never on file names or their order: in each class, groups of identical files are sorted by
a hash of (seed, id), and groups are taken from the front until the share is reached. A group is
never divided, and one that would overshoot the share is passed over; so identical images stand
on one side, also when they carry two class names (they count with the first).

Of a class with at least two different images at least one is set aside and at least one is
trained on; a class with a single one is trained on.

`assign_several` does so for images with several labels: label after label, the one with the fewest
groups left first, its groups in the order of the hash; each goes where this label is missing, else
where most images of it are still wanted, else where most images are. Shares hold for each label as
far as they do not contradict each other; in which order, is Sechidis, Tsoumakas and Vlahavas, "On
the stratification of multi-label data" (2011), doi:10.1007/978-3-642-23808-6_10.

Raises DataError for shares outside 0..1.
"""

from collections.abc import Iterator
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


def assign_several(
    labels: UInt8[np.ndarray, "n k"], ids: UInt64[np.ndarray, " n"], plan: SplitPlan
) -> UInt8[np.ndarray, " n"]:
    """The `Split` of each image that can have several labels, or none."""
    contents, group_of, sizes = np.unique(ids, return_inverse=True, return_counts=True)
    table = np.zeros((len(contents), labels.shape[1]), dtype=np.int64)
    np.maximum.at(table, group_of, labels)  # all labels that a content carries
    rank = draws(contents, plan.seed, Purpose.SPLIT)
    order = np.lexsort((contents, rank))
    wanted = _wanted(np.hstack([table, np.ones((len(table), 1), np.int64)]), sizes, plan)
    given = np.zeros_like(wanted)
    chosen = np.full(len(contents), -1, dtype=np.int64)
    for label in _rarest_first(table, chosen):
        left = order[chosen[order] < 0]
        for group in left if label < 0 else left[table[left, label] > 0]:
            split = _wanting(wanted, given, label)
            chosen[group] = split
            own = np.append(np.flatnonzero(table[group]), table.shape[1])
            given[split, own] += sizes[group]
    return chosen.astype(np.uint8)[group_of]


def _wanted(
    table: Int64[np.ndarray, "g columns"], sizes: Int64[np.ndarray, " g"], plan: SplitPlan
) -> Int64[np.ndarray, "3 columns"]:
    """Images of each label, and at last of all, that each split should have."""
    wanted = np.zeros((len(Split), table.shape[1]), dtype=np.int64)
    for column, own in enumerate(table.T):
        groups, images = int(np.count_nonzero(own)), int((own * sizes).sum())
        shares = ((Split.TEST, plan.test), (Split.VALIDATION, plan.validation))
        # One group is always left to train on, and each of the others gets one before it gets more.
        asking = [(split, share) for split, share in shares if share > 0][: max(0, groups - 1)]
        room = images - len(asking) - 1
        for split, share in asking:
            more = max(0, min(round(share * images) - 1, room))
            wanted[split, column] = 1 + more
            room -= more
        wanted[Split.TRAIN, column] = images - wanted[:, column].sum()
    return wanted


def _rarest_first(
    table: Int64[np.ndarray, "g k"], chosen: Int64[np.ndarray, " g"]
) -> Iterator[int]:
    """The labels, each once, the one with the fewest groups that are not assigned; -1: no label."""
    left = set(range(table.shape[1]))
    while left:
        counts = table[chosen < 0].sum(axis=0)
        label = min(left, key=lambda each: (int(counts[each]), each))
        left.remove(label)
        yield label
    yield -1


def _wanting(
    wanted: Int64[np.ndarray, "3 columns"], given: Int64[np.ndarray, "3 columns"], label: int
) -> int:
    """Where the next image of a label goes."""
    missing = wanted - given
    return max(
        Split,
        key=lambda split: (
            bool(given[split, label] == 0 and wanted[split, label] > 0),
            int(missing[split, label]),
            int(missing[split, -1]),
            -int(split),
        ),
    )
