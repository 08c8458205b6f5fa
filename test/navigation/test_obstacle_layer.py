from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.obstacle_layer import ObstacleLayer, ObstacleLayerConfig
from rl_planner.navigation.occupancy import OccupancyMap

CELL = 0.1
# Four beams: behind, to the right, ahead, to the left.
CROSS = ScanGeometry(4, -math.pi, math.pi / 2.0, 0.1, 5.0)
CONFIG = ObstacleLayerConfig(obstacle_max_range=2.0, map_margin=0.15, obstacle_memory=10.0)
HERE = np.array([2.05, 2.05, 0.0])  # the middle of cell 20, 20
AHEAD = 2
CLEAR = np.full(4, np.inf, np.float32)


def layer(wall: bool = False) -> ObstacleLayer:
    """4 m x 5 m; the wall is at x = 3.0 to 3.1 m."""
    cells = np.zeros((40, 50), np.int8)
    if wall:
        cells[:, 30] = 100
    return ObstacleLayer(OccupancyMap(cells, CELL), 0.25, CONFIG)


def reading(metres: float, beam: int = AHEAD) -> NDArray[np.float32]:
    ranges = CLEAR.copy()
    ranges[beam] = metres
    return ranges


def marked(seen: ObstacleLayer, stamp: float = 0.0) -> list[list[int]]:
    cells: list[list[int]] = np.argwhere(seen.occupied(stamp)).tolist()
    return cells


def test_a_return_marks_its_cell() -> None:
    seen = layer()
    seen.update(HERE, reading(1.0), CROSS, 0.0)
    assert marked(seen) == [[20, 30]]
    assert marked(layer()) == []


def test_the_robots_heading_and_the_lidars_mounting_count() -> None:
    turned = ScanGeometry(4, -math.pi, math.pi / 2.0, 0.1, 5.0, mount_x=0.5, mount_yaw=math.pi)
    seen = layer()
    # Heading left, the lidar 0.5 m further on looks backwards: the beam points right to behind.
    seen.update(np.array([2.05, 2.05, math.pi / 2.0]), reading(1.0), turned, 0.0)
    assert marked(seen) == [[15, 20]]


def test_what_the_map_has_marks_nothing() -> None:
    seen = layer(wall=True)
    for distance in (0.9, 1.0, 1.1):  # the map is a cell off, this way or that
        seen.update(HERE, reading(distance), CROSS, 0.0)
    assert marked(seen) == []
    seen.update(HERE, reading(0.8), CROSS, 0.0)
    assert marked(seen) == [[20, 28]]


def test_what_is_too_far_or_no_measurement_marks_nothing() -> None:
    seen = layer()
    for value in (2.1, 0.05, 6.0, math.nan, math.inf, -math.inf, 0.0):
        seen.update(HERE, reading(value), CROSS, 0.0)
    assert marked(seen) == []


def test_beams_that_pass_through_clear_again() -> None:
    seen = layer()
    seen.update(HERE, reading(1.0), CROSS, 0.0)
    for value in (math.nan, 0.8):  # nothing is said about what is 1 m ahead
        seen.update(HERE, reading(value), CROSS, 0.0)
        assert [20, 30] in marked(seen)
    seen.update(HERE, reading(1.8), CROSS, 0.0)
    assert marked(seen) == [[20, 38]]
    seen.update(HERE, CLEAR, CROSS, 0.0)
    assert marked(seen) == []


def test_what_has_not_been_seen_for_long_is_forgotten() -> None:
    seen = layer()
    seen.update(HERE, reading(1.0), CROSS, 100.0)
    assert marked(seen, 110.0) == [[20, 30]]
    assert marked(seen, 110.1) == []
    assert marked(seen, 50.0) == []  # the clock has jumped back


def test_off_the_map_nothing_happens() -> None:
    seen = layer()
    seen.update(np.array([-50.0, 1e12, 1.0]), reading(1.0), CROSS, 0.0)
    assert marked(seen) == []


def test_what_was_seen_where_the_robot_is_now_is_not_there() -> None:
    """A disc of 0.25 m around the middle of a cell: what is 0.3 m away stays."""
    seen = layer()
    for x in (2.45, 2.55):
        seen.update(HERE, reading(x - 2.05), CROSS, 0.0)
    assert marked(seen) == [[20, 24], [20, 25]]
    nothing = np.full(4, np.nan, np.float32)
    seen.update(HERE + np.array([0.2, 0.0, 0.0]), nothing, CROSS, 1.0)
    assert marked(seen) == [[20, 25]]
    seen.update(HERE, reading(0.2), CROSS, 2.0)  # a return of the robot itself
    assert marked(seen) == [[20, 25]]
