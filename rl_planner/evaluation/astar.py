"""The baseline `astar`: A* on the map seen so far, and regulated pure pursuit along its path."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.grid_path import PathFinder
from rl_planner.evaluation.planner import Floats, Perception
from rl_planner.evaluation.pursuit import Rules, drive
from rl_planner.evaluation.seen_map import SeenMap
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import ConfigError, parameter
from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.inflation import PathCosts
from rl_planner.navigation.kinematics import Limits
from rl_planner.navigation.observation import ScanGeometry

STANDING = 0.02  # slower than this a robot stands, or turns on the spot (m/s)


@dataclass(frozen=True)
class AstarConfig(PathCosts):
    """Map, path and pursuit, in the words of Nav2's costmap and Regulated Pure Pursuit."""

    resolution: float = parameter(0.05, 'cell size of the map (m)', at_least=0.02, at_most=0.5)
    map_size: float = parameter(
        20.0, 'side of the map around the robot (m)', at_least=4.0, at_most=100.0
    )
    planning_period: float = parameter(
        0.5, 'time from one path to the next, unless something is in its way (s)', above=0.0
    )
    desired_linear_vel: float = parameter(
        1.0, 'speed on a free path as a share of the highest', above=0.0, at_most=1.0
    )
    lookahead_time: float = parameter(0.8, 'look-ahead distance by speed (s)', above=0.0)
    min_lookahead_dist: float = parameter(0.25, 'least look-ahead distance (m)', above=0.0)
    max_lookahead_dist: float = parameter(1.2, 'greatest look-ahead distance (m)', above=0.0)
    regulated_linear_scaling_min_radius: float = parameter(
        0.5, 'curves tighter than this are driven slower (m)', above=0.0
    )
    regulated_linear_scaling_min_speed: float = parameter(
        0.3,
        'curves and obstacles slow it down no further, as a share of the highest speed',
        above=0.0,
        at_most=1.0,
    )
    cost_scaling_dist: float = parameter(
        0.2, 'nearer to an obstacle than this it drives slower (m)', above=0.0
    )
    cost_scaling_gain: float = parameter(
        1.0, 'speed by distance to an obstacle, as a share of cost_scaling_dist', above=0.0
    )
    rotate_to_heading_min_angle: float = parameter(
        0.785,
        'a path that begins this far off the heading makes it turn on the spot (rad)',
        above=0.0,
        at_most=math.pi / 2.0,
    )
    collision_margin: float = parameter(
        0.05, 'distance kept from obstacles along the arc ahead (m)', at_least=0.0, at_most=1.0
    )
    required_movement_radius: float = parameter(
        0.1, 'a robot that moves less than this is stuck (m), unless it turns', above=0.0
    )
    movement_time_allowance: float = parameter(2.0, 'within this time (s)', above=0.0)
    backup_time: float = parameter(
        1.0, 'a stuck robot backs up, or turns if it cannot, for so long (s)', above=0.0
    )
    backup_speed: float = parameter(0.3, 'at this speed (m/s)', above=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.padding < self.collision_margin:
            raise ConfigError(
                f'padding must be at least collision_margin {self.collision_margin:g}: no path may '
                f'lead where the robot will not follow, got {self.padding:g}'
            )
        if self.min_lookahead_dist > self.max_lookahead_dist:
            raise ConfigError(
                f'min_lookahead_dist must be at most max_lookahead_dist '
                f'{self.max_lookahead_dist:g}, got {self.min_lookahead_dist:g}'
            )


class AstarPlanner:
    """Plans around what it has seen, hopes for the best about what it has not, and drives there.

    It is given nothing that a learned planner is not, and learns nothing: the yardstick for both.
    """

    name = 'astar'

    def __init__(self, setting: Setting, config: AstarConfig | None = None) -> None:
        self._setting, self._config = setting, config or AstarConfig()
        self._limits, self._footprint = Limits.of(setting.robot), Footprint.of(setting.robot)
        self._rules = _rules(setting, self._config)
        self.start(0)

    def start(self, num_robots: int) -> None:
        config, robot = self._config, self._setting.robot
        scan = ScanGeometry.of(self._setting.lidar)
        self._seen = SeenMap(scan, num_robots, config.resolution, config.map_size)
        inflation = config.inflation(robot.inscribed_radius, config.resolution)
        self._finder = PathFinder(self._seen, inflation, config.unknown_cost, config.tolerance)
        self._begins = np.zeros(num_robots, np.int64)
        self._path_age = np.full(num_robots, math.inf)
        self._progress = _Progress(config, num_robots)

    def velocity_command(self, perception: Perception) -> Floats:
        robots, poses, ranges = perception.robots, perception.pose, perception.ranges
        period, robot = self._setting.control_period, self._setting.robot
        self._seen.update(robots, poses, ranges)
        stuck = self._progress.update(robots, poses, period)
        self._replan(perception, stuck)
        points, counts = self._seen.obstacle_points(
            robots,
            poses,
            ranges,
            self._config.max_lookahead_dist + robot.radius + 0.5,
            robot.radius + 0.3,
        )
        commands = np.empty((len(robots), 2))
        drive(
            robots,
            poses,
            perception.velocity,
            self._finder.paths,
            self._finder.lengths,
            self._begins,
            stuck,
            points,
            counts,
            self._limits,
            self._footprint,
            self._rules,
            commands,
        )
        return commands

    def _replan(self, perception: Perception, stuck: NDArray[np.bool_]) -> None:
        """Plan for those whose path is old or blocked.

        A robot that turns on the spot keeps its path: it would turn to and fro between two as good.
        """
        robots, finder = perception.robots, self._finder
        turns = (np.abs(perception.velocity[:, 0]) < STANDING) & (finder.lengths[robots] > 0)
        self._path_age[robots] += np.where(turns & ~stuck, 0.0, self._setting.control_period)
        old = self._path_age[robots] > self._config.planning_period - 1e-9
        due = old | finder.blocked(robots, self._begins)
        rows, (x, y, yaw) = robots[due], perception.pose[due].T
        c, s, (ahead, left) = np.cos(yaw), np.sin(yaw), perception.goal[due].T
        goals = np.stack([x + c * ahead - s * left, y + s * ahead + c * left], axis=-1)
        finder.plan(rows, perception.pose[due, :2], goals)
        self._begins[rows], self._path_age[rows] = 0, 0.0


class _Progress:
    """Who is stuck: neither moves nor turns, for longer than allowed; it then is for a while."""

    TURNED = 0.3  # rad

    def __init__(self, config: AstarConfig, num_robots: int) -> None:
        self._config = config
        self._poses = np.full((num_robots, 3), math.inf)
        self._standing = np.zeros(num_robots)
        self._stuck = np.zeros(num_robots)

    def update(self, robots: NDArray[np.int64], poses: Floats, period: float) -> NDArray[np.bool_]:
        """(n,) which of `robots` are to get out of where they are."""
        config, off = self._config, poses - self._poses[robots]
        moved = ~(np.hypot(off[:, 0], off[:, 1]) < config.required_movement_radius)
        moved |= ~(np.abs(off[:, 2]) < self.TURNED) | (self._stuck[robots] > 0.0)
        self._poses[robots[moved]] = poses[moved]
        self._standing[robots] = np.where(moved, 0.0, self._standing[robots] + period)
        late = self._standing[robots] > config.movement_time_allowance - 1e-9
        left = np.maximum(self._stuck[robots] - period, 0.0)
        self._stuck[robots] = np.where(late, config.backup_time, left)
        self._standing[robots[late]] = 0.0
        return np.asarray(self._stuck[robots] > 1e-9)


def _rules(setting: Setting, config: AstarConfig) -> Rules:
    """The configuration, speeds in m/s."""
    top = setting.robot.max_linear_vel
    names = Rules._fields[1:]
    rules = Rules(setting.control_period, *(float(getattr(config, name)) for name in names))
    return rules._replace(
        desired_linear_vel=top * config.desired_linear_vel,
        regulated_linear_scaling_min_speed=top * config.regulated_linear_scaling_min_speed,
    )
