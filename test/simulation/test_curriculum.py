from __future__ import annotations

import numpy as np
import pytest

from rl_planner.simulation.curriculum import EPISODES, FLOOR, Curriculum

# Worlds 0 to 3 are of family 0, 4 and 5 of family 1, and 6 of family 2.
FAMILIES = np.array([0, 0, 0, 0, 1, 1, 2])


def settled(*rates: float) -> Curriculum:
    curriculum = Curriculum(FAMILIES)
    curriculum.success_rates = np.array(rates)
    return curriculum


def test_at_first_families_are_equal_whatever_the_number_of_their_worlds() -> None:
    np.testing.assert_allclose(Curriculum(FAMILIES).chances(), 1.0 / 3.0)


def test_the_chance_follows_what_can_be_learnt() -> None:
    weights = np.array([0.0 + FLOOR, 0.25 + FLOOR, 0.09 + FLOOR])
    np.testing.assert_allclose(settled(0.0, 0.5, 0.9).chances(), weights / weights.sum())


@pytest.mark.parametrize('rate', [0.0, 1.0])
def test_a_family_that_always_ends_alike_is_still_met(rate: float) -> None:
    chance = settled(rate, 0.5, 0.5).chances()[0]
    assert chance == pytest.approx(FLOOR / (3 * FLOOR + 0.5))


def test_worlds_are_drawn_by_those_chances_and_evenly_within_a_family() -> None:
    curriculum = settled(0.9, 0.5, 1.0)
    drawn = curriculum.draw(np.random.default_rng(0), 40000)
    counts = np.bincount(drawn, minlength=7)
    chances = curriculum.chances()
    expected = 40000 * np.array([*[chances[0] / 4] * 4, *[chances[1] / 2] * 2, chances[2]])
    assert (np.abs(counts - expected) < 5.0 * np.sqrt(expected)).all()  # five standard deviations


def test_one_family_alone_is_drawn_evenly() -> None:
    curriculum = Curriculum(np.zeros(5, np.int64))
    counts = np.bincount(curriculum.draw(np.random.default_rng(1), 10000))
    assert (np.abs(counts - 2000) < 5.0 * np.sqrt(2000)).all()


def test_the_success_rate_is_that_of_recent_episodes() -> None:
    curriculum = Curriculum(FAMILIES)
    curriculum.add(np.array([4]), np.array([True]))
    assert curriculum.success_rates.tolist() == [
        0.5,
        pytest.approx(0.5 + 0.5 / EPISODES),
        0.5,
    ]
    for _ in range(3000):
        curriculum.add(np.array([0, 3, 4, 6]), np.array([True, False, True, False]))
    np.testing.assert_allclose(curriculum.success_rates, [0.5, 1.0, 0.0], atol=1e-3)


def test_the_same_seed_draws_the_same_worlds() -> None:
    first, second = (Curriculum(FAMILIES).draw(np.random.default_rng(7), 100) for _ in range(2))
    np.testing.assert_array_equal(first, second)
