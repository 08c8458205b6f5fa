"""Where true rates and their differences lie, with 95 % confidence."""

from __future__ import annotations

import math

NORMAL_QUANTILE = 1.959963984540054  # 97.5 %: intervals of 95 %

Interval = tuple[float, float]


def wilson_interval(successes: int, count: int) -> Interval:
    """The 95 % confidence interval of a rate, `successes` out of `count` (Wilson 1927, JASA 22).

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n): unlike p -+ z sqrt(p(1-p)/n) it stays
    within [0, 1] and holds its level for rates near the ends and for few episodes.
    """
    rate, share = successes / count, NORMAL_QUANTILE**2 / count
    middle = rate + share / 2.0
    half = math.sqrt(share * (rate * (1.0 - rate) + share / 4.0))
    low, high = (middle - half) / (1.0 + share), (middle + half) / (1.0 + share)
    return max(low, 0.0), min(high, 1.0)


def paired_difference_interval(both: int, first: int, second: int, neither: int) -> Interval:
    """The 95 % confidence interval of p1 - p2, two success rates on the very same episodes.

    Newcombe 1998 (Statistics in Medicine 17, p. 2635), method 10: the Wilson intervals [l, u] of
    the two rates, put together as two errors that are correlated by phi,

        lower: d - sqrt((p1 - l1)^2 - 2 phi (p1 - l1) (u2 - p2) + (u2 - p2)^2), and so the upper.

    Args:
        both, first, second, neither: how many episodes succeeded with both, with the first alone,
            with the second alone, with neither.
    """
    count = both + first + second + neither
    rate1, rate2 = (both + first) / count, (both + second) / count
    low1, high1 = wilson_interval(both + first, count)
    low2, high2 = wilson_interval(both + second, count)
    phi = _correlation(both, first, second, neither)
    difference = (first - second) / count
    below = _combined(rate1 - low1, high2 - rate2, phi)
    above = _combined(high1 - rate1, rate2 - low2, phi)
    return max(difference - below, -1.0), min(difference + above, 1.0)


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    """Phi of the fourfold table; a positive one is corrected for continuity, by n / 2."""
    margins = (both + first, second + neither, both + second, first + neither)
    if not all(margins):
        return 0.0
    cross = float(both * neither - first * second)
    if cross > 0.0:
        cross = max(cross - sum(margins[:2]) / 2.0, 0.0)
    return cross / math.sqrt(math.prod(margins))


def _combined(a: float, b: float, phi: float) -> float:
    return math.sqrt(max(a * a - 2.0 * phi * a * b + b * b, 0.0))
