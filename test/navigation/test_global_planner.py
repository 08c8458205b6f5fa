from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.global_planner import GlobalPlanner, GlobalPlannerConfig, PlanningError
from rl_planner.navigation.occupancy import OccupancyMap

ROBOT = RobotConfig(radius=0.2)
CLEARANCE = 0.25  # m: the radius, and a padding of 0.05 m
CONFIG = GlobalPlannerConfig(padding=0.05, tolerance=0.3)
CELL = 0.1  # m


def floor() -> NDArray[np.int8]:
    """4 m x 6 m, free."""
    return np.zeros((40, 60), np.int8)


def two_rooms(door: slice = slice(25, 33)) -> NDArray[np.int8]:
    """A wall at x = 3.0 to 3.1 m, with a door of 0.8 m in it."""
    cells = floor()
    cells[:, 30] = 100
    cells[door, 30] = 0
    return cells


def mapped(cells: NDArray[np.int8]) -> OccupancyMap:
    return OccupancyMap(cells, CELL)


def plan(
    cells: NDArray[np.int8],
    start: tuple[float, float] = (1.0, 1.0),
    goal: tuple[float, float] = (5.0, 1.0),
    seen: NDArray[np.bool_] | None = None,
    config: GlobalPlannerConfig = CONFIG,
) -> NDArray[np.float64]:
    return GlobalPlanner(ROBOT, config).plan(mapped(cells), start, goal, seen)


def nearest_obstacle(path: NDArray[np.float64], cells: NDArray[np.int8]) -> float:
    """From the path to the centre of a cell (m)."""
    there = CELL * (np.argwhere(cells > 50)[:, ::-1] + 0.5)
    return float(np.hypot(*(path[:, None] - there).transpose(2, 0, 1)).min())


def test_a_way_leads_from_the_robot_through_the_door_to_the_goal() -> None:
    path = plan(two_rooms())
    assert path[0].tolist() == [1.0, 1.0]
    assert path[-1].tolist() == [5.0, 1.0]
    at_wall = path[np.abs(path[:, 0] - 3.05) < 0.06]
    assert ((at_wall[:, 1] > 2.5) & (at_wall[:, 1] < 3.3)).all()
    assert np.hypot(*np.diff(path, axis=0).T).max() < 2.0 * CELL
    assert nearest_obstacle(path, two_rooms()) >= CLEARANCE - 1e-9


def test_a_goal_within_the_same_cell_is_led_to() -> None:
    way = plan(floor(), (1.01, 1.01), (1.08, 1.07))
    assert way.tolist() == [[1.01, 1.01], [1.08, 1.07]]


def test_a_map_elsewhere_is_planned_on_alike() -> None:
    here = OccupancyMap(two_rooms(), CELL, (10.0, 5.0, math.pi / 2.0))
    path = GlobalPlanner(ROBOT, CONFIG).plan(here, (8.93, 6.07), (8.93, 10.07))
    turned = np.stack([path[:, 1] - 5.0, 10.0 - path[:, 0]], axis=-1)
    np.testing.assert_allclose(turned, plan(two_rooms(), (1.07, 1.07), (5.07, 1.07)), atol=1e-9)


def test_a_closed_door_is_no_way() -> None:
    with pytest.raises(PlanningError, match=r'no way from \(1\.00, 1\.00\) to the goal \(5\.00'):
        plan(two_rooms(slice(0, 0)))


def test_a_door_that_is_too_narrow_is_no_way() -> None:
    with pytest.raises(PlanningError, match='no way'):
        plan(two_rooms(slice(25, 29)))


def test_a_door_in_which_something_stands_is_gone_around() -> None:
    cells = two_rooms()
    cells[5:12, 30] = 0  # another door, on the straight way
    direct = plan(cells)
    assert direct[np.abs(direct[:, 0] - 3.05) < 0.06, 1].max() < 1.3
    seen = np.zeros(cells.shape, np.bool_)
    seen[8, 30] = True
    around = plan(cells, seen=seen)
    assert around[np.abs(around[:, 0] - 3.05) < 0.06, 1].min() > 2.5


