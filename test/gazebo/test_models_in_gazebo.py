"""The robot models, scenery and movers in a real gzserver."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.gazebo_lab import PERIOD, PHYSICS, PHYSICS_STEP, GazeboLab

from rl_planner.gazebo.robot_model import TOUCH, RobotModel
from rl_planner.gazebo.scenery import MOVER_MASS, movers_sdf, scenery_sdf, wrench_topic
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.sdf import read_sdf
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.world import World, mover_positions

pytestmark = pytest.mark.gazebo

Floats = NDArray[np.float64]

WORLDS = sorted((Path(__file__).parents[2] / 'worlds').glob('*.sdf'))
NAMES = ['default', 'jackal', 'turtlebot3_burger', 'turtlebot3_waffle']
WORLD = World(
    boxes=np.array([[1.5, 0.3, 0.4, 0.6, 1.2]]),
    circles=np.array([[-0.8, 0.9, 0.25]]),
    walls=np.array([[-2.0, -1.5, 2.0, -1.8], [-2.0, 2.0, -2.0, -1.5]])[:, [2, 3, 0, 1]],
    movers=np.array([[0.3, -1.0, 2.0, -1.0, 0.2, 0.3, 0.4]]),
)


def embedded_scan(world: World, lidar: LidarConfig, pose: Floats) -> Floats:
    """The scan of the embedded simulator from there."""
    simulator = BatchSimulator(RobotConfig(), lidar, pack_worlds([world]), 1, PERIOD)
    simulator.place(np.array([0]), np.array([0]), pose[None])
    return simulator.ranges[0].astype(float)


def velocities(poses: Floats) -> Floats:
    """(n - 1, 2) forward speed and turning rate between poses (n, 3) of every period."""
    moves = np.diff(poses, axis=0)
    moves[:, 2] = np.mod(moves[:, 2] + np.pi, 2.0 * np.pi) - np.pi
    heading = poses[:-1, 2] + moves[:, 2] / 2.0  # of the chord
    forward = moves[:, 0] * np.cos(heading) + moves[:, 1] * np.sin(heading)
    return np.column_stack([forward, moves[:, 2]]) / PERIOD


@pytest.mark.parametrize('name', NAMES)
def test_a_robot_does_as_it_is_told(gazebo_root: str, name: str) -> None:
    robot = RobotModel.read(name, 'gazebo_bridge')
    fastest, quickest = robot.robot.max_linear_vel, robot.robot.max_angular_vel
    with GazeboLab(gazebo_root, robot) as lab:
        start = lab.step(2)[-1]
        np.testing.assert_allclose(lab.step(20)[-1], start, atol=1e-3)  # stands still
        lab.drive(fastest, 0.0)
        v, w = velocities(lab.step(20)[10:]).mean(axis=0)
        assert v == pytest.approx(fastest, rel=0.02)
        assert w == pytest.approx(0.0, abs=0.01)
        lab.drive(0.0, 0.0)
        stopped = lab.step(10)
        np.testing.assert_allclose(velocities(stopped[5:]), 0.0, atol=2e-3)
        for turn in (quickest, -quickest / 2.0):
            lab.drive(0.0, turn)
            w = velocities(lab.step(30)[10:])[:, 1].mean()
            assert w == pytest.approx(turn, rel=0.03)


@pytest.mark.parametrize('name', NAMES)
def test_it_sees_what_the_embedded_simulator_shows(gazebo_root: str, name: str) -> None:
    robot = RobotModel.read(name, 'gazebo_bridge')
    around = (scenery_sdf(WORLD, 'scenery', 0.0, 0.0), movers_sdf(WORLD, 'movers', 0.0, 0.0))
    with GazeboLab(gazebo_root, robot, around, start=(0.2, 0.1, 2.0)) as lab:
        lab.step(2)
        np.testing.assert_allclose(lab.pose, [0.2, 0.1, 2.0], atol=2e-3)
        expected = embedded_scan(WORLD, robot.lidar, lab.pose)
        assert np.isfinite(expected).mean() > 0.5
        same = np.isclose(lab.ranges, expected, rtol=0.0, atol=0.01)
        assert same.mean() > 0.99  # of two that graze an edge one may miss it


def test_what_touches_the_robot_is_seen_however_near(gazebo_root: str) -> None:
    robot = RobotModel.read('turtlebot3_burger', 'gazebo_bridge')
    # the wall is 0.078 m behind the lidar, whose range_min is 0.12 m
    wall = World(boxes=np.array([[-0.135, 0.0, 0.0, 0.05, 2.0]]))
    with GazeboLab(gazebo_root, robot, (scenery_sdf(wall, 'scenery', 0.0, 0.0),)) as lab:
        lab.step()
        assert lab.ranges[180] == pytest.approx(0.078, abs=2e-3)


@pytest.mark.parametrize('name', NAMES)
def test_a_thin_wall_stops_the_footprint_and_nothing_else(gazebo_root: str, name: str) -> None:
    robot = RobotModel.read(name, 'gazebo_bridge')
    front = robot.robot.footprint_length / 2.0 or robot.robot.radius
    side = robot.robot.footprint_width / 2.0 or robot.robot.radius
    world = World(
        walls=np.array([[1.0, 2.0, 1.0, -2.0]]),
        circles=np.array([[0.4, side + 0.06, 0.05]]),  # where a Jackal's wheels pass
    )
    with GazeboLab(gazebo_root, robot, (scenery_sdf(world, 'scenery', 0.0, 0.0),)) as lab:
        lab.step()
        speed = min(robot.robot.max_linear_vel, 1.0)
        lab.drive(speed, 0.0)
        poses = lab.step(round(1.5 / speed / PERIOD))
    # in touch: the wall is within the outline
    assert poses[-1, 0] == pytest.approx(1.0 - front + TOUCH, abs=2e-3)
    assert abs(poses[poses[:, 0] < 0.9 - front, 1]).max() < 5e-3


def test_movers_are_where_the_world_has_them(gazebo_root: str) -> None:
    robot = RobotModel.read('default', 'gazebo_bridge')
    # they cross, and one goes through the pillar; neither comes near the robot
    world = World(
        circles=np.array([[2.0, 1.0, 0.3]]),
        movers=np.array([[1, 1, 3, 1, 0.25, 0.4, 0.0], [2, 0, 2, 2, 0.3, 0.3, 0.5]]),
    )
    around = (scenery_sdf(world, 'scenery', 0.0, 0.0), movers_sdf(world, 'movers', 0.0, 0.0))
    with GazeboLab(gazebo_root, robot, around, start=(-2.0, -2.0, 0.0)) as lab:
        lab.step()
        pushes = [lab.advertise(wrench_topic('movers', number), 'Wrench') for number in range(2)]
        before = [lab.places[f'movers::mover_{number}'] for number in range(2)]
        for period in range(1, 80):
            due = mover_positions(world.movers, PERIOD * period)
            for number, push in enumerate(pushes):
                place = lab.places[f'movers::mover_{number}']
                wanted = (np.append(due[number], place[2]) - place) / PERIOD
                change = wanted - (place - before[number]) / PERIOD
                lab.push(push, MOVER_MASS * change / PHYSICS_STEP)
                before[number] = place
            lab.step()
            lab.wait_for_places()
            places = [lab.places[f'movers::mover_{number}'][:2] for number in range(2)]
            np.testing.assert_allclose(places, due, atol=0.02)


def test_no_robot_pushes_a_mover_off_its_way(gazebo_root: str) -> None:
    robot = RobotModel.read('jackal', 'gazebo_bridge')
    world = World(movers=np.array([[1.5, 0.1, -1.0, 0.1, 0.25, 0.4, 0.0]]))  # at the robot
    with GazeboLab(gazebo_root, robot, (movers_sdf(world, 'movers', 0.0, 0.0),)) as lab:
        lab.step()
        push = lab.advertise(wrench_topic('movers', 0), 'Wrench')
        lab.push(push, np.array([-0.4, 0.0, 0.0]) * MOVER_MASS / PHYSICS_STEP)
        lab.drive(1.0, 0.0)
        lab.step(50)
        assert lab.pose[0] < -0.5  # the robot is pushed back
        place = lab.places['movers::mover_0'][:2]
        assert lab.places_time > 4.0  # the very last may be on its way
        assert place == pytest.approx([1.5 - 0.4 * (lab.places_time - PERIOD), 0.1], abs=0.01)


@pytest.mark.parametrize('path', WORLDS, ids=lambda path: path.stem)
def test_the_packages_worlds_load(gazebo_root: str, path: Path) -> None:
    robot = RobotModel.read('default', 'gazebo_bridge')
    text = path.read_text().replace(f'<world name="{path.stem}">', '<world name="{name}">')
    text = re.sub('<physics.*</physics>', PHYSICS, text, flags=re.DOTALL)
    with GazeboLab(gazebo_root, robot, world=text) as lab:
        lab.step(2)
        world = read_sdf(path)
        resting = replace(world, movers=world.movers * [1, 1, 1, 1, 1, 1, 0])  # as Gazebo has them
        expected = embedded_scan(resting, robot.lidar, lab.pose)
        same = np.isclose(lab.ranges, expected, rtol=0.0, atol=0.01)
        assert same.mean() > 0.99
