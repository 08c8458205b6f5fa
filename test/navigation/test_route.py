from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.global_planner import GlobalPlannerConfig
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.obstacle_layer import ObstacleLayerConfig
from rl_planner.navigation.occupancy import OccupancyMap
from rl_planner.navigation.route import News, Route, RouteConfig

CELL = 0.1  # m
BEAM = ScanGeometry(1, 0.0, 0.1, 0.1, 5.0)  # straight ahead


def rooms(doors: int = 2) -> OccupancyMap:
    """A wall at x = 3.0 to 3.1 m; doors at y = 0.6 to 1.3 m, and 2.6 to 3.3 m."""
    cells = np.zeros((40, 60), np.int8)
    cells[:, 30] = 100
    for door in range(doors):
        cells[6 + 20 * door : 13 + 20 * door, 30] = 0
    return OccupancyMap(cells, CELL)


def pose(x: float, y: float = 1.0, yaw: float = 0.0) -> NDArray[np.float64]:
    return np.array([x, y, yaw])


def route(doors: int = 2) -> Route:
    made = Route(
        RobotConfig(radius=0.2),
        GlobalPlannerConfig(padding=0.05),
        ObstacleLayerConfig(map_margin=0.1, obstacle_memory=20.0),
        RouteConfig(max_stray=0.8, blocked_time=1.0, patience=10.0),
        xy_goal_tolerance=0.25,
    )
    made.set_map(rooms(doors))
    made.set_goal(5.0, 1.0)
    return made


def crossing(news: News | None) -> float:
    """y where the way goes through the wall (m)."""
    assert news is not None
    assert len(news.path)
    return float(news.path[np.abs(news.path[:, 0] - 3.05).argmin(), 1])


def block(made: Route, now: float, x: float = 2.0) -> None:
    """Something stands in the lower door, as seen from (x, 1.0)."""
    made.see(pose(x), np.array([3.05 - x], np.float32), BEAM, now)


def test_a_goal_is_planned_to_once() -> None:
    made = route()
    news = made.update(pose(1.0), 0.0)
    assert crossing(news) == pytest.approx(1.0, abs=0.3)
    assert news is not None
    assert news.text == 'a new goal: 4.0 m to the goal'
    assert made.update(pose(1.5), 1.0) is None
    assert made.update(pose(2.0), 2.0) is None


def test_without_a_goal_or_a_map_nothing_is_planned() -> None:
    made = route()
    made.drop()
    assert made.update(pose(1.0), 0.0) is None
    bare = Route(RobotConfig(), GlobalPlannerConfig(), ObstacleLayerConfig(), RouteConfig(), 0.25)
    bare.set_goal(1.0, 1.0)
    bare.see(pose(1.0), np.array([1.0], np.float32), BEAM, 0.0)
    assert bare.update(pose(1.0), 0.0) is None
    bare.set_map(rooms())
    assert bare.update(pose(2.0), 1.0) is not None


def test_a_blocked_door_leads_through_the_other_one() -> None:
    made = route()
    made.update(pose(1.0), 0.0)
    block(made, 1.0)
    assert made.update(pose(2.0), 1.0) is None  # it may be gone in a moment
    block(made, 2.0)
    news = made.update(pose(2.0), 2.0)
    assert crossing(news) > 2.5
    assert news is not None
    assert news.text.startswith('something stands in the way')
    assert made.update(pose(2.0), 3.0) is None


def test_who_walks_across_changes_nothing() -> None:
    made = route()
    made.update(pose(1.0), 0.0)
    for now in (1.0, 3.0, 5.0):
        block(made, now)
        assert made.update(pose(2.0), now) is None
        made.see(pose(2.0), np.array([math.inf], np.float32), BEAM, now + 1.0)
        assert made.update(pose(2.0), now + 1.0) is None


def test_what_stands_behind_the_robot_does_not_matter() -> None:
    made = route()
    made.update(pose(1.0), 0.0)
    made.update(pose(2.0), 1.0)
    made.update(pose(3.5), 2.0)
    block(made, 2.0, x=2.0)
    for now in (3.0, 4.0, 5.0):
        assert made.update(pose(3.6), now) is None


def test_who_strays_gets_a_way_from_there() -> None:
    made = route()
    made.update(pose(1.0), 0.0)
    assert made.update(pose(2.0, 1.7), 1.0) is None
    news = made.update(pose(2.0, 3.0), 2.0)
    assert crossing(news) > 2.5
    assert news is not None
    assert news.path[0].tolist() == [2.0, 3.0]
    assert 'm off the way: ' in news.text


def test_what_is_left_of_the_way_begins_where_the_robot_is_and_ends_at_the_goal() -> None:
    made = route()
    news = made.update(pose(1.0), 0.0)
    assert news is not None
    np.testing.assert_array_equal(made.rest, news.path)
    made.update(pose(2.0), 1.0)
    np.testing.assert_array_equal(made.rest, news.path[-len(made.rest) :])
    assert made.rest[0] == pytest.approx([2.0, 1.0], abs=0.2)
    assert made.rest[-1].tolist() == [5.0, 1.0]
    made.drop()
    assert len(made.rest) == 0


def test_who_has_arrived_has_no_goal_any_more() -> None:
    made = route()
    made.update(pose(1.0), 0.0)
    for x in (2.0, 3.0, 4.0):
        made.update(pose(x), x)
    assert made.goal == (5.0, 1.0)
    assert made.update(pose(4.8), 5.0) is None
    assert made.goal is None
    assert made.update(pose(1.0, 3.0), 6.0) is None


def test_another_map_is_planned_on_at_once() -> None:
    made = route()
    made.update(pose(1.0), 0.0)
    made.set_map(rooms())
    news = made.update(pose(1.0), 0.1)
    assert news is not None
    assert news.text.startswith('the map has changed')


def test_the_only_door_is_waited_for_till_it_is_free() -> None:
    made = route(doors=1)
    made.update(pose(1.0), 0.0)
    block(made, 1.0)
    made.update(pose(2.0), 1.0)
    block(made, 2.0)
    news = made.update(pose(2.0), 2.0)
    assert news is not None
    assert news.is_refusal
    assert len(news.path) == 0
    assert 'no way from (2.00, 1.00) to the goal (5.00, 1.00), past what stands' in news.text
    assert made.is_waiting
    assert made.update(pose(2.0), 3.0) is None  # it has been said
    made.see(pose(2.0), np.array([math.inf], np.float32), BEAM, 4.0)
    news = made.update(pose(2.0), 4.0)
    assert crossing(news) == pytest.approx(1.0, abs=0.3)
    assert not made.is_waiting


def test_patience_ends() -> None:
    made = route(doors=1)
    block(made, 0.0)
    said = []
    for now in range(14):
        block(made, float(now))
        news = made.update(pose(2.0), float(now))
        said += [(now, news.text)] if news else []
    assert [now for now, _ in said] == [0, 11]
    assert made.goal is None


def test_a_goal_that_the_map_has_no_way_to_is_dropped() -> None:
    made = route(doors=0)
    news = made.update(pose(1.0), 0.0)
    assert news is not None
    assert news.is_refusal
    assert len(news.path) == 0
    assert news.text == 'there is no way from (1.00, 1.00) to the goal (5.00, 1.00)'
    assert made.goal is None
    assert made.update(pose(1.0), 1.0) is None
