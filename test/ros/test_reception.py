"""Who sent how much, and what of it did not come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rl_planner.ros.reception import SILENT_SEC, Reception, Receptions


@given(st.lists(st.integers(0, 30), max_size=30))
def test_counting_agrees_with_a_set(jumps: list[int]) -> None:
    """Messages in order, some missing: what is neither received nor repeated is lost."""
    reception, sequence, seen = Reception(), (1 << 32) - 40, set()
    for jump in jumps:
        sequence += jump
        assert reception.take(sequence % (1 << 32)) == (sequence not in seen)
        seen.add(sequence)
    if seen:
        assert reception.received == len(seen)
        assert reception.lost == max(seen) - min(seen) + 1 - len(seen)
        assert reception.duplicated == len(jumps) - len(seen)


def test_actors_are_counted_apart() -> None:
    receptions = Receptions()
    assert receptions.take('a', 7, 0.0) == (True, 0)  # it began before we listened
    assert receptions.take('b', 0, 0.0) == (True, 0)
    assert receptions.take('a', 10, 0.0) == (True, 2)
    assert receptions.take('b', 0, 0.0) == (False, 0)
    assert receptions.take('a', 9, 0.0) == (False, 0)
    receptions.attend(0.0)
    assert receptions.counts() == {'received': 3, 'lost': 2, 'duplicated': 2, 'actors': 2}


def test_an_actor_that_falls_silent_is_told_of_once_and_may_come_back() -> None:
    receptions = Receptions()
    receptions.take('a', 0, 0.0)
    assert receptions.attend(1.0) == (['a'], [])
    receptions.take('b', 0, 5.0)
    assert receptions.attend(SILENT_SEC) == (['b'], [])
    assert receptions.attend(SILENT_SEC + 1.0) == ([], ['a'])
    assert receptions.attend(SILENT_SEC + 2.0) == ([], [])
    assert receptions.counts()['actors'] == 1
    receptions.take('a', 1, SILENT_SEC + 3.0)
    assert receptions.attend(SILENT_SEC + 3.0) == (['a'], [])
    assert receptions.counts() == {'received': 3, 'lost': 0, 'duplicated': 0, 'actors': 2}
