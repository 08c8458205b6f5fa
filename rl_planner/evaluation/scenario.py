"""Scenarios: what planners are judged by. A task, its limits, and the shortest way there is.

A scenario file is a YAML list. Every key is needed; the world file is found from the file's folder:

    - world: arena.sdf          # moving obstacles are part of it
      start: [0.0, -2.5, 1.57]  # x, y (m), yaw (rad)
      goal: [3.0, 2.0]          # x, y (m)
      goal_tolerance: 0.25      # m
      time_limit: 40.0          # s
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rl_planner.navigation.config import Bounds, ConfigError, RobotConfig, TaskConfig, check
from rl_planner.simulation.episodes import Episode, random_pool
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.random_world import Purpose
from rl_planner.simulation.sdf import read_sdf
from rl_planner.simulation.world import World, WorldError

KEYS = ('world', 'start', 'goal', 'goal_tolerance', 'time_limit')

OnScenario = Callable[[], None]


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


def suite(
    name: str,
    episodes: int,
    seed: int,
    robot: RobotConfig | None = None,
    on_scenario: OnScenario | None = None,
) -> list[Scenario]:
    """The first `episodes` scenarios of a suite. No training ever drives in their worlds.

    Raises:
        ScenarioError: there is no such suite.
    """
    if name not in SUITES:
        raise ScenarioError(f'suite must be one of {", ".join(SUITES)}, got {name!r}')
    return SUITES[name](episodes, seed, robot or RobotConfig(), on_scenario)


def _static(
    episodes: int, seed: int, robot: RobotConfig, on_scenario: OnScenario | None
) -> list[Scenario]:
    """Random arenas with boxes and pillars, one episode in each."""
    pool = random_pool(
        Purpose.EVALUATION, seed, episodes, robot.radius, pairs_per_world=1, on_world=on_scenario
    )
    task = TaskConfig()
    scenarios = []
    for index in range(episodes):
        episode = pool.episode(index, 0)
        shortest = FreeSpace(episode.world, robot.radius).path_length(
            episode.start[:2], episode.goal
        )
        scenarios.append(
            Scenario(
                episode.world,
                episode.start,
                episode.goal,
                task.xy_goal_tolerance,
                task.time_limit,
                shortest,
            )
        )
    return scenarios


SUITES: dict[str, Callable[[int, int, RobotConfig, OnScenario | None], list[Scenario]]] = {
    'static': _static,
}


def load_scenarios(path: str | Path, robot: RobotConfig | None = None) -> list[Scenario]:
    """Read a scenario file.

    Raises:
        ScenarioError: it is missing or not such a list; a scenario has an unknown, missing or bad
            key; its world cannot be read; its goal cannot be reached.
    """
    path = Path(path)
    robot = robot or RobotConfig()

    @functools.cache
    def world(file: Path) -> tuple[World, FreeSpace]:
        content = read_sdf(file)
        return content, FreeSpace(content, robot.radius)

    def scenario(number: int, entry: Any) -> Scenario:
        try:
            _check_keys(entry)
            return _scenario(entry, *world(_world_file(entry, path.parent)), robot.radius)
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
    if unknown := [key for key in entry if key not in KEYS]:
        raise ScenarioError(f'unknown key {unknown[0]}; there are {", ".join(KEYS)}')


def _world_file(entry: dict[str, Any], folder: Path) -> Path:
    path = folder / str(entry['world'])
    if not path.is_file():
        raise ScenarioError(f'world must be an existing file, got {entry["world"]!r}')
    return path


def _scenario(entry: dict[str, Any], world: World, space: FreeSpace, radius: float) -> Scenario:
    x, y, yaw = _numbers(entry, 'start', 'x, y, yaw')
    goal_x, goal_y = _numbers(entry, 'goal', 'x, y')
    shortest = space.path_length((x, y), (goal_x, goal_y))
    if (room := space.clearance_at(x, y)) < radius:
        start = entry['start']
        raise ScenarioError(
            f'start {start} must be {radius:g} m clear of obstacles, got {room:.3g}'
        )
    return Scenario(
        world,
        (x, y, yaw),
        (goal_x, goal_y),
        check('goal_tolerance', entry['goal_tolerance'], 0.0, Bounds(above=0.0, at_most=5.0)),
        check('time_limit', entry['time_limit'], 0.0, Bounds(above=0.0)),
        shortest,
    )


def _numbers(entry: dict[str, Any], key: str, names: str) -> list[float]:
    """The finite numbers of a list such as [x, y]."""
    value = entry[key]
    right = isinstance(value, list) and len(value) == len(names.split(', '))
    if not right or not all(type(part) in (int, float) and math.isfinite(part) for part in value):
        raise ScenarioError(f'{key} must be finite numbers [{names}], got {value!r}')
    return [float(part) for part in value]
