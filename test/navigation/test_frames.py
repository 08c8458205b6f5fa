"""Planar transforms, and the mounting of a lidar, against rotation matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.navigation.config import ConfigError, LidarConfig
from rl_planner.navigation.frames import FrameError, Transform, mounted
from rl_planner.navigation.geometry import quaternion_from_yaw
from rl_planner.navigation.observation import ScanGeometry

METRES = st.floats(-50.0, 50.0)
YAW = st.floats(-3.0, 3.0)
LEVEL = (0.0, 0.0, 0.0, 1.0)


def about(axis: Any, angle: float) -> tuple[float, float, float, float]:
    """Quaternion of a turn about an axis of length 1."""
    x, y, z = np.sin(0.5 * angle) * np.asarray(axis, float)
    return float(x), float(y), float(z), math.cos(0.5 * angle)


def after(q: Any, p: Any) -> tuple[float, float, float, float]:
    """Quaternion of the turn `p` followed by `q`, about fixed axes."""
    (x1, y1, z1, w1), (x2, y2, z2, w2) = q, p
    return (
        w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
        w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
        w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
    )


def test_a_map_that_is_turned_and_shifted_against_odometry() -> None:
    """A quarter turn takes 2 m ahead to 2 m left; then 10 m ahead and 1 m to the right."""
    transform = Transform.of((10.0, -1.0, 0.3), quaternion_from_yaw(math.pi / 2.0))
    assert transform == pytest.approx((10.0, -1.0, math.pi / 2.0))
    assert transform.apply(2.0, 0.0) == pytest.approx((10.0, 1.0))
    assert transform.apply(0.0, 3.0) == pytest.approx((7.0, -1.0))


@given(x=METRES, y=METRES, yaw=YAW, px=METRES, py=METRES)
def test_points_are_turned_and_moved(x: float, y: float, yaw: float, px: float, py: float) -> None:
    there = complex(x, y) + complex(px, py) * complex(math.cos(yaw), math.sin(yaw))
    transform = Transform.of((x, y, 0.0), quaternion_from_yaw(yaw))
    assert transform.apply(px, py) == pytest.approx((there.real, there.imag), abs=1e-9)


@pytest.mark.parametrize(
    ('translation', 'rotation', 'message'),
    [
        ((math.nan, 0.0, 0.0), LEVEL, 'must be finite'),
        ((0.0, 0.0, 0.0), (0.0, 0.0, math.inf, 1.0), 'must be finite'),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), 'must be of length 1'),
    ],
)
def test_what_is_no_transform_is_refused(translation: Any, rotation: Any, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        Transform.of(translation, rotation)
    with pytest.raises(FrameError, match=message):
        mounted(LidarConfig(), translation, rotation)


X, Y, Z = np.eye(3)
MOUNTINGS = {
    'upright': (LEVEL, 0.0, False),
    'looking back': (about(Z, math.pi), math.pi, False),
    'looking left': (about(Z, 0.5 * math.pi), 0.5 * math.pi, False),
    'rolled over': (about(X, math.pi), 0.0, True),
    'pitched over': (about(Y, math.pi), math.pi, True),
    'rolled over, looking left': (
        after(about(Z, 0.5 * math.pi), about(X, math.pi)),
        0.5 * math.pi,
        True,
    ),
    'nose down a little': (about(Y, 0.05), 0.0, False),
}


@pytest.mark.parametrize('name', MOUNTINGS)
def test_the_mounting_of_a_lidar(name: str) -> None:
    rotation, yaw, inverted = MOUNTINGS[name]
    lidar = mounted(LidarConfig(num_beams=7), (0.1, -0.2, 0.5), rotation)
    assert (lidar.num_beams, lidar.mount_x, lidar.mount_y) == (7, 0.1, -0.2)
    assert lidar.mount_inverted is inverted
    assert abs(math.remainder(lidar.mount_yaw - yaw, 2.0 * math.pi)) < 1e-9


@given(yaw=YAW, over=st.booleans())
def test_beams_point_where_the_rotation_takes_them(yaw: float, over: bool) -> None:
    """R (cos a, sin a, 0) of every beam, R = Rz(yaw), after Rx(pi) where it is upside down."""
    rotation = after(about(Z, yaw), about(X, math.pi)) if over else about(Z, yaw)
    lidar = mounted(LidarConfig(num_beams=5), (0.0, 0.0, 0.0), rotation)
    angles = lidar.angle_min + lidar.angle_increment * np.arange(5)
    upright = np.stack([np.cos(angles), -np.sin(angles) if over else np.sin(angles)])
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    beams = ScanGeometry.of(lidar).beam_angles()
    np.testing.assert_allclose([np.cos(beams), np.sin(beams)], turn @ upright, atol=1e-9)


def test_a_tilted_lidar_is_refused() -> None:
    with pytest.raises(FrameError, match='at most 10 degrees, got 20 degrees'):
        mounted(LidarConfig(), (0.0, 0.0, 0.0), about(Y, math.radians(20.0)))
    with pytest.raises(FrameError, match='got 90 degrees'):
        mounted(LidarConfig(), (0.0, 0.0, 0.0), about(X, math.radians(90.0)))


def test_a_lidar_too_far_from_its_robot_is_refused() -> None:
    with pytest.raises(ConfigError, match='mount_x must be'):
        mounted(LidarConfig(), (60.0, 0.0, 0.0), LEVEL)
