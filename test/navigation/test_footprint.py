"""The robot's outline, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.footprint import Footprint, point_clearance

DISC = Footprint.of(RobotConfig(radius=0.2))
CAR = Footprint.of(RobotConfig(radius=0.5, footprint_length=0.8, footprint_width=0.6))


@pytest.mark.parametrize(
    ('x', 'y', 'clearance'),
    [(1.0, 0.0, 0.8), (0.0, -0.2, 0.0), (0.3, 0.4, 0.3), (0.0, 0.0, -0.2), (-0.1, 0.0, -0.1)],
)
def test_a_disc(x: float, y: float, clearance: float) -> None:
    assert point_clearance(x, y, DISC) == pytest.approx(clearance)


@pytest.mark.parametrize(
    ('x', 'y', 'clearance'),
    [
        (1.0, 0.1, 0.6),  # ahead of the front
        (-0.1, 0.7, 0.4),  # beside
        (0.7, 0.7, 0.5),  # off a corner: 0.3 and 0.4
        (-0.7, -0.7, 0.5),
        (0.4, 0.0, 0.0),  # on the front
        (0.3, 0.0, -0.1),  # inside, the front is nearest
        (0.0, 0.2, -0.1),  # inside, a side is nearest
        (0.0, 0.0, -0.3),
    ],
)
def test_a_rectangle(x: float, y: float, clearance: float) -> None:
    assert point_clearance(x, y, CAR) == pytest.approx(clearance)


def test_many_points_at_once() -> None:
    x, y = np.array([[1.0, 0.7], [0.0, 0.4]]), np.array([[0.1, 0.7], [0.0, 0.0]])
    np.testing.assert_allclose(point_clearance(x, y, CAR), [[0.6, 0.5], [-0.3, 0.0]], atol=1e-12)


def test_the_inscribed_radius() -> None:
    assert RobotConfig(radius=0.3).inscribed_radius == 0.3
    car = RobotConfig(radius=0.5, footprint_length=0.8, footprint_width=0.6)
    assert car.inscribed_radius == pytest.approx(0.3)
    assert car.radius == pytest.approx(math.hypot(0.4, 0.3))
