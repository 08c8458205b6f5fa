from __future__ import annotations

import math

import numpy as np
import pytest
from support.perceptions import AHEAD, SMALL, perceive, together

from rl_planner.evaluation.planner import Perception
from rl_planner.evaluation.recovery import Recovery

# Something 1 m away ahead to the right; the left is free.
RIGHT_BLOCKED = {AHEAD - beam: 1.0 for beam in range(40)}
LEFT_BLOCKED = {AHEAD + beam: 1.0 for beam in range(40)}
PATIENCE, DETOUR = 30, 30  # control periods of 0.1 s


def recovery(count: int = 1) -> Recovery:
    made = Recovery(SMALL)
    made.start(count)
    return made


def wait(made: Recovery, perception: Perception, periods: int) -> list[list[float]]:
    """The goals of the first robot, standing there for so long."""
    return [made.goals(perception)[0].tolist() for _ in range(periods)]


def test_a_robot_without_progress_is_sent_to_the_freer_side() -> None:
    """The first period is progress; after 3 s more it has to go 2 m to the left, for 3 s."""
    made, stuck = recovery(), perceive(SMALL, (3.0, 0.0), RIGHT_BLOCKED)
    goals = wait(made, stuck, 1 + PATIENCE + DETOUR + 1)
    np.testing.assert_allclose(goals[: 1 + PATIENCE], [[3.0, 0.0]] * (1 + PATIENCE))
    detour = goals[1 + PATIENCE : -1]
    np.testing.assert_allclose(detour, [[0.0, 2.0]] * DETOUR, atol=1e-9)
    assert goals[-1] == pytest.approx([3.0, 0.0])


def test_the_freer_side_is_as_seen_towards_the_goal() -> None:
    """The goal is on the left, so what is ahead is to the right of the way there."""
    made, stuck = recovery(), perceive(SMALL, (0.0, 3.0), LEFT_BLOCKED)
    assert wait(made, stuck, 2 + PATIENCE)[-1] == pytest.approx([-2.0, 0.0])


def test_a_detour_stays_where_it_is_while_the_robot_moves() -> None:
    made, stuck = recovery(), perceive(SMALL, (3.0, 0.0), LEFT_BLOCKED)
    wait(made, stuck, 2 + PATIENCE)
    moved = perceive(SMALL, (-1.0, 3.0), pose=(0.0, -1.0, -0.5 * math.pi))
    np.testing.assert_allclose(made.goals(moved), [[1.0, 0.0]], atol=1e-9)


def test_progress_ends_a_detour() -> None:
    made, stuck = recovery(), perceive(SMALL, (3.0, 0.0), LEFT_BLOCKED)
    wait(made, stuck, 2 + PATIENCE)
    nearer = perceive(SMALL, (2.7, 0.0), LEFT_BLOCKED)
    assert made.goals(nearer)[0] == pytest.approx([2.7, 0.0])
    assert wait(made, nearer, PATIENCE)[-1] == pytest.approx([2.7, 0.0])


def test_coming_nearer_by_little_is_no_progress() -> None:
    made = recovery()
    for period in range(1 + PATIENCE):
        made.goals(perceive(SMALL, (3.0 - 0.005 * period, 0.0), RIGHT_BLOCKED))
    assert made.goals(perceive(SMALL, (2.84, 0.0), RIGHT_BLOCKED))[0, 1] == pytest.approx(2.0)


def test_detours_become_longer_and_change_sides() -> None:
    """Two to the left of 3 and 4.5 s, two to the right of 6 and 7.5 s."""
    made, stuck = recovery(), perceive(SMALL, (3.0, 0.0), RIGHT_BLOCKED)
    sides = [round(y / 2.0) for _, y in wait(made, stuck, 1 + 4 * PATIENCE + 30 + 45 + 60 + 75)]
    assert [sides.count(1), sides.count(-1)] == [75, 135]
    assert sides.index(-1) > max(i for i, side in enumerate(sides) if side == 1)


def test_robots_are_told_apart() -> None:
    """Robot 1 drives on, robot 0 arrives and drops out, robot 2 is stuck."""
    made = recovery(3)
    for period in range(2 + PATIENCE):
        goal = (3.0 - 0.05 * period, 0.0)
        driving, stuck = perceive(SMALL, goal), perceive(SMALL, (3.0, 0.0), RIGHT_BLOCKED)
        robots = together([driving, driving, stuck])
        if period > 5:
            robots = Perception._make(part[1:] for part in robots)
        goals = made.goals(robots)
    np.testing.assert_allclose(goals, [goal, (0.0, 2.0)], atol=1e-9)
