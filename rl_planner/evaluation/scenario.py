"""Scenarios: what planners are judged by. A task, its limits, and the shortest way there is.

A scenario file is a YAML list. These keys are needed; world files are found from its folder:

    - world: arena.sdf          # moving obstacles are part of it
      start: [0.0, -2.5, 1.57]  # x, y (m), yaw (rad)
      goal: [3.0, 2.0]          # x, y (m)
      goal_tolerance: 0.25      # m
      time_limit: 40.0          # s

A scenario may have `movers` of its own, discs that go back and forth, besides those of its world:

      movers:
        - {from: [1.0, -1.0], to: [1.0, 2.0], radius: 0.25, speed: 0.3}  # m, m/s
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rl_planner.navigation.config import Bounds, ConfigError, RobotConfig, check
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.sdf import read_sdf
from rl_planner.simulation.world import FloatArray, World, WorldError, mover_positions

KEYS = ('world', 'start', 'goal', 'goal_tolerance', 'time_limit')
MOVER_KEYS = ('from', 'to', 'radius', 'speed')


class ScenarioError(ValueError):
    """A scenario that cannot be driven; the message names file, scenario, key, rule and value."""


@dataclass(frozen=True)
class Scenario(Episode):
    """An episode, and how it is judged.

    Attributes:
        xy_goal_tolerance: the goal is reached within this distance (m).
        time_limit: from the start (s).
        shortest_path: length of the shortest way for this robot (m); moving obstacles left out.
    """

    xy_goal_tolerance: float
    time_limit: float
    shortest_path: float


def load_scenarios(path: str | Path, robot: RobotConfig | None = None) -> list[Scenario]:
    """Read a scenario file.

    Raises:
        ScenarioError: it is missing or not such a list; a scenario has an unknown, missing or bad
            key; its world cannot be read; its goal cannot be reached.
    """
    path = Path(path)
    robot = robot or RobotConfig()
    read = functools.cache(read_sdf)

    def scenario(number: int, entry: Any) -> Scenario:
        try:
            _check_keys(entry)
            return _scenario(entry, read(_world_file(entry, path.parent)), robot)
        except (ConfigError, WorldError, ScenarioError) as error:
            raise ScenarioError(f'{path}, scenario {number}: {error}') from error

    return list(itertools.starmap(scenario, enumerate(_entries(path), start=1)))


def _entries(path: Path) -> list[Any]:
    try:
        entries = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise ScenarioError(f'cannot read scenarios {path}: {error.strerror}') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f'{path} is not YAML: {" ".join(str(error).split())}') from error
    if not isinstance(entries, list) or not entries:
        raise ScenarioError(f'{path} must be a list of scenarios, got {entries!r}')
    return entries


def _check_keys(entry: Any) -> None:
    if not isinstance(entry, dict):
        raise ScenarioError(f'must be a mapping with {", ".join(KEYS)}, got {entry!r}')
    if missing := [key for key in KEYS if key not in entry]:
        raise ScenarioError(f'{missing[0]} is missing')
    known = (*KEYS, 'movers')
    if unknown := [key for key in entry if key not in known]:
        raise ScenarioError(f'unknown key {unknown[0]}; there are {", ".join(known)}')


def _world_file(entry: dict[str, Any], folder: Path) -> Path:
    path = folder / str(entry['world'])
    if not path.is_file():
        raise ScenarioError(f'world must be an existing file, got {entry["world"]!r}')
    return path


def _scenario(entry: dict[str, Any], world: World, robot: RobotConfig) -> Scenario:
    x, y, yaw = _numbers(entry, 'start', 'x, y, yaw')
    goal_x, goal_y = _numbers(entry, 'goal', 'x, y')
    space = FreeSpace(world, robot.inscribed_radius, places=[(x, y), (goal_x, goal_y)])
    shortest = space.path_length((x, y), (goal_x, goal_y))
    if (room := space.clearance_at(x, y)) < robot.radius:
        start = entry['start']
        raise ScenarioError(
            f'start {start} must be {robot.radius:g} m clear of obstacles, got {room:.3g}'
        )
    tolerance = check('goal_tolerance', entry['goal_tolerance'], 0.0, Bounds(above=0, at_most=5))
    if math.dist((x, y), (goal_x, goal_y)) <= tolerance:
        raise ScenarioError(f'goal {entry["goal"]} must be farther than {tolerance:g} m from start')
    world = replace(world, movers=np.concatenate([world.movers, _movers(entry)]))
    places = mover_positions(world.movers, 0.0)
    away = np.hypot(*(places - (x, y)).T) - world.movers[:, 4]
    if (away < robot.radius).any():
        raise ScenarioError(
            f'start {entry["start"]} must be clear of what moves there at the start'
        )
    return Scenario(
        world,
        (x, y, yaw),
        (goal_x, goal_y),
        tolerance,
        check('time_limit', entry['time_limit'], 0.0, Bounds(above=0.0)),
        shortest,
    )


def _movers(entry: dict[str, Any]) -> FloatArray:
    """(M, 7) the scenario's own moving obstacles, as in `World.movers`."""
    movers = entry.get('movers', [])
    if not isinstance(movers, list):
        raise ScenarioError(f'movers must be a list, got {movers!r}')
    rows = []
    for mover in movers:
        if not isinstance(mover, dict) or set(mover) != set(MOVER_KEYS):
            raise ScenarioError(f'a mover must have {", ".join(MOVER_KEYS)}, got {mover!r}')
        ends = [*_numbers(mover, 'from', 'x, y'), *_numbers(mover, 'to', 'x, y')]
        radius = check('radius', mover['radius'], 0.0, Bounds(above=0.0, at_most=5.0))
        speed = check('speed', mover['speed'], 0.0, Bounds(at_least=0.0, at_most=10.0))
        rows.append([*ends, radius, speed, 0.0])
    return np.reshape(rows, (-1, 7))


def _numbers(entry: dict[str, Any], key: str, names: str) -> list[float]:
    """The finite numbers of a list such as [x, y]."""
    value = entry[key]
    right = isinstance(value, list) and len(value) == len(names.split(', '))
    if not right or not all(type(part) in (int, float) and math.isfinite(part) for part in value):
        raise ScenarioError(f'{key} must be finite numbers [{names}], got {value!r}')
    return [float(part) for part in value]
