"""Planar frames and quaternions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.navigation.geometry import (
    quaternion_from_yaw,
    to_robot_frame,
    yaw_from_quaternion,
)

METRES = st.floats(-50.0, 50.0)
YAW = st.floats(-10.0, 10.0)


@pytest.mark.parametrize(
    ('yaw', 'expected'),
    [
        (0.0, (3.0, 4.0)),
        (math.pi / 2.0, (4.0, -3.0)),  # facing +y: the point's +x is on the right
        (math.pi, (-3.0, -4.0)),
        (-math.pi / 2.0, (-4.0, 3.0)),
    ],
)
def test_a_point_3_east_and_4_north_of_the_robot(yaw: float, expected: tuple[float, float]) -> None:
    assert to_robot_frame(1.0, 2.0, yaw, 4.0, 6.0) == pytest.approx(expected, abs=1e-12)


@given(x=METRES, y=METRES, yaw=YAW, forward=METRES, left=METRES)
def test_to_robot_frame_undoes_a_pose(
    x: float, y: float, yaw: float, forward: float, left: float
) -> None:
    # a point given in the robot frame, placed in the world with complex numbers
    world = complex(x, y) + complex(forward, left) * complex(math.cos(yaw), math.sin(yaw))
    seen = to_robot_frame(x, y, yaw, world.real, world.imag)
    assert seen == pytest.approx((forward, left), abs=1e-9)


def test_arrays_are_floats_in_bulk() -> None:
    rng = np.random.default_rng(1)
    columns = rng.uniform(-5.0, 5.0, (5, 7))
    forward, left = to_robot_frame(*columns)
    for index, (x, y, yaw, world_x, world_y) in enumerate(columns.T.tolist()):
        one = to_robot_frame(x, y, yaw, world_x, world_y)
        assert (forward[index], left[index]) == pytest.approx(one)


@pytest.mark.parametrize(
    ('yaw', 'quaternion'),
    [
        (0.0, (0.0, 0.0, 0.0, 1.0)),
        (math.pi / 2.0, (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))),
        (math.pi, (0.0, 0.0, 1.0, 0.0)),
    ],
)
def test_a_yaw_as_a_quaternion(yaw: float, quaternion: tuple[float, float, float, float]) -> None:
    assert quaternion_from_yaw(yaw) == pytest.approx(quaternion, abs=1e-12)


@given(YAW)
def test_a_yaw_survives_the_round_trip(yaw: float) -> None:
    back = yaw_from_quaternion(*quaternion_from_yaw(yaw))
    assert -math.pi <= back <= math.pi
    assert math.cos(back - yaw) == pytest.approx(1.0, abs=1e-12)


@given(*[st.floats(-1.0, 1.0)] * 4)
def test_the_yaw_of_a_tilted_rotation_is_where_its_x_axis_points(
    qx: float, qy: float, qz: float, qw: float
) -> None:
    norm = math.sqrt(qx * qx + qy * qy + qz * qz + qw * qw)
    if norm < 0.1:
        return
    x, y, z, w = (part / norm for part in (qx, qy, qz, qw))
    # q i q*, worked out in full: where (1, 0, 0) goes
    forward = w * w + x * x - y * y - z * z, 2.0 * (x * y + w * z)
    if math.hypot(*forward) < 1e-3:
        return  # straight up or down: no heading
    yaw = yaw_from_quaternion(x, y, z, w)
    assert math.cos(yaw - math.atan2(forward[1], forward[0])) == pytest.approx(1.0, abs=1e-9)
