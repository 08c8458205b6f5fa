"""Two planners on the very same scenarios: which one is better, and can it be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rl_planner.evaluation.intervals import Interval, paired_difference_interval
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.navigation.task import Outcome


@dataclass(frozen=True)
class Comparison:
    """Planner `first` against planner `second`, episode by episode.

    Attributes:
        both, first_only, second_only, neither: how many episodes ended at the goal with whom.
        difference: of the success rates, first less second.
        interval: where its true value lies with 95 % confidence (Newcombe 1998, method 10).
        p_value: of McNemar's exact test, see `mcnemar`.
    """

    first: str
    second: str
    both: int
    first_only: int
    second_only: int
    neither: int
    difference: float
    interval: Interval
    p_value: float


def compare_all(results: Mapping[str, Sequence[EpisodeResult]]) -> list[Comparison]:
    """Each planner after the first one of `results` (by name), against the first one.

    Those whom an interruption left without a common episode are left out.
    """
    (first, of_first), *others = results.items()
    return [
        compare(first, of_first, name, driven) for name, driven in others if of_first and driven
    ]


def compare(
    first: str,
    first_results: Sequence[EpisodeResult],
    second: str,
    second_results: Sequence[EpisodeResult],
) -> Comparison:
    """Compare two planners; result i of each is of scenario i.

    Where one was interrupted, the episodes that both have driven count, one or more.
    """
    pairs = [
        (a.outcome is Outcome.GOAL, b.outcome is Outcome.GOAL)
        for a, b in zip(first_results, second_results, strict=False)
    ]
    both, neither = pairs.count((True, True)), pairs.count((False, False))
    first_only, second_only = pairs.count((True, False)), pairs.count((False, True))
    return Comparison(
        first,
        second,
        both,
        first_only,
        second_only,
        neither,
        difference=(first_only - second_only) / len(pairs),
        interval=paired_difference_interval(both, first_only, second_only, neither),
        p_value=mcnemar(first_only, second_only),
    )


def mcnemar(first_only: int, second_only: int) -> float:
    """How likely the two numbers would be this unlike, or more, were both planners equally good.

    McNemar's test (1947, Psychometrika 12), exact: only episodes on which they differ tell them
    apart, and each would be a toss of a fair coin; two-sided.
    """
    tosses = first_only + second_only
    ways = tail = 1  # in which no toss falls to the lesser side; at most k do
    for k in range(min(first_only, second_only)):
        ways = ways * (tosses - k) // (k + 1)
        tail += ways
    return min(2 * tail / (1 << tosses), 1.0)
