"""Robots in a real gzserver: placed, driven, counted; and what happens when it dies."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.processes import children, open_files
from support.server_view import ServerView

from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.simulator import GazeboSimulator
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

PATIENCE_SEC = 120.0

pytestmark = pytest.mark.gazebo

ROOM = World(boxes=np.array([[2.0, 0.0, 0.0, 0.5, 4.0]]))
Make = Callable[..., GazeboSimulator]


@pytest.fixture
def make(gazebo_root: str) -> Iterator[Make]:
    made: list[GazeboSimulator] = []

    def build(robots: int, servers: int) -> GazeboSimulator:
        model = RobotModel.read('default', 'gazebo_bridge')
        made.append(GazeboSimulator(model, robots, servers, root=gazebo_root))
        return made[-1]

    yield build
    for simulator in made:
        simulator.close()


def place(simulator: GazeboSimulator, row: int, episode: Episode) -> None:
    simulator.begin_episode(row, episode)
    wait(simulator, row)


def wait(simulator: GazeboSimulator, row: int) -> None:
    deadline = time.monotonic() + PATIENCE_SEC
    while not simulator.is_placed(row):
        assert time.monotonic() < deadline, simulator._arenas[row]
        time.sleep(0.005)


def ahead(simulator: GazeboSimulator, row: int) -> float:
    """What the beam straight ahead reads."""
    lidar = simulator.lidar
    return float(simulator.ranges[row, round(-lidar.angle_min / lidar.angle_increment)])


def test_a_robot_is_placed_driven_and_measured(make: Make) -> None:
    simulator = make(1, 1)
    place(simulator, 0, Episode(ROOM, (-1.0, 0.5, 0.0), (0.0, 0.0)))
    assert simulator.odometry[0] == pytest.approx([-1.0, 0.5, 0.0], abs=0.02)
    assert ahead(simulator, 0) == pytest.approx(2.75, abs=0.03)  # the box begins at x = 1.75
    rows = np.array([0])
    for _ in range(20):
        simulator.step(np.array([[0.4, 0.0]]), rows)
    # 0.25 m/s in the first period (2.5 m/s2), then 0.4 m/s: 0.785 m
    assert simulator.odometry[0, 0] == pytest.approx(-0.215, abs=0.04)
    # A pose may be one of ten physics steps early: 10 %.
    assert simulator.measured_velocities[0] == pytest.approx([0.4, 0.0], abs=0.05)
    before = simulator.odometry[0, 2]
    for _ in range(10):
        simulator.step(np.array([[0.0, 1.0]]), rows)
    # 0.32, 0.64, 0.96, 1 rad/s ...: 0.892 rad, to the left
    assert simulator.odometry[0, 2] - before == pytest.approx(0.892, abs=0.08)


def test_what_touches_a_box_stays_outside_of_it(make: Make) -> None:
    simulator = make(1, 1)
    place(simulator, 0, Episode(ROOM, (1.2, 0.0, 0.0), (0.0, 0.0)))
    for _ in range(40):
        simulator.step(np.array([[0.5, 0.0]]), np.array([0]))
    assert simulator.odometry[0, 0] < 1.75 - simulator.robot.radius + 0.03


def test_robots_of_one_server_do_not_meet_and_rest_by_turns(make: Make) -> None:
    simulator = make(2, 1)
    for row in (0, 1):
        place(simulator, row, Episode(ROOM, (0.0, 0.0, 0.0), (0.0, 0.0)))
    before = simulator.odometry[1].copy()
    for _ in range(10):
        simulator.step(np.array([[0.4, 0.0], [0.4, 0.0]]), np.array([0]))
    assert simulator.odometry[0, 0] > 0.3
    assert simulator.odometry[1] == pytest.approx(before, abs=0.01)
    assert ahead(simulator, 1) == pytest.approx(1.75, abs=0.03)


def test_fifty_episodes_leave_nothing_behind(make: Make, gazebo_root: str) -> None:
    simulator = make(1, 1)
    (stage,) = simulator._stages
    pid, rng = stage.server.pid, np.random.default_rng(0)
    inside = ServerView(stage.server, simulator._loop, gazebo_root)
    for index in range(50):
        moving = np.array(
            [[2.0, -1.0, 2.0, 1.0, 0.2, 0.4, 0.0], [-2.0, -1.0, -2.0, 1, 0.2, 0.4, 0]]
        )
        movers = moving if index % 3 == 2 else np.empty((0, 7))
        world = ROOM if index % 3 < 2 else World(boxes=ROOM.boxes.copy(), movers=movers)
        x, y, yaw = rng.uniform(-1.0, 1.0, 3).tolist()
        place(simulator, 0, Episode(world, (x, y, yaw), (0.0, 0.0)))
        assert simulator.odometry[0] == pytest.approx([x, y, yaw], abs=0.03)
        for _ in range(3):
            simulator.step(np.array([[0.3, 0.5]]), np.array([0]))
        if index == 1:
            topics, descriptors = inside.topics(), open_files(os.getpid())
        if index == 8:  # all that is made once has been made
            memory, threads = inside.resident_mb(), inside.threads()
    place(simulator, 0, Episode(ROOM, (0.0, 0.0, 0.0), (0.0, 0.0)))
    kinds = [name.rstrip('0123456789_') for name in inside.models()]
    assert sorted(kinds) == ['floor', 'robot', 'scenery']
    assert inside.topics() <= topics
    assert open_files(os.getpid()) <= descriptors
    assert children(pid) == []
    assert inside.threads() <= threads
    assert inside.resident_mb() < memory + 10.0  # 1 MB here
    inside.close()
    folder = stage.server.folder
    simulator.close()
    assert not folder.exists()
    assert not Path(f'/proc/{pid}').exists()


def test_a_killed_server_is_started_again_and_the_others_go_on(make: Make) -> None:
    simulator = make(2, 2)
    for row in (0, 1):
        place(simulator, row, Episode(ROOM, (-1.0, 0.0, 0.0), (0.0, 0.0)))
    commands, both = np.full((2, 2), [0.3, 0.0]), np.array([0, 1])
    for _ in range(5):
        simulator.step(commands, both)
    os.kill(simulator._stages[0].server.pid, signal.SIGKILL)
    other = simulator.odometry[1, 0]
    simulator.step(commands, both)
    assert simulator.restarts.tolist() == [1, 0]
    assert simulator.odometry[1, 0] > other
    wait(simulator, 0)
    assert simulator.odometry[0] == pytest.approx([-1.0, 0.0, 0.0], abs=0.02)
    assert simulator.is_placed(1)


def test_a_server_killed_within_a_step_is_noticed_and_the_others_arrive(make: Make) -> None:
    simulator = make(2, 2)
    for row in (0, 1):
        place(simulator, row, Episode(ROOM, (-1.0, 0.0, 0.0), (0.0, 0.0)))
    first, second = simulator._stages
    begin = first.begin_step

    def begin_and_die(steps: int) -> None:
        os.kill(first.server.pid, signal.SIGSTOP)  # it takes no step, so that it dies in one
        begin(steps)
        threading.Timer(0.2, os.kill, (first.server.pid, signal.SIGKILL)).start()

    first.begin_step = begin_and_die  # type: ignore[method-assign]
    simulator.step(np.full((2, 2), [0.25, 0.0]), np.array([0, 1]))
    assert simulator.restarts.tolist() == [1, 0]
    assert simulator._stages[0] is not first
    assert simulator._stages[1] is second
    # 0.25 m/s for a period of 0.1 s
    assert simulator.odometry[1] == pytest.approx([-0.975, 0.0, 0.0], abs=0.02)
    wait(simulator, 0)
    assert simulator.odometry[0] == pytest.approx([-1.0, 0.0, 0.0], abs=0.02)


@pytest.mark.parametrize('what', ['drive', 'scan'])
def test_a_lost_connection_is_noticed_though_the_server_lives(
    make: Make, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr('rl_planner.gazebo.simulator.STEP_TIMEOUT_SEC', np.inf)
    simulator = make(1, 1)
    place(simulator, 0, Episode(ROOM, (-1.0, 0.0, 0.0), (0.0, 0.0)))
    (stage,) = simulator._stages
    commands, rows = np.array([[0.3, 0.0]]), np.array([0])
    simulator.step(commands, rows)
    if what == 'drive':
        lost = stage._drives['robot_0']._connections
    else:
        topic = stage.server.topic(stage._model.scan_topic('robot_0'))
        lost = list(stage.server.transport._subscriptions[topic].connections.values())
    for connection in lost:
        connection.close()
    simulator.step(commands, rows)
    assert simulator.restarts.tolist() == [1]
    wait(simulator, 0)
    assert simulator.odometry[0] == pytest.approx([-1.0, 0.0, 0.0], abs=0.02)


def test_movers_go_where_the_embedded_simulator_has_them(make: Make) -> None:
    # From (1.5, -1) to (1.5, 1) at 0.4 m/s; a robot at the origin sees it pass ahead.
    world = World(movers=np.array([[1.5, -1.0, 1.5, 1.0, 0.2, 0.4, 0.0]]))
    simulator = make(1, 1)
    place(simulator, 0, Episode(world, (0.0, 0.0, 0.0), (0.0, 0.0)))
    assert ahead(simulator, 0) == np.inf
    for _ in range(25):
        simulator.step(np.array([[0.0, 0.01]]), np.array([0]))
    assert ahead(simulator, 0) == pytest.approx(1.3, abs=0.05)
