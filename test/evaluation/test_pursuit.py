from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.evaluation.pursuit import Rules, drive
from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.kinematics import Limits

Points = list[tuple[float, float]]

DISC = RobotConfig()  # 0.5 m/s, 1.5 rad/s, 2.5 m/s2, 3.2 rad/s2, radius 0.17 m
CAR = RobotConfig(radius=0.27, footprint_length=0.4, footprint_width=0.3, min_linear_vel=-0.5)
RULES = Rules(
    control_period=0.1,
    desired_linear_vel=0.5,
    lookahead_time=0.8,
    min_lookahead_dist=0.25,
    max_lookahead_dist=1.2,
    regulated_linear_scaling_min_radius=0.5,
    regulated_linear_scaling_min_speed=0.15,
    cost_scaling_dist=0.2,
    cost_scaling_gain=1.0,
    rotate_to_heading_min_angle=0.785,
    collision_margin=0.05,
    backup_speed=0.3,
)


def straight(angle: float = 0.0, apart: float = 0.13, count: int = 20) -> NDArray[np.float64]:
    """A path from the origin."""
    return apart * np.arange(count)[:, None] * [math.cos(angle), math.sin(angle)]


def command(
    path: NDArray[np.float64],
    points: Points | NDArray[np.float64] = (),
    robot: RobotConfig = DISC,
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0),
    speed: float = 0.0,
    stuck: bool = False,
) -> tuple[float, float]:
    """Of one robot that has obstacles at `points`, in its frame."""
    near, out = np.array(points, float).reshape(1, -1, 2), np.empty((1, 2))
    drive(
        np.zeros(1, np.int64),
        np.array([pose]),
        np.array([[speed, 0.0]]),
        path[None],
        np.array([len(path)]),
        np.zeros(1, np.int64),
        np.array([stuck]),
        near,
        np.array([near.shape[1]]),
        Limits.of(robot),
        Footprint.of(robot),
        RULES,
        out,
    )
    return float(out[0, 0]), float(out[0, 1])


def test_a_free_straight_path_is_driven_at_full_speed() -> None:
    assert command(straight()) == pytest.approx((0.5, 0.0))


def test_it_steers_along_the_arc_to_the_path() -> None:
    """To (0.26, 30 degrees): curvature 2 sin(30) / 0.26, and speed by radius 0.26 m of 0.5."""
    assert command(straight(math.pi / 6.0)) == pytest.approx((0.26, 1.0))
    assert command(straight(-math.pi / 6.0)) == pytest.approx((0.26, -1.0))


def test_the_faster_the_farther_it_looks_ahead() -> None:
    """At 0.5 m/s to 0.4 m: the point at 0.52 m; radius 0.52 m is no tight curve."""
    assert command(straight(math.pi / 6.0), speed=0.5) == pytest.approx((0.5, 0.5 / 0.52))


def test_it_follows_the_path_from_where_it_is() -> None:
    """0.1 m right of it and looking along it: to the left."""
    v, w = command(straight(), pose=(1.0, -0.1, 0.0))
    assert v > 0.15
    assert w > 0.2
    assert command(straight(math.pi / 2.0), pose=(0.0, 1.0, math.pi / 2.0)) == pytest.approx(
        (0.5, 0.0)
    )


@pytest.mark.parametrize(('angle', 'w'), [(3.0, 1.5), (-3.0, -1.5)])
def test_it_turns_on_the_spot_to_a_path_behind_it(angle: float, w: float) -> None:
    assert command(straight(angle)) == pytest.approx((0.0, w))


def test_it_stops_turning_in_time() -> None:
    """0.8 rad off: w T + w^2 / 2a = 0.8 with T 0.1 s and a 3.2 rad/s2 is beyond its 1.5 rad/s;
    with 0.8 rad/s2 w is 0.8 x (sqrt(0.01 + 2) - 0.1)."""
    slow = RobotConfig(max_angular_accel=0.8)
    assert command(straight(0.8)) == pytest.approx((0.0, 1.5))
    assert command(straight(0.8), robot=slow)[1] == pytest.approx(1.0542, abs=1e-4)


def test_it_slows_down_beside_an_obstacle() -> None:
    """0.27 m to the left is 0.1 m from its edge, half of 0.2."""
    assert command(straight(), [(0.0, 0.27)])[0] == pytest.approx(0.25)


