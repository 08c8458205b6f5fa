"""BARN: the benchmark of D. Perille et al., "Benchmarking metric ground navigation" (SSRR 2020).

300 worlds of pillars between the robot and its goal, 10 m ahead; 50 of them are the public test
split. A Jackal drives. The score of the BARN challenge is in `metrics.barn_score`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rl_planner.evaluation.scenario import Scenario, ScenarioError
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.sdf import read_sdf
from rl_planner.simulation.world import World, WorldError

START = (-2.25, 3.0, 1.57)
GOAL = (-2.25, 13.0)
GOAL_TOLERANCE, TIME_LIMIT = 1.0, 100.0  # m, s
PILLAR_RADIUS = 0.075  # m


def _jackal(radius: float, length: float, width: float) -> RobotConfig:
    """Clearpath's Jackal as BARN drives it: up to 2 m/s."""
    return RobotConfig(
        radius=radius,
        footprint_length=length,
        footprint_width=width,
        max_linear_vel=2.0,
        min_linear_vel=-0.5,
        max_angular_vel=4.0,
        max_linear_accel=5.0,
        max_angular_accel=20.0,
    )


def _lidar(noise_std: float) -> LidarConfig:
    """720 beams over 270 degrees."""
    return LidarConfig(
        num_beams=720,
        angle_min=-0.75 * math.pi,
        field_of_view=1.5 * math.pi,
        range_min=0.1,
        range_max=10.0,
        noise_std=noise_std,
    )


# The second one has bumpers all around, late and inexact actuators, and odometry that drifts.
BARN_CONDITIONS = {
    'nominal': Setting(_jackal(0.266, 0.43, 0.31), _lidar(0.01)),
    'hard': Setting(
        _jackal(0.333, 0.508, 0.43),
        _lidar(0.02),
        disturbance=DisturbanceConfig(command_latency=0.05, gain_error=0.05, odometry_error=0.02),
    ),
}


def load_barn(
    path: Path, count: int, robot: RobotConfig, on_scenario: Callable[[], None] | None = None
) -> list[Scenario]:
    """The first `count` scenarios in `path`.

    Args:
        path: a JSON file with `worlds`, each with `cylinders` [x, y] and `path_length`; a .world
            file of BARN; or a folder of them. The shortest way of a .world file is our own
            estimate.
        count: fewer if there are fewer.
        robot: what is to get through.

    Raises:
        ScenarioError: there is nothing there, or it cannot be read; names file and world.
    """
    scenarios = []
    worlds = _from_json(path) if path.suffix == '.json' else _from_world_files(path, robot)
    for world, shortest in islice(worlds, count):
        scenarios.append(Scenario(world, START, GOAL, GOAL_TOLERANCE, TIME_LIMIT, shortest))
        if on_scenario is not None:
            on_scenario()
    return scenarios


def _from_json(path: Path) -> Sequence[tuple[World, float]]:
    try:
        worlds = json.loads(path.read_text(encoding='utf-8'))['worlds']
        return [_world_of(entry) for entry in worlds]
    except OSError as error:
        raise ScenarioError(f'cannot read BARN worlds {path}: {error.strerror}') from error
    except (ValueError, KeyError, TypeError) as error:
        raise ScenarioError(f'{path} must hold worlds of BARN: {error!r}') from error


def _world_of(entry: dict[str, Any]) -> tuple[World, float]:
    places = np.reshape(np.asarray(entry['cylinders'], float), (-1, 2))
    circles = np.column_stack([places, np.full(len(places), PILLAR_RADIUS)])
    shortest = float(entry['path_length'])
    if not 0.0 < shortest < math.inf:
        raise ValueError(f'path_length must be above 0, got {shortest}')
    return World(circles=circles, name=f'BARN world {entry["index"]}'), shortest


def _from_world_files(path: Path, robot: RobotConfig) -> Sequence[tuple[World, float]]:
    files = sorted(path.glob('*.world'), key=_number) if path.is_dir() else [path]
    if not files:
        raise ScenarioError(f'{path} must hold .world files of BARN, there is none')
    return [_read(file, robot) for file in files]


def _number(file: Path) -> tuple[int, str]:
    """world_7.world before world_10.world."""
    digits = ''.join(filter(str.isdigit, file.stem))
    return int(digits or 0), file.stem


def _read(file: Path, robot: RobotConfig) -> tuple[World, float]:
    try:
        world = read_sdf(file)
        space = FreeSpace(world, robot.inscribed_radius, places=[START[:2], GOAL])
        return world, space.path_length(START[:2], GOAL)
    except WorldError as error:
        raise ScenarioError(f'{file}: {error}') from error
