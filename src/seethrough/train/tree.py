"""Adding up in one order, whoever adds which part of it.

    ((0 + 1) + (2 + 3)) + ((4 + 5) + 6)

Neighbours in pairs, then pairs of pairs. What fills a branch has the same sum, bit for bit, in one
process or in any other: so several can add up their own branches, and one the sums of those.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(slots=True)
class Branch(Generic[Value]):
    """The sum of 2^level slices from `first`, which is a multiple of that."""

    first: int
    level: int
    value: Value


class Tree(Generic[Value]):
    """Adds up what is given slice by slice, or branch by branch, in the order of the slices.

    Values are added with `+=`: a tensor that was given is changed.
    """

    def __init__(self) -> None:
        self.branches: list[Branch[Value]] = []  # the largest ones so far, none of them joined

    def add(self, first: int, level: int, value: Value) -> None:
        """Take in the next branch; a single slice has level 0."""
        self.branches.append(Branch(first, level, value))
        while len(self.branches) > 1:
            left, right = self.branches[-2:]
            ends_together = left.level == right.level and left.first >> left.level & 1 == 0
            if not ends_together or left.first + (1 << left.level) != right.first:
                return
            left.value = _added(left.value, right.value)
            left.level += 1
            self.branches.pop()

    def total(self) -> Value:
        """The sum of all; the last branches, which no power of two fills, from the right."""
        *rest, last = (branch.value for branch in self.branches)
        for value in reversed(rest):
            last = _added(value, last)
        return last


def _added(left: Value, right: Value) -> Value:
    added: Value = operator.iadd(left, right)  # type: ignore[no-untyped-call]
    return added


def branches(first: int, end: int) -> Iterator[tuple[int, int]]:
    """First slice and level of each branch into which a tree puts the slices first..end - 1."""
    while first < end:
        level = min((first & -first or 1 << 62).bit_length(), (end - first).bit_length()) - 1
        yield first, level
        first += 1 << level
