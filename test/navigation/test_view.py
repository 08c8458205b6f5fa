"""What a user is shown, by hand geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.navigation.footprint import Footprint, point_clearance
from rl_planner.navigation.view import outline, placed, sector_lines

QUARTERS = ObservationConfig(num_sectors=4, range_clip=2.0)


def test_a_sector_is_a_line_at_its_nearest_return() -> None:
    # Of four sectors from straight behind on, the third one is from ahead to the left.
    lines = sector_lines(np.array([0.0, 0.0, 0.75, 0.0]), QUARTERS)
    assert lines == pytest.approx(np.array([[(0.5, 0.0), (0.0, 0.5)]]), abs=1e-12)


def test_clear_sectors_are_not_shown() -> None:
    assert sector_lines(np.zeros(4), QUARTERS).shape == (0, 2, 2)


def test_what_touches_is_at_the_robot() -> None:
    lines = sector_lines(np.array([1.0, 0.0, 0.0, 0.5], np.float32), QUARTERS)
    assert lines[0] == pytest.approx(0.0)
    assert lines[1] == pytest.approx(np.array([(0.0, 1.0), (-1.0, 0.0)]), abs=1e-12)


def test_a_rectangle_has_four_corners() -> None:
    robot = RobotConfig(radius=0.3, footprint_length=0.4, footprint_width=0.2)
    points = outline(Footprint.of(robot))
    corners = [(0.2, 0.1), (-0.2, 0.1), (-0.2, -0.1), (0.2, -0.1), (0.2, 0.1)]
    assert points == pytest.approx(np.array(corners))


def test_a_disc_is_round() -> None:
    points = outline(Footprint.of(RobotConfig(radius=0.25)))
    assert np.hypot(*points.T) == pytest.approx(0.25)
    assert points[0].tolist() == points[-1].tolist()
    assert len(points) == 25


def test_round_corners_are_on_the_edge_too() -> None:
    footprint = Footprint(0.2, 0.1, 0.05)
    points = outline(footprint)
    assert point_clearance(*points.T, footprint) == pytest.approx(0.0, abs=1e-12)


def test_points_are_placed_where_the_robot_is() -> None:
    points = np.array([[(1.0, 0.0), (0.0, 2.0)]])
    there = placed(points, (3.0, 4.0, math.pi / 2.0))
    assert there == pytest.approx(np.array([[(3.0, 5.0), (1.0, 4.0)]]))