def test_it_does_not_drive_at_a_wall_within_its_margin() -> None:
    wall = [(0.22, 0.02 * k) for k in range(-20, 21)]
    assert command(straight(), wall, speed=0.5)[0] == 0.0
    assert command(straight(), wall, robot=RobotConfig(radius=0.1), speed=0.5)[0] > 0.1


@given(st.floats(0.23, 2.0), st.floats(0.0, 0.5))
@settings(max_examples=50, deadline=None)
def test_it_can_always_stop_before_a_wall(distance: float, speed: float) -> None:
    """Driving on for 0.1 s and braking at 2.5 m/s2 leaves its margin."""
    v, _ = command(straight(), [(distance, 0.02 * k) for k in range(-20, 21)], speed=speed)
    assert 0.1 * v + v * v / 5.0 <= distance - 0.17 - 0.05 + 1e-9


def test_it_drives_to_the_end_of_the_path() -> None:
    """0.05 m before it: v x 0.1 + v^2 / 5 = 0.05 at 0.309 m/s."""
    assert command(np.array([[0.05, 0.0]]))[0] == pytest.approx(0.3090, abs=1e-4)


def test_without_a_path_it_stands() -> None:
    assert command(np.empty((0, 2))) == (0.0, 0.0)


def test_an_arc_that_is_not_free_is_cut_shorter() -> None:
    """Around a corner to the left, at (0.56, 0): at speed it would cut it, to (0.56, 0.48). With
    something there it looks ahead by 0.7 of 0.72 m only, to a point straight ahead."""
    ahead = [[0.04 * k, 0.0] for k in range(15)]
    path = np.array(ahead + [[0.56, 0.04 * k] for k in range(1, 20)])
    cut = 2.0 * 0.48 / (0.56**2 + 0.48**2)
    assert command(path, speed=0.9) == pytest.approx((0.5, 0.5 * cut))
    assert command(path, [(0.36, 0.26), (0.36, 0.3)], speed=0.9) == pytest.approx((0.5, 0.0))


def test_a_rectangle_fits_through_a_gap_that_is_narrower_than_its_circle() -> None:
    gap = [(0.02 * k, side * 0.22) for k in range(50) for side in (-1.0, 1.0)]
    assert command(straight(), gap, robot=CAR)[0] > 0.1
    assert command(straight(), gap, robot=RobotConfig(radius=0.27))[0] == 0.0


def test_a_rectangle_does_not_turn_into_what_is_beside_it() -> None:
    beside = [(0.15, 0.22), (-0.15, -0.22)]
    assert command(straight(2.0), beside, robot=CAR) == (0.0, 0.0)
    assert command(straight(-2.0), beside, robot=CAR) == pytest.approx((0.0, -1.5))


def test_a_stuck_robot_backs_up_if_it_can() -> None:
    assert command(straight(), robot=CAR, stuck=True) == (-0.3, 0.0)
    assert command(straight(), robot=DISC, stuck=True) == pytest.approx((0.0, 1.5))


def test_a_stuck_robot_does_not_back_up_into_what_is_behind() -> None:
    """0.02 m behind it, where its corners would sweep as well; at its left corner, which moves back
    and inward if it turns left, it turns right."""
    assert command(straight(), [(-0.22, 0.0)], robot=CAR, stuck=True) == (0.0, 0.0)
    left_corner = [(-0.22, 0.14)]
    assert command(straight(), left_corner, robot=CAR, stuck=True) == pytest.approx((0.0, -1.5))


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_it_never_asks_for_more_than_the_robot_can(seed: int, stuck: bool, car: bool) -> None:
    rng, robot = np.random.default_rng(seed), CAR if car else DISC
    path = np.cumsum(rng.uniform(-0.1, 0.1, (30, 2)), axis=0)
    points, speed = rng.uniform(-1.0, 1.0, (10, 2)), float(rng.uniform(-0.5, 0.5))
    v, w = command(path, points, robot, (0.0, 0.0, 1.0), speed, stuck)
    assert robot.min_linear_vel <= v <= robot.max_linear_vel
    assert abs(w) <= robot.max_angular_vel + 1e-9
