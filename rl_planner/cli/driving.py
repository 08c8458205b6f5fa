"""Drives planners through scenarios: in this process, over ROS or in Gazebo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.bringup.arguments import Value
from rl_planner.cli.options import CommandError, progress_bar

if TYPE_CHECKING:
    from rl_planner.evaluation.evaluation import Evaluation
    from rl_planner.evaluation.planner import Planner
    from rl_planner.evaluation.runner import Run
    from rl_planner.evaluation.setting import Setting
    from rl_planner.evaluation.suites import Suite
    from rl_planner.navigation.config import Config

# What follows the name of a planner that has driven there, or along a way on the map.
IN_GAZEBO, GUIDED = ' in Gazebo', ' guided'

Params = Mapping[str, 'Config']


def read_params(path: Path | None) -> Params:
    """Parameters of baselines that differ from the defaults."""
    from rl_planner.evaluation.planners import read_planner_params

    return {} if path is None else read_planner_params(path)


def make_planners(names: Sequence[str], setting: Setting, params: Params) -> list[Planner]:
    """Planners by name, each once.

    Raises:
        CommandError: one is named twice.
    """
    from rl_planner.evaluation.planners import make_planner

    for index, name in enumerate(names):
        if name in names[:index]:
            raise CommandError(f'planner {name} is named twice')
    return [make_planner(name, setting, params) for name in names]


def make_suite(name: str, episodes: int, suite_seed: int, quiet: bool, **options: Any) -> Suite:
    """The scenarios of a suite, with a bar while they are made."""
    from rl_planner.evaluation import suites

    with progress_bar('worlds', episodes, quiet) as bar:
        return suites.make_suite(name, episodes, suite_seed, on_scenario=bar.update, **options)


def own_suite(path: Path, episodes: int | None, setting: Setting) -> Suite:
    """A user's own scenarios."""
    from rl_planner.evaluation.scenario import load_scenarios
    from rl_planner.evaluation.suites import Suite

    scenarios = load_scenarios(path, setting.robot)[:episodes]
    return Suite(str(path), 'scenarios of your own', setting, scenarios)


def check_drivable(
    names: Sequence[str], setting: Setting, via: str, gazebo: Mapping[str, Value]
) -> None:
    """Refuse at once what cannot be driven that way."""
    if via == 'process':
        return
    from rl_planner.cli import ros_evaluation

    for name in names:
        ros_evaluation.check_drivable(name, setting, gazebo if via == 'gazebo' else {})


def drive(
    suite: Suite,
    names: Sequence[str],
    params: Params,
    drive_seed: int,
    quiet: bool,
    via: str = 'process',
    gazebo: Mapping[str, Value] | None = None,
    guided: bool = False,
) -> Evaluation:
    """Every planner through all scenarios of a suite, with a bar meanwhile; or until Ctrl-C.

    Args:
        guided: each once more, given the map.
        via: process, ros, or gazebo: each first in Gazebo, then in the embedded simulator.
        gazebo: the arguments of `bringup.system.simulation` that say in which one.
    """
    runs: dict[str, Run] = {}
    for planner, name in zip(make_planners(names, suite.setting, params), names, strict=True):
        ways = {name: _way(planner, name, via, {})}
        if via == 'gazebo':
            ways = {name + IN_GAZEBO: _way(planner, name, 'ros', gazebo or {}), name: ways[name]}
        settings = dict.fromkeys(ways, suite.setting)
        if guided:
            ways[name + GUIDED] = ways[name]
            settings[name + GUIDED] = replace(suite.setting, guided=True)
        for title, way in ways.items():
            with progress_bar(title, len(suite.scenarios), quiet) as bar:
                runs[title] = way(suite.scenarios, settings[title], drive_seed, bar.update)
            if runs[title].interrupted:
                return _evaluation(suite, runs)
    return _evaluation(suite, runs)


def _way(planner: Planner, name: str, via: str, gazebo: Mapping[str, Value]) -> Callable[..., Run]:
    """What drives scenarios in a setting, with a seed, and tells how many have ended."""
    if via == 'ros':
        from rl_planner.cli.ros_evaluation import drive_over_ros

        return partial(drive_over_ros, name, gazebo=gazebo)
    from rl_planner.evaluation.runner import evaluate

    return partial(evaluate, planner)


def _evaluation(suite: Suite, runs: Mapping[str, Run]) -> Evaluation:
    from rl_planner.evaluation.evaluation import Evaluation

    return Evaluation(suite.name, suite.description, suite.setting, suite.scenarios, runs)