def test_two_obstacles_that_touch_at_their_corners_are_no_door() -> None:
    """Whatever the robot's size: cells of 1 m, a robot of 0.2 m."""
    cells = np.array([[0, 0, 100], [0, 0, 100], [100, 100, 0]], np.int8)
    coarse = OccupancyMap(cells, 1.0)
    with pytest.raises(PlanningError):
        GlobalPlanner(ROBOT, GlobalPlannerConfig()).plan(coarse, (0.5, 0.5), (2.5, 2.5))


def test_a_goal_in_an_obstacle_is_refused() -> None:
    with pytest.raises(
        PlanningError, match=r'the goal \(3\.05, 0\.55\) is inside an obstacle of the map'
    ):
        plan(two_rooms(), goal=(3.05, 0.55))
    solid = floor()
    solid[10:20, 20:40] = 100
    with pytest.raises(PlanningError, match=r'the goal'):
        plan(solid, goal=(3.0, 1.5))


def test_a_goal_too_close_to_an_obstacle_is_replaced_within_the_tolerance() -> None:
    path = plan(two_rooms(), goal=(3.25, 1.0))
    assert 0.0 < math.dist(path[-1], (3.25, 1.0)) <= 0.3
    assert nearest_obstacle(path, two_rooms()) >= CLEARANCE - 1e-9
    with pytest.raises(PlanningError, match=r'the goal .* is too close to an obstacle'):
        plan(two_rooms(), goal=(3.25, 1.0), config=GlobalPlannerConfig(padding=0.05, tolerance=0.0))


def test_a_robot_too_close_to_an_obstacle_gets_out_of_there() -> None:
    path = plan(two_rooms(), start=(2.95, 1.0))
    assert path[0].tolist() == [2.95, 1.0]
    assert np.hypot(*np.diff(path, axis=0).T).max() < 2.0 * CELL
    out = int((path[:, 0] < 3.05 - CLEARANCE).argmax())
    assert out <= 3
    assert nearest_obstacle(path[out:], two_rooms()) >= CLEARANCE - 1e-9


def along_a_wall() -> NDArray[np.int8]:
    """A wall without a door at x = 3.0 to 3.1 m, 0.3 m beside another one: too narrow a lane."""
    cells = two_rooms(slice(0, 0))
    cells[:, 26] = 100
    return cells


@pytest.mark.parametrize('x', [2.85, 2.95])
def test_nobody_is_led_through_a_thin_wall(x: float) -> None:
    """Between the walls there is no room; beyond the right one there is, 0.4 m away."""
    with pytest.raises(PlanningError, match=r'the robot .* is too close to an obstacle'):
        plan(along_a_wall(), start=(x, 1.0), goal=(5.0, 1.0))
    wide = GlobalPlannerConfig(padding=0.05, tolerance=0.5)
    with pytest.raises(PlanningError, match=r'the goal .* is too close to an obstacle'):
        plan(along_a_wall(), start=(5.0, 1.0), goal=(x, 1.0), config=wide)


def test_nor_through_one_that_has_been_seen() -> None:
    cells = floor()
    cells[:, 26] = 100
    seen = np.zeros(cells.shape, np.bool_)
    seen[:, 30] = True
    with pytest.raises(PlanningError, match=r'the robot .* is too close to an obstacle'):
        plan(cells, start=(2.95, 1.0), seen=seen)
    assert len(plan(cells, start=(2.95, 1.0)))


def test_who_is_inside_an_obstacle_of_the_map_is_lost() -> None:
    """On which side of the wall the robot really is, nobody can say."""
    with pytest.raises(PlanningError, match=r'the robot \(3\.05, 0\.55\) is inside an obstacle'):
        plan(two_rooms(), start=(3.05, 0.55))


