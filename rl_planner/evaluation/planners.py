"""What drives in an evaluation: a trained policy, or a simple planner to compare it with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.kinematics import Limits, command_from_action
from rl_planner.navigation.observation import ObservationEncoder, ScanGeometry
from rl_planner.navigation.policy import Policy, PolicyError

Floats = NDArray[np.float64]

BASELINES = ('greedy',)


class Perception(NamedTuple):
    """All that n robots know when they decide: what lidar, odometry and goal of a real one say.

    Attributes:
        robots: (n,) which of all robots these are, ascending: those that have arrived drop out.
        ranges: (n, num_beams) as in `BatchSimulator` (m).
        goal: (n, 2) in the robot frame (m).
        velocity, previous_command: (n, 2) linear and angular (m/s, rad/s).
        pose: (n, 3) x, y, yaw of odometry, in a frame of its own that stays (m, rad).
    """

    robots: NDArray[np.int64]
    ranges: NDArray[np.float32]
    goal: Floats
    velocity: Floats
    previous_command: Floats
    pose: Floats


class Planner(Protocol):
    """Drives N robots at once, each to a goal of its own."""

    name: str

    def start(self, num_robots: int) -> None:
        """Forget everything: `num_robots` robots are about to begin."""
        ...

    def velocity_command(self, perception: Perception) -> Floats:
        """(n, 2) linear and angular velocity for the next control period (m/s, rad/s)."""
        ...


def make_planner(name: str, setting: Setting) -> Planner:
    """The baseline of that name, or the policy in the file of that name.

    Raises:
        PolicyError: it is neither, or the policy is not for this robot and control period.
    """
    if name == 'greedy':
        return GreedyPlanner(setting)
    if not Path(name).exists():
        known = ', '.join(BASELINES)
        raise PolicyError(f'planner must be {known} or an existing policy file, got {name!r}')
    return LearnedPlanner(Policy.load(name), setting, name)


class LearnedPlanner:
    """A trained policy, without exploration.

    Raises:
        PolicyError: it was trained on another robot or control period.
    """

    def __init__(self, policy: Policy, setting: Setting, name: str = 'policy') -> None:
        policy.require(setting.robot, setting.control_period)
        self.name = name
        self._policy, self._setting = policy, setting
        self._limits = Limits.of(setting.robot)
        self.start(0)

    def start(self, num_robots: int) -> None:
        config, scan = self._policy.metadata.observation, ScanGeometry.of(self._setting.lidar)
        self._encoder = ObservationEncoder(config, self._setting.robot, scan, num_robots)
        self._observations = np.empty((num_robots, self._encoder.size), np.float32)

    def velocity_command(self, perception: Perception) -> Floats:
        out = self._observations[: len(perception.robots)]
        self._encoder.encode(
            perception.ranges,
            perception.goal,
            perception.velocity,
            perception.previous_command,
            out,
        )
        actions = self._policy.act(out)
        return np.stack(command_from_action(actions, self._limits), axis=-1).astype(np.float64)


class GreedyPlanner:
    """Turns to the goal, drives straight at it, and stops before what is ahead: the yardstick.

    It never drives around anything, so it shows how many tasks take no planning at all.
    """

    name = 'greedy'

    TURN_GAIN = 2.0  # turning rate per angle to the goal (1/s)
    AIMED = 0.5  # it drives where the goal is less than this off its heading (rad)
    MARGIN = 0.05  # beyond the robot's radius, ahead and beside (m)

    def __init__(self, setting: Setting) -> None:
        self._robot, self._lidar = setting.robot, setting.lidar
        angles = ScanGeometry.of(self._lidar).beam_angles()
        self._directions = np.stack([np.cos(angles), np.sin(angles)])  # (2, num_beams)

    def start(self, num_robots: int) -> None:
        pass

    def velocity_command(self, perception: Perception) -> Floats:
        robot = self._robot
        bearing = np.arctan2(perception.goal[:, 1], perception.goal[:, 0])
        aim = np.maximum(1.0 - np.abs(bearing) / self.AIMED, 0.0)
        brakeable = np.sqrt(2.0 * robot.max_linear_accel * self._free_ahead(perception.ranges))
        v = np.minimum(aim * robot.max_linear_vel, brakeable)
        w = np.clip(self.TURN_GAIN * bearing, -robot.max_angular_vel, robot.max_angular_vel)
        return np.stack([v, w], axis=-1).astype(np.float64)

    def _free_ahead(self, ranges: NDArray[np.float32]) -> Floats:
        """(N,) how far straight on each robot can drive till something is within the margin (m)."""
        lidar, keep = self._lidar, self._robot.radius + self.MARGIN
        measured = (ranges >= lidar.range_min) & (ranges <= lidar.range_max)
        too_close = np.isneginf(ranges)
        seen = np.where(measured, ranges, np.float32(0.0))
        x = lidar.mount_x + seen * self._directions[0]
        y = lidar.mount_y + seen * self._directions[1]
        ahead = ((measured & (x > 1e-6)) | too_close) & (np.abs(y) < keep)
        # A disc that drives along x meets the point (x, y) after x - sqrt(keep^2 - y^2).
        touching = x - np.sqrt(np.maximum(keep**2 - y**2, 0.0))
        free = np.where(ahead, touching, np.inf).min(axis=1)
        return np.asarray(np.maximum(free, 0.0))
