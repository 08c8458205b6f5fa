"""Robots that turn while their lidars do: each beam is measured where the robot is by then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.safety import Safety, SafetyConfig
from rl_planner.navigation.step import Sensed
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.world import World

COUNT, POLES, SIZE = 100, 40, 2.5
TICK, PERIOD = 0.02, 0.2  # of the base; a turn of the lidar, and a control period (s)
ROBOT = RobotConfig(
    radius=0.3,
    max_linear_vel=1.0,
    max_angular_vel=1.5,
    max_linear_accel=2.5,
    max_angular_accel=5.0,
)
LIDAR = LidarConfig(num_beams=360, angle_min=0.0, range_max=8.0)  # its seam is ahead
SECTORS = np.array_split(np.arange(LIDAR.num_beams), round(PERIOD / TICK))


def poles(rng: np.random.Generator) -> World:
    """Thin ones, and room for a robot in the middle."""
    places = rng.uniform(-SIZE, SIZE, (10 * POLES, 2))
    places = places[np.hypot(*places.T) > ROBOT.radius + 0.1][:POLES]
    return World(circles=np.column_stack([places, np.full(POLES, 0.02)]))


class AnyTurn:
    """A policy: full speed ahead, and any turn for some steps."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng, self._left = rng, np.zeros(COUNT, np.int64)
        self._actions = np.ones((COUNT, 2), np.float32)

    def act(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        self._left -= 1
        new = self._left <= 0
        self._actions[new, 1] = self._rng.uniform(-1.0, 1.0, new.sum())
        self._left[new] = self._rng.integers(1, 12, new.sum())
        return self._actions[: len(observations)].copy()


def touching(is_turning: bool, duration: float) -> int:
    """How many robots touch a pole within 8 s; what the pilot is told of the lidar (s)."""
    rng, scan = np.random.default_rng(0), ScanGeometry.of(LIDAR)
    worlds = pack_worlds([poles(rng) for _ in range(COUNT)])
    simulator = BatchSimulator(ROBOT, LIDAR, worlds, COUNT, TICK)
    rows = simulator.rows
    simulator.place(rows, np.arange(COUNT), np.zeros((COUNT, 3)))
    safety, task = Safety(SafetyConfig(), ROBOT, scan, PERIOD), TaskConfig(control_period=PERIOD)
    pilot = Pilot(COUNT, ROBOT, task, ObservationConfig(), scan, safety=safety)
    pilot.policy = AnyTurn(rng)  # type: ignore[assignment]
    least, commands = np.full(COUNT, np.inf), np.zeros((COUNT, 2))
    for turn in range(round(8.0 / PERIOD)):
        for row in rows[~pilot.active]:
            pilot.set_goal(row, 500.0, 0.0)
        poses, velocities = simulator.poses.copy(), simulator.velocities.copy()
        ranges = simulator.ranges.copy()
        for sector in SECTORS:
            if is_turning:
                ranges[:, sector] = simulator.ranges[:, sector]
            simulator.step(commands, rows)
            least = np.minimum(least, simulator.least_clearances)
        stamps, ages = np.full(COUNT, PERIOD * turn), np.full(COUNT, PERIOD)
        none, durations = np.zeros(COUNT), np.full(COUNT, duration)
        sensed = Sensed(rows, ranges, poses, velocities, stamps, ages, none, durations)
        commands = pilot.step(sensed).commands
    return int((least < 0.0).sum())


def test_the_scan_before_shows_what_a_turning_lidar_leaves_out() -> None:
    """Without it, a fifth of the robots run into what was in the seam of their scans."""
    assert touching(is_turning=False, duration=0.0) == 0
    assert touching(is_turning=True, duration=0.0) > COUNT // 10
    assert touching(is_turning=True, duration=PERIOD) <= 1