def test_what_was_seen_where_the_robot_or_the_goal_is_does_not_keep_it_there() -> None:
    seen = np.zeros((40, 60), np.bool_)
    seen[10, 10] = seen[10, 50] = True
    path = plan(floor(), (1.05, 1.05), (5.05, 1.05), seen)
    assert path[0].tolist() == [1.05, 1.05]
    assert CLEARANCE <= math.dist(path[-1], (5.05, 1.05)) <= CONFIG.tolerance


def test_the_dearest_way_is_a_way() -> None:
    """6 m of the unknown beside a wall, in cells of 1 cm."""
    cells = np.full((60, 600), -1, np.int8)
    cells[20, :] = 100
    dear = GlobalPlannerConfig(
        padding=0.0,
        inflation_radius=2.0,
        cost_scaling_factor=0.1,
        cost_weight=1e3,
        unknown_cost=1e3,
    )
    path = GlobalPlanner(RobotConfig(radius=0.1), dear).plan(
        OccupancyMap(cells, 0.01), (0.05, 0.45), (5.95, 0.45)
    )
    assert path[-1].tolist() == [5.95, 0.45]


def test_a_way_that_is_longer_than_a_path_may_be_is_none() -> None:
    """Ten lanes of 1.2 km, cells of 10 m."""
    cells = np.zeros((39, 120), np.int8)
    cells[3::4] = 100
    for number, row in enumerate(range(3, 39, 4)):
        cells[row, -3:] = 0 if number % 2 == 0 else 100
        cells[row, :3] = 100 if number % 2 == 0 else 0
    coarse = OccupancyMap(cells, 10.0)
    planner = GlobalPlanner(RobotConfig(radius=0.2), GlobalPlannerConfig(allow_unknown=False))
    with pytest.raises(PlanningError, match='m long, allowed are 10000 m'):
        planner.plan(coarse, (15.0, 15.0), (15.0, 375.0))


@pytest.mark.parametrize('goal', [(-0.1, 1.0), (1.0, 4.1), (math.inf, 0.0), (math.nan, 1.0)])
def test_a_goal_off_the_map_is_refused(goal: tuple[float, float]) -> None:
    with pytest.raises(PlanningError, match=r'the goal .*(off the map|at a finite place)'):
        plan(floor(), goal=goal)
    with pytest.raises(PlanningError, match=r'the robot .*(off the map|at a finite place)'):
        plan(floor(), start=goal)


def test_the_unknown_is_crossed_if_that_is_allowed() -> None:
    cells = floor()
    cells[:, 30:35] = -1
    assert len(plan(cells)) > 40
    known = GlobalPlannerConfig(padding=0.05, allow_unknown=False)
    with pytest.raises(PlanningError, match='no way'):
        plan(cells, config=known)
    with pytest.raises(PlanningError, match=r'the goal .* too close to an obstacle or the unknown'):
        plan(
            cells, goal=(3.25, 1.0), config=GlobalPlannerConfig(tolerance=0.1, allow_unknown=False)
        )


def test_what_is_known_is_preferred() -> None:
    cells = floor()
    cells[5:15, 30:35] = -1
    dear = GlobalPlannerConfig(padding=0.05, unknown_cost=20.0)
    path = plan(cells, config=dear)
    beside = path[(path[:, 0] > 3.0) & (path[:, 0] < 3.5)]
    assert (beside[:, 1] > 1.5).all() or (beside[:, 1] < 0.5).all()


def test_something_in_the_way_is_noticed_and_something_beside_it_is_not() -> None:
    planner, area = GlobalPlanner(ROBOT, CONFIG), mapped(floor())
    path = planner.plan(area, (1.0, 1.05), (5.0, 1.05))
    seen = np.zeros(area.shape, np.bool_)
    assert not planner.is_blocked(area, path, seen)
    seen[12, 30] = True  # its centre is 0.2 m off, and half the clearance 0.125 m
    assert not planner.is_blocked(area, path, seen)
    seen[11, 30] = True
    assert planner.is_blocked(area, path, seen)
    assert not planner.is_blocked(area, path[path[:, 0] > 3.3], seen)
    assert not planner.is_blocked(area, path + np.array([100.0, 0.0]), seen)
