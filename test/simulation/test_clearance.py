"""Clearances of discs and rectangles against outlines sampled point by point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.footprint import Footprint
from rl_planner.simulation.clearance import Shape, measure, move
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.world import FloatArray, World, mover_positions

DISC = RobotConfig(radius=0.3)
CAR = RobotConfig(radius=0.5, footprint_length=0.8, footprint_width=0.6)
Pose = tuple[float, float, float]


def clearance(robot: RobotConfig, world: World, pose: Pose = (0.0, 0.0, 0.0)) -> float:
    rows, obstacles = np.zeros(1, np.int64), pack_worlds([world])
    moving, out = np.zeros((1, obstacles.movers.shape[2], 3), np.float32), np.zeros(1)
    move(rows, np.zeros(1), rows, obstacles, moving)
    shape = Shape.of(Footprint.of(robot))
    measure(rows, np.array([pose]), rows, obstacles, moving, shape, out)
    return float(out[0])


def wall(x0: float, y0: float, x1: float, y1: float) -> World:
    return World(walls=np.array([[x0, y0, x1, y1]]))


@pytest.mark.parametrize(
    ('world', 'expected'),
    [
        (wall(1.0, -2.0, 1.0, 2.0), 0.6),  # a wall ahead of the front
        (wall(-2.0, 0.5, 2.0, 0.5), 0.2),  # along the left side
        (wall(0.9, 0.1, 2.0, 0.1), 0.5),  # an end that points at the front
        (wall(0.4 + 0.3, 2.0, 0.4 + 0.3, 0.3 + 0.4), 0.5),  # an end off the front left corner
        (wall(0.0, 1.0, 1.1, 0.0), None),  # past the front left corner, slanting
        (wall(0.35, -2.0, 0.35, 2.0), -0.05),  # 5 cm into the front
        (wall(0.3, 0.0, 2.0, 0.0), -0.1),  # an end 10 cm deep
        (World(circles=np.array([[0.7, 0.7, 0.2]])), 0.3),
        (World(circles=np.array([[0.0, 0.0, 0.1]])), -0.4),  # in the middle of the robot
        (World(movers=np.array([[1.0, 0.0, 2.0, 0.0, 0.25, 0.5, 0.0]])), 0.35),
    ],
)
def test_a_rectangle_by_hand(world: World, expected: float | None) -> None:
    if expected is None:  # from the corner (0.4, 0.3) to the line x / 1.1 + y = 1
        expected = (1.0 - 0.4 / 1.1 - 0.3) / math.hypot(1.0 / 1.1, 1.0)
    assert clearance(CAR, world) == pytest.approx(expected, abs=1e-5)


def test_a_rectangle_turns_with_the_robot() -> None:
    ahead = wall(1.0, -2.0, 1.0, 2.0)
    assert clearance(CAR, ahead, (0.0, 0.0, math.pi / 2.0)) == pytest.approx(0.7, abs=1e-5)
    assert clearance(CAR, ahead, (0.2, 3.0, 0.0)) == pytest.approx(math.hypot(0.4, 0.7), abs=1e-5)


def outline(robot: RobotConfig, pose: Pose, count: int = 120) -> FloatArray:
    """(n, 2) points on the robot's edge, at most 2 cm apart."""
    share = np.linspace(-1.0, 1.0, count)
    if robot.footprint_length:
        a, b = 0.5 * robot.footprint_length, 0.5 * robot.footprint_width
        one = np.ones(count)
        x = np.concatenate([a * share, a * share, a * one, -a * one])
        y = np.concatenate([b * one, -b * one, b * share, b * share])
    else:
        x, y = robot.radius * np.cos(math.pi * share), robot.radius * np.sin(math.pi * share)
    c, s = math.cos(pose[2]), math.sin(pose[2])
    return np.stack([pose[0] + c * x - s * y, pose[1] + s * x + c * y], axis=-1)


def obstacle_points(world: World) -> FloatArray:
    """(n, 2) points on the edges of all obstacles, at time zero."""
    discs = np.concatenate(
        [world.circles, np.column_stack([mover_positions(world.movers, 0.0), world.movers[:, 4]])]
    )
    turns = np.linspace(0.0, 2.0 * math.pi, 200)[:, None, None]
    rims = discs[:, :2] + discs[:, 2:] * np.concatenate([np.cos(turns), np.sin(turns)], axis=2)
    shares = np.linspace(0.0, 1.0, 200)[:, None, None]
    edges = world.segments[:, :2] + shares * (world.segments[:, 2:] - world.segments[:, :2])
    return np.concatenate([rims.reshape(-1, 2), edges.reshape(-1, 2)])


def inside_robot(robot: RobotConfig, pose: Pose, points: FloatArray) -> NDArray[np.bool_]:
    x, y = (points - pose[:2]).T
    if not robot.footprint_length:
        return np.asarray(np.hypot(x, y) < robot.radius)
    c, s = math.cos(pose[2]), math.sin(pose[2])
    ahead, left = np.abs(c * x + s * y), np.abs(c * y - s * x)
    within = (ahead < 0.5 * robot.footprint_length) & (left < 0.5 * robot.footprint_width)
    return np.asarray(within)


PLACE, TURN = st.floats(-2.0, 2.0), st.floats(-3.2, 3.2)
WALLS = st.lists(st.tuples(PLACE, PLACE, PLACE, PLACE), max_size=4)
CIRCLES = st.lists(st.tuples(PLACE, PLACE, st.floats(0.05, 0.5)), max_size=4)
WORLDS = st.builds(
    lambda walls, circles: World(walls=np.array(walls), circles=np.array(circles)), WALLS, CIRCLES
).filter(lambda world: len(world.walls) + len(world.circles) > 0)


@settings(deadline=None)
@given(world=WORLDS, x=PLACE, y=PLACE, yaw=TURN, robot=st.sampled_from([DISC, CAR]))
def test_against_sampled_outlines(
    world: World, x: float, y: float, yaw: float, robot: RobotConfig
) -> None:
    pose = (x, y, yaw)
    measured = clearance(robot, world, pose)
    obstacles, edge = obstacle_points(world), outline(robot, pose)
    gaps = np.hypot(*(obstacles[:, None] - edge[None]).transpose(2, 0, 1)).min()
    if inside_robot(robot, pose, obstacles).any():
        assert measured <= 1e-4
    elif measured >= 0.0:  # else the robot's edge is within a disc, or crosses between samples
        assert measured == pytest.approx(gaps, abs=0.02)
    else:
        discs = np.hypot(*(edge[:, None] - world.circles[None, :, :2]).transpose(2, 0, 1))
        assert gaps < 0.02 or (discs < world.circles[:, 2]).any()
