"""interval.py against the equations that its ends must solve, and against published numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from seethrough.evaluate.interval import Interval, difference, wilson

Z = norm.ppf(0.975)


@st.composite
def shares(draw):
    total = draw(st.integers(1, 5000))
    return draw(st.integers(0, total)), total


@given(shares())
def test_each_end_is_just_at_the_limit_of_the_score_test(counted):
    hits, total = counted
    share = hits / total
    for end in wilson(hits, total):
        assert abs(share - end) == pytest.approx(Z * math.sqrt(end * (1 - end) / total), abs=1e-9)


@given(shares())
def test_the_interval_holds_the_share_and_is_mirrored_when_hits_and_misses_change_places(counted):
    hits, total = counted
    low, high = wilson(hits, total)
    assert 0 <= low <= hits / total <= high <= 1
    assert wilson(total - hits, total) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("truth", [0.5, 0.7, 0.85, 0.95])
def test_it_holds_the_truth_in_about_95_of_100_repetitions(truth):
    hits = range(201)
    covered = sum(binom.pmf(k, 200, truth) for k in hits if wilson(k, 200).holds(truth))
    assert covered == pytest.approx(0.95, abs=0.02)


def test_nothing_counted_excludes_nothing():
    assert wilson(0, 0) == Interval(0, 1)
    assert difference(0, 0, 3, 4) == Interval(-1, 1)


def test_differences_are_those_of_newcombe_1998_table_ii():
    """Method 10; rows (a), (b) and (d) of the published table."""
    assert difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert difference(9, 10, 3, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert difference(5, 56, 0, 29) == pytest.approx((-0.0381, 0.1926), abs=5e-5)


@given(shares(), shares())
def test_exchanging_the_two_shares_turns_the_interval_over(one, other):
    low, high = difference(*one, *other)
    assert difference(*other, *one) == pytest.approx((-high, -low))
    assert -1 - 1e-9 <= low <= one[0] / one[1] - other[0] / other[1] <= high <= 1 + 1e-9


@given(shares())
def test_a_hundred_times_the_photos_make_the_difference_sharper(counted):
    hits, total = counted
    few, many = difference(hits, total, 7, 10), difference(100 * hits, 100 * total, 700, 1000)
    assert many.high - many.low < few.high - few.low
