"""Numbers rounded so that what is shown adds up exactly as shown: controlled rounding, two levels.

    bias + channel + channel + … = sum          every channel = product + product + …

With u = 10^−decimals, every shown number is the multiple of u just below or just above the true
one (or the true one itself), and both rows above hold to the last digit. The shown sum is the true
sum rounded to the nearest multiple, ties to the even one. It always exists: the floors add up to
no more than the rounded sum, the ceilings to no less, so the difference is spread, one u each,
over the numbers with the largest remainders, first over channels and bias, then inside a channel.

All of it is integer arithmetic: a float is an integer over a power of two, so floors, remainders
and sums are exact. Numbers that are not finite are shown as nan, inf, -inf, and add up to nothing.

Source of the method: Cox, A constructive procedure for unbiased controlled rounding,
Journal of the American Statistical Association 82 (1987), doi:10.1080/01621459.1987.10478456.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext
from fractions import Fraction
from itertools import accumulate

DEFAULT_DECIMALS = 4
MAX_DECIMALS = 400  # the smallest float64 is 5e-324

_EXACT = Context(prec=2000, traps=[Inexact])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The digits of one sum: `products[i]` add up to `channels[i]`, these and `bias` to `sum`."""

    products: tuple[tuple[str, ...], ...]
    channels: tuple[str, ...]
    bias: str | None
    sum: str


def decimals_for(values: Iterable[float]) -> int:
    """Digits after the point: four, and more where the largest value would show fewer than four."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0:
        return DEFAULT_DECIMALS
    return min(MAX_DECIMALS, max(DEFAULT_DECIMALS, 3 - math.floor(math.log10(largest))))


def decimals_for_factors(values: Sequence[float]) -> int:
    """The same for numbers that are only multiplied; pixels and other whole numbers need none."""
    is_whole = all(math.isfinite(value) and value == round(value) for value in values)
    return 0 if is_whole and any(values) else decimals_for(values)


def show(value: float, decimals: int) -> str:
    """One number on its own, to the nearest digit, ties to even; a zero has no sign."""
    text = f"{value:.{decimals}f}"  # Python rounds the exact value of the float, ties to even
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def show_adding_up(channels: Sequence[Sequence[float]], bias: float | None, decimals: int) -> Shown:
    """The digits of bias + Σ channels, each channel the sum of its products."""
    flat = [value for channel in channels for value in channel]
    known = flat if bias is None else [*flat, bias]
    if not all(map(math.isfinite, known)):
        return _show_apart(channels, bias, decimals)
    ratios = [value.as_integer_ratio() for value in known]
    shift = max((ratio[1].bit_length() - 1 for ratio in ratios), default=0)
    power = 10**decimals
    scaled = [(top * power) << (shift - bottom.bit_length() + 1) for top, bottom in ratios]

    sizes = [len(channel) for channel in channels]
    ends = list(accumulate(sizes))
    groups = [scaled[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    rest = scaled[len(flat) :]
    total = _nearest_even(sum(scaled), shift)
    upper = _spread([*rest, *map(sum, groups)], total, shift)
    sums = upper[len(rest) :]
    lower = [_spread(group, target, shift) for group, target in zip(groups, sums, strict=True)]
    return Shown(
        products=tuple(tuple(_digits(value, decimals) for value in group) for group in lower),
        channels=tuple(_digits(value, decimals) for value in sums),
        bias=None if bias is None else _digits(upper[0], decimals),
        sum=_digits(total, decimals),
    )


def adds_up(parts: Iterable[str], total: str) -> bool:
    """Whether displayed numbers add up to a displayed sum, read digit by digit."""
    try:
        numbers = [Decimal(part) for part in parts]
        wanted = Decimal(total)
    except InvalidOperation:
        return False
    if not wanted.is_finite() or not all(number.is_finite() for number in numbers):
        return False
    with localcontext(_EXACT):
        return sum(numbers, Decimal(0)) == wanted


def _show_apart(channels: Sequence[Sequence[float]], bias: float | None, decimals: int) -> Shown:
    sums = [sum(channel) for channel in channels]
    total = sum(sums) + (bias or 0.0)
    return Shown(
        products=tuple(tuple(show(value, decimals) for value in channel) for channel in channels),
        channels=tuple(show(value, decimals) for value in sums),
        bias=None if bias is None else show(bias, decimals),
        sum=show(total, decimals),
    )


def _nearest_even(scaled: int, shift: int) -> int:
    return round(Fraction(scaled, 1 << shift))


def _spread(scaled: Sequence[int], target: int, shift: int) -> list[int]:
    """Each number ÷ 2^shift as its floor or ceiling, so that together they make `target`."""
    mask = (1 << shift) - 1
    floors = [value >> shift for value in scaled]
    missing = target - sum(floors)
    if missing:
        remainders = [value & mask for value in scaled]
        order = sorted(range(len(scaled)), key=remainders.__getitem__, reverse=True)
        assert 0 < missing <= sum(map(bool, remainders))
        for index in order[:missing]:
            floors[index] += 1
    return floors


def _digits(units: int, decimals: int) -> str:
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}d}" if decimals else f"{sign}{whole}"
