"""rounding.py against its promise; exact fractions and decimal text are the second derivation."""

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seethrough.explain.rounding import (
    DEFAULT_DECIMALS,
    adds_up,
    decimals_for,
    decimals_for_factors,
    show,
    show_adding_up,
)

numbers = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 0.5, -0.00005, 0.00015, 1e-12, 2.5])
channels = st.lists(st.lists(numbers, min_size=1, max_size=12), min_size=1, max_size=8)
decimals = st.integers(0, 9)


def is_floor_or_ceiling(text: str, true: Fraction, places: int) -> bool:
    scaled = true * 10**places
    return Fraction(text) * 10**places in {math.floor(scaled), math.ceil(scaled)}


@given(channels, st.none() | numbers, decimals)
def test_every_shown_number_is_the_floor_or_the_ceiling_of_the_true_one(groups, bias, places):
    shown = show_adding_up(groups, bias, places)
    for group, products, channel in zip(groups, shown.products, shown.channels, strict=True):
        for true, text in zip(group, products, strict=True):
            assert is_floor_or_ceiling(text, Fraction(true), places)
        assert is_floor_or_ceiling(channel, sum(map(Fraction, group), Fraction(0)), places)
    if bias is not None:
        assert is_floor_or_ceiling(shown.bias, Fraction(bias), places)


@given(channels, st.none() | numbers, decimals)
def test_shown_products_make_the_shown_channels_and_these_the_shown_sum(groups, bias, places):
    shown = show_adding_up(groups, bias, places)
    for products, channel in zip(shown.products, shown.channels, strict=True):
        assert sum(map(Fraction, products)) == Fraction(channel)
    start = Fraction(shown.bias) if bias is not None else Fraction(0)
    assert sum(map(Fraction, shown.channels), start) == Fraction(shown.sum)


@given(channels, st.none() | numbers, decimals)
def test_the_shown_sum_is_the_true_sum_rounded_ties_to_even(groups, bias, places):
    known = [value for group in groups for value in group] + ([] if bias is None else [bias])
    total = sum(map(Fraction, known), Fraction(0))
    assert Fraction(show_adding_up(groups, bias, places).sum) == Fraction(
        round(total * 10**places), 10**places
    )


@given(numbers, decimals)
def test_one_number_is_rounded_as_decimal_arithmetic_rounds_it(value, places):
    with localcontext(Context(prec=400)):
        exact = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    assert Decimal(show(value, places)) == exact


@given(numbers, decimals)
def test_a_shown_number_has_the_digits_that_were_asked_for_and_zero_has_no_sign(value, places):
    text = show(value, places)
    assert len(text.partition(".")[2]) == places
    assert text.strip("0.") != "-"
    assert show_adding_up([[value]], None, places).sum == text


def test_thirds_that_would_lose_a_digit_add_up():
    shown = show_adding_up([[1 / 3, 1 / 3], [1 / 3]], None, 4)
    assert shown.sum == "1.0000"
    assert sorted([*shown.products[0], *shown.products[1]]) == ["0.3333", "0.3333", "0.3334"]


def test_numbers_that_are_not_finite_are_shown_as_they_are():
    shown = show_adding_up([[1.5, math.nan], [math.inf]], -math.inf, 4)
    assert shown.products == (("1.5000", "nan"), ("inf",))
    assert (shown.bias, shown.sum) == ("-inf", "nan")
    assert not adds_up([*shown.channels, "-inf"], shown.sum)


def test_nothing_at_all_adds_up_to_zero():
    shown = show_adding_up([], None, 4)
    assert (shown.channels, shown.sum) == ((), "0.0000")
    assert adds_up([], "0.0000")


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([0.5, 12.0], DEFAULT_DECIMALS),
        ([0.0], DEFAULT_DECIMALS),
        ([1e9], DEFAULT_DECIMALS),
        ([0.1], 4),
        ([0.0999], 5),
        ([-3.2e-7, 1e-9], 10),
        ([math.nan, 0.02], 5),
    ],
)
def test_tiny_numbers_get_more_digits_and_large_ones_never_fewer(values, places):
    assert decimals_for(values) == places


@given(st.floats(1e-300, 1e30))
def test_the_largest_number_always_shows_four_significant_digits(value):
    text = show(value, decimals_for([value]))
    assert len(text.replace(".", "").lstrip("0")) >= 4


def test_factors_that_are_whole_numbers_need_no_digits_after_the_point():
    assert decimals_for_factors([134.0, 0.0, 255.0]) == 0
    assert decimals_for_factors([134.0, 0.5]) == 4
    assert decimals_for_factors([0.0, 0.0]) == 4
    assert decimals_for_factors([math.inf, 1.0]) == 4
    assert show(134.0, 0) == "134"


def test_adding_up_is_read_from_the_text_alone():
    assert adds_up(["0.1", "0.2"], "0.3")
    assert not adds_up(["0.1", "0.2"], "0.4")
    assert not adds_up(["0.1", "lots"], "0.1")
