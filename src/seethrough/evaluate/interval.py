"""How far a share of n photos may be from the truth, by chance alone.

    share        p = hits / n
    wilson       the shares q for which |p − q| ≤ z·√(q(1 − q)/n), z = 1.96 (95 %)
    difference   of two shares p₁ − p₂ with Wilson intervals [l₁, u₁] and [l₂, u₂]:
                 low  = p₁ − p₂ − √((p₁ − l₁)² + (u₂ − p₂)²)
                 high = p₁ − p₂ + √((u₁ − p₁)² + (p₂ − l₂)²)

All are shares, 0..1 (a difference: −1..1). Knows nothing of networks; photos count as independent.
Sources: Wilson, JASA 22 (1927) 209, doi:10.1080/01621459.1927.10502953, as in scipy;
Newcombe, Statistics in Medicine 17 (1998) 873, method 10, for the difference.
"""

import math
from typing import NamedTuple


class Interval(NamedTuple):
    """Both ends belong to it."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value is one of those that cannot be excluded."""
        return self.low <= value <= self.high


def wilson(hits: int, total: int) -> Interval:
    """95 % interval of a share; everything is possible when nothing was counted."""
    if total == 0:
        return Interval(0.0, 1.0)
    from scipy.stats import binomtest  # takes 0.7 s, which reading a stored report does without

    ends = binomtest(hits, total).proportion_ci(confidence_level=0.95, method="wilson")
    return Interval(max(0.0, float(ends.low)), min(1.0, float(ends.high)))


def difference(hits: int, total: int, other_hits: int, other_total: int) -> Interval:
    """95 % interval of the first share minus the other; no photo was counted in both."""
    if total == 0 or other_total == 0:
        return Interval(-1.0, 1.0)
    share, other = hits / total, other_hits / other_total
    own, others = wilson(hits, total), wilson(other_hits, other_total)
    below = math.hypot(share - own.low, others.high - other)
    above = math.hypot(own.high - share, other - others.low)
    return Interval(share - other - below, share - other + above)
