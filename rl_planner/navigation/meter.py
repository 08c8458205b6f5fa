"""How often things come, and how long things take: counted as they happen, summed up at times."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

import numpy as np

KEPT = 4096  # durations; of more, the newest count


class Meter:
    """Counts events by name, and keeps durations by name."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._durations: dict[str, deque[float]] = {}

    def count(self, name: str) -> None:
        self._counts[name] += 1

    def time(self, name: str, seconds: float) -> None:
        kept = self._durations.get(name)
        if kept is None:
            kept = self._durations[name] = deque(maxlen=KEPT)
        kept.append(seconds)

    def clear(self) -> tuple[dict[str, int], dict[str, list[float]]]:
        """Counts and durations (s) since last time."""
        counts = dict(self._counts)
        durations = {name: list(kept) for name, kept in self._durations.items()}
        self._counts.clear()
        self._durations.clear()
        return counts, durations


def sum_up(meters: Iterable[Meter], elapsed: float) -> dict[str, float]:
    """Rates and durations over several meters since last time, which was `elapsed` (s) ago.

    Returns:
        `NAME_rate`: events per second of one meter, on average; `NAME_median_ms`, `NAME_p99_ms`.
    """
    counts: Counter[str] = Counter()
    durations: dict[str, list[float]] = {}
    number = 0
    for meter in meters:
        number += 1
        counted, timed = meter.clear()
        counts.update(counted)
        for name, values in timed.items():
            durations.setdefault(name, []).extend(values)
    figures = {f'{name}_rate': count / (elapsed * number) for name, count in counts.items()}
    for name, values in durations.items():
        median, p99 = (1000.0 * np.quantile(values, (0.5, 0.99))).tolist()
        figures |= {f'{name}_median_ms': median, f'{name}_p99_ms': p99}
    return figures
