"""Two networks on the same photos: who is right where, and whether that is more than chance.

    both, only_first, only_second, neither   photos that are named right by whom; n in all
    difference   (only_second − only_first) / n: the second accuracy minus the first
    p_value      McNemar's exact test: of the photos that only one gets right, how often a fair
                 coin would divide them at least so unevenly; 1 where there is none
    interval     95 %, Newcombe's, of the Wilson intervals [l, u] of both accuracies p and their
                 correlation φ; with the second minus the first
                     low  = p₂ − p₁ − √(a² − 2·φ·a·b + b²)    a = p₂ − l₂   b = u₁ − p₁
                     high = p₂ − p₁ + √(c² − 2·φ·c·d + d²)    c = u₂ − p₂   d = p₁ − l₁
                     φ    = C / √((both+only_first)(only_second+neither)
                                  (both+only_second)(only_first+neither)), 0 where that is 0;
                     C    = B below 0, 0 for 0 ≤ B ≤ n/2, B − n/2 above;
                     B    = both·neither − only_first·only_second

Shares are 0..1 (a difference: −1..1). Photos count as independent of each other. Knows nothing of
networks, and no torch. Raises ShapeError where sizes disagree, DataError where nothing is counted.
Sources: McNemar, Psychometrika 12 (1947) 153, doi:10.1007/BF02295996, with the binomial
distribution in place of its approximation; Newcombe, Statistics in Medicine 17 (1998) 2635,
method 10, for the interval.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from seethrough.errors import DataError, ShapeError
from seethrough.evaluate.interval import Interval, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Both networks on the same photos, counted."""

    images: int
    both: int  # right
    only_first: int
    only_second: int
    neither: int
    neither_agrees: int  # of these: both name the same wrong class
    accuracy: tuple[float, float]  # first, second
    difference: float
    interval: tuple[float, float]  # 95 %
    p_value: float

    @property
    def differs(self) -> bool:
        """Whether chance is ruled out as far as 95 % go."""
        return not Interval(*self.interval).holds(0.0)

    def to_dict(self) -> dict[str, Any]:
        """Names and plain values."""
        values = dataclasses.asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def paired(
    first: Int[np.ndarray, " n"],
    second: Int[np.ndarray, " m"],
    labels: Int[np.ndarray, " photos"],
) -> Paired:
    """Count on which photos the class that either network names is the label."""
    if not len(first) == len(second) == len(labels):
        raise ShapeError(
            f"{len(first)} and {len(second)} answers for {len(labels)} photos.",
            why="both networks must have judged the same photos, in the same order.",
            fix="pass the answers to the photos that both were asked about.",
        )
    right = first == labels, second == labels
    neither = ~right[0] & ~right[1]
    return counted(
        both=int((right[0] & right[1]).sum()),
        only_first=int((right[0] & ~right[1]).sum()),
        only_second=int((~right[0] & right[1]).sum()),
        neither=int(neither.sum()),
        neither_agrees=int((neither & (first == second)).sum()),
    )


def counted(
    *, both: int, only_first: int, only_second: int, neither: int, neither_agrees: int = 0
) -> Paired:
    """The same from the four counts."""
    images = both + only_first + only_second + neither
    if images == 0:
        raise DataError(
            "There is no photo on which the two networks could be compared.",
            why="neither learned from, nor was judged on, photos that the other was judged on.",
            fix="train both on the same folder; photos count that both set aside for testing.",
        )
    interval = difference_interval(both, only_first, only_second, neither)
    return Paired(
        images=images,
        both=both,
        only_first=only_first,
        only_second=only_second,
        neither=neither,
        neither_agrees=neither_agrees,
        accuracy=((both + only_first) / images, (both + only_second) / images),
        difference=(only_second - only_first) / images,
        interval=(interval.low, interval.high),
        p_value=mcnemar(only_first, only_second),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided probability that a fair coin divides the photos at least so unevenly."""
    if only_first + only_second == 0:
        return 1.0
    from scipy.stats import binomtest  # takes 0.7 s: see `interval.wilson`

    return float(binomtest(only_second, only_first + only_second, 0.5).pvalue)


def difference_interval(both: int, only_first: int, only_second: int, neither: int) -> Interval:
    """95 % interval of the second accuracy minus the first."""
    images = both + only_first + only_second + neither
    hits = both + only_first, both + only_second
    shares = hits[0] / images, hits[1] / images
    first, second = wilson(hits[0], images), wilson(hits[1], images)
    phi = _correlation(both, only_first, only_second, neither)
    middle = (only_second - only_first) / images
    below = _added(shares[1] - second.low, first.high - shares[0], phi)
    above = _added(second.high - shares[1], shares[0] - first.low, phi)
    return Interval(middle - below, middle + above)


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """φ, drawn towards 0 by half a photo where it is above."""
    product = (both + only_first) * (only_second + neither)
    product *= (both + only_second) * (only_first + neither)
    if product == 0:
        return 0.0
    surplus = float(both * neither - only_first * only_second)
    half = (both + only_first + only_second + neither) / 2
    return (surplus if surplus < 0 else max(0.0, surplus - half)) / math.sqrt(product)


def _added(one: float, other: float, phi: float) -> float:
    """Two half-widths that go together as far as φ says."""
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))
