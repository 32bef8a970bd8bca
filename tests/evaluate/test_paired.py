"""paired: four counts, held against published intervals, a coin, and many simulated comparisons."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seethrough.errors import DataError, ShapeError
from seethrough.evaluate.paired import counted, mcnemar, paired


@pytest.mark.parametrize(
    ("counts", "interval"),
    [
        # the first minus the second, as printed by Newcombe (1998), table III
        ((36, 12, 2, 0), (0.0569, 0.3404)),
        # Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014) 2850, airway example
        ((1, 1, 7, 12), (-0.507, -0.026)),
    ],
)
def test_the_interval_is_the_published_one_with_its_ends_turned_round(counts, interval):
    found = counted(
        **dict(zip(("both", "only_first", "only_second", "neither"), counts, strict=True))
    )
    low, high = found.interval
    assert low == pytest.approx(-interval[1], abs=5e-4)
    assert high == pytest.approx(-interval[0], abs=5e-4)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_p_value_is_that_of_a_fair_coin_counted_out(first, second):
    tosses = first + second
    ways = [math.comb(tosses, heads) for heads in range(tosses + 1)]
    rarer = sum(way for way in ways if way <= ways[first])
    assert mcnemar(first, second) == pytest.approx(rarer / 2**tosses)
    assert mcnemar(first, second) == pytest.approx(mcnemar(second, first))


@given(*[st.integers(0, 40)] * 4)
def test_the_interval_holds_the_difference_and_turns_round_with_the_networks(a, b, c, d):
    if a + b + c + d == 0:
        return
    found = counted(both=a, only_first=b, only_second=c, neither=d)
    low, high = found.interval
    assert -1 - 1e-12 <= low <= found.difference <= high <= 1 + 1e-12
    assert found.difference == pytest.approx(found.accuracy[1] - found.accuracy[0])
    turned = counted(both=a, only_first=c, only_second=b, neither=d)
    assert turned.interval == pytest.approx((-high, -low))
    assert turned.p_value == pytest.approx(found.p_value)


def test_19_of_20_intervals_hold_the_true_difference():
    rng = np.random.default_rng(11)
    shares = np.array([0.6, 0.08, 0.14, 0.18])  # both, first, second, neither
    held = 0
    for counts in rng.multinomial(150, shares, size=600):
        both, first, second, neither = map(int, counts)
        low, high = counted(
            both=both, only_first=first, only_second=second, neither=neither
        ).interval
        held += low <= 0.06 <= high
    assert 0.93 <= held / 600 <= 0.98


def test_being_paired_makes_the_interval_narrower_than_of_two_strangers():
    from seethrough.evaluate.interval import difference

    alike = counted(both=70, only_first=2, only_second=8, neither=20)
    strangers = difference(78, 100, 72, 100)
    assert alike.interval[1] - alike.interval[0] < 0.6 * (strangers.high - strangers.low)
    assert not alike.differs or alike.interval[0] > 0


def test_photos_are_counted_by_who_names_them_right():
    labels = np.array([0, 1, 2, 0, 1, 2])
    first = np.array([0, 1, 0, 1, 0, 2])
    second = np.array([0, 2, 2, 1, 2, 2])
    found = paired(first, second, labels)
    assert (found.both, found.only_first, found.only_second, found.neither) == (2, 1, 1, 2)
    assert found.neither_agrees == 1  # of photo 3 both say 1
    assert found.accuracy == (3 / 6, 3 / 6)
    assert found.difference == 0
    assert found.p_value == 1
    assert not found.differs
    assert found.to_dict()["interval"] == list(found.interval)


def test_answers_to_other_photos_are_refused():
    with pytest.raises(ShapeError, match="2 and 3 answers for 2 photos"):
        paired(np.zeros(2, int), np.zeros(3, int), np.zeros(2, int))


def test_no_photo_at_all_is_an_error():
    with pytest.raises(DataError, match="no photo on which the two networks could be compared"):
        counted(both=0, only_first=0, only_second=0, neither=0)
