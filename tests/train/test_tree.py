"""tree.py: one order of addition, whoever adds which part of it."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from seethrough.train.tree import Tree, branches


class Written(str):
    """Adds up to the text of its own addition."""

    __slots__ = ()

    def __add__(self, other):
        return Written(f"({self}+{other})")


@given(slices=st.integers(1, 40), cuts=st.lists(st.integers(0, 40), max_size=5))
def test_whoever_adds_which_slices_the_addition_is_the_same(slices, cuts):
    whole = Tree()
    for number in range(slices):
        whole.add(number, 0, Written(number))
    ends = [0, *sorted(min(cut, slices) for cut in cuts), slices]
    every = Tree()
    for first, end in itertools.pairwise(ends):
        own = Tree()
        for number in range(first, end):
            own.add(number, 0, Written(number))
        assert [(each.first, each.level) for each in own.branches] == list(branches(first, end))
        for each in own.branches:
            every.add(each.first, each.level, each.value)
    assert every.total() == whole.total()


def test_slices_are_added_in_pairs():
    tree = Tree()
    for number in range(7):
        tree.add(number, 0, Written(number))
    assert tree.total() == "(((0+1)+(2+3))+((4+5)+6))"
