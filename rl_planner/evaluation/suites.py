"""Suites: fixed lists of scenarios, by seed, with the robot that drives them.

No training ever drives in their worlds, whatever its seed. `VERSION` changes when the scenarios of
a seed do: figures are comparable within a version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rl_planner.evaluation.barn import BARN_CONDITIONS, load_barn
from rl_planner.evaluation.scenario import Scenario, ScenarioError
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import TaskConfig
from rl_planner.simulation.episodes import random_pool
from rl_planner.simulation.families import FAMILIES
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.random_world import Purpose

VERSION = 1
DYNAMIC = tuple(name for name in FAMILIES if name.startswith('dynamic'))

# Which families of worlds make up a suite, in turn.
RANDOM_SUITES: dict[str, tuple[str, ...]] = {
    'static': ('static',),
    'dynamic': DYNAMIC,
    **{name: (name,) for name in DYNAMIC},
    'dense': ('dense',),
    'rooms': ('rooms',),
    'traps': ('traps',),
}
SUITES = (*RANDOM_SUITES, 'barn')

OnScenario = Callable[[], None]


@dataclass(frozen=True)
class Suite:
    """Scenarios under one name, and what drives them."""

    name: str
    description: str
    setting: Setting
    scenarios: Sequence[Scenario]


def make_suite(
    name: str,
    episodes: int,
    seed: int,
    on_scenario: OnScenario | None = None,
    setting: Setting | None = None,
    barn_data: Path | None = None,
    condition: str = 'nominal',
) -> Suite:
    """The first `episodes` scenarios of a suite.

    Args:
        on_scenario: called when one has been made.
        setting: what drives; if not given the default robot, and BARN's in the suite barn.
        barn_data: BARN's worlds, for the suite barn; see `load_barn`.
        condition: of BARN_CONDITIONS, for the suite barn.

    Raises:
        ScenarioError: there is no such suite or condition, or BARN's worlds cannot be read.
    """
    if name == 'barn':
        if barn_data is None:
            raise ScenarioError('suite barn needs barn-data: a file or a folder of BARN worlds')
        if condition not in BARN_CONDITIONS:
            known = ', '.join(BARN_CONDITIONS)
            raise ScenarioError(f'condition must be one of {known}, got {condition!r}')
        driven_by = setting or BARN_CONDITIONS[condition]
        scenarios = load_barn(barn_data, episodes, driven_by.robot, on_scenario)
        return Suite(name, f'the worlds of BARN, {condition}', driven_by, scenarios)
    if name not in RANDOM_SUITES:
        raise ScenarioError(f'suite must be one of {", ".join(SUITES)}, got {name!r}')
    families, setting = RANDOM_SUITES[name], setting or Setting()
    described = list(dict.fromkeys(FAMILIES[family].description for family in families))
    scenarios = _random_scenarios(families, episodes, seed, setting, on_scenario)
    return Suite(name, '; '.join(described), setting, scenarios)


def _random_scenarios(
    families: Sequence[str],
    episodes: int,
    seed: int,
    setting: Setting,
    on_scenario: OnScenario | None,
) -> list[Scenario]:
    """One episode in each random world; who is slower than the default robot has more time."""
    robot, task = setting.robot, TaskConfig()
    time_limit = task.time_limit_of(robot)
    pool = random_pool(
        Purpose.EVALUATION, seed, episodes, robot, families, pairs_per_world=1, on_world=on_scenario
    )
    scenarios = []
    for index in range(episodes):
        episode = pool.episode(index, 0)
        space = FreeSpace(episode.world, robot.inscribed_radius)
        shortest = space.path_length(episode.start[:2], episode.goal)
        limits = task.xy_goal_tolerance, time_limit
        scenarios.append(Scenario(episode.world, episode.start, episode.goal, *limits, shortest))
    return scenarios
