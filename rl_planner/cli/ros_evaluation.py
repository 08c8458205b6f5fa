"""`rl_planner evaluate --via ros` and `--via gazebo`: the same scenarios through the node graph.

What is trained is what is deployed: simulator, actor and episode node, lock-stepped, drive as
`rl_planner.evaluation.runner` does in one process. Outcomes are the same, and poses to TOLERANCE,
where nothing is random: no lidar noise, dropout or gain error. With those the draws differ, and
what a noisy lidar takes for a collision ends a drive. A robot that touches something before it has
moved has collided here; in one process it is judged after its first step, which may lead away.

In Gazebo gazebo_bridge_node stands where simulator_node would. Its odometry is where Gazebo has the
robot, by which a drive is judged as any other; disturbances are of the embedded simulator alone.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from rl_planner.bringup import system
from rl_planner.bringup.arguments import Value
from rl_planner.bringup.process import Member
from rl_planner.cli.options import CommandError
from rl_planner.cli.ros_system import START_SEC, require_ros, run_to_end
from rl_planner.evaluation.episode_file import write_episodes
from rl_planner.evaluation.judge import judge
from rl_planner.evaluation.planners import BASELINES
from rl_planner.evaluation.result import EpisodeResult, read_episode_log
from rl_planner.evaluation.runner import Run
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.policy import Policy
from rl_planner.simulation.disturbance import DisturbanceConfig

ROBOTS = 8
TOLERANCE = 1e-5
"""How far the poses of both ways are apart at most (m, rad): the log has six decimals."""


GAZEBO_REST = 1e-3
"""How far off its start a robot at rest in Gazebo may be (m, rad): physics goes on."""


def check_drivable(planner: str, setting: Setting, gazebo: Mapping[str, Value]) -> None:
    """Refuse at once what nodes cannot drive; the arguments are those of `drive_over_ros`.

    Raises:
        CommandError: it is not a policy, the log would not hold where the robot really was, or
            Gazebo is not there.
        PolicyError: the policy is not for this robot and control period.
    """
    require_ros()
    if planner in BASELINES:
        raise CommandError(f'via ros drives policy files only, got {planner}')
    if setting.disturbance.odometry_error and not gazebo:
        raise CommandError(
            'via ros judges by odometry, so odometry_error must be 0, '
            f'got {setting.disturbance.odometry_error:g}'
        )
    Policy.load(planner).require(setting.robot, setting.control_period)
    if gazebo:
        _simulation(gazebo, ROBOTS, policy=planner)


def _simulation(gazebo: Mapping[str, Value], robots: int, **others: Value) -> list[Member]:
    """The processes, in Gazebo if `gazebo` says in which one."""
    own: dict[str, Value] = {}
    if gazebo:
        servers = min(int(gazebo['servers']), robots)
        own = {**gazebo, 'simulator': 'gazebo_bridge', 'servers': servers}
    try:
        return system.simulation(robots=robots, **own, **others)
    except ValueError as error:
        raise CommandError(str(error)) from error


def drive_over_ros(
    policy_file: str,
    scenarios: Sequence[Scenario],
    setting: Setting,
    seed: int = 0,
    on_ended: Callable[[int], object] | None = None,
    robots: int = ROBOTS,
    gazebo: Mapping[str, Value] | None = None,
) -> Run:
    """Drive every scenario once, as `runner.evaluate` does; Ctrl-C keeps the first that are whole.

    The actor has one goal tolerance and one time limit: the graph runs once for each pair of them.

    Args:
        seed: of noise and disturbances.
        on_ended: called about once a second with how many scenarios have ended since.
        robots: that drive at the same time; as many as there are servers, at least.
        gazebo: the arguments of `bringup.system.simulation` that say in which Gazebo; None or
            empty: in the embedded simulator.

    Raises:
        CommandError, PolicyError: as `check_drivable`; a node failed.
    """
    gazebo = gazebo or {}
    check_drivable(policy_file, setting, gazebo)
    if gazebo:
        setting = replace(setting, disturbance=DisturbanceConfig())
        robots = max(robots, int(gazebo['servers']))
    folder = Path(tempfile.mkdtemp(prefix='rl_planner-via-ros-'))
    driven: dict[int, EpisodeResult] = {}
    interrupted = False
    for index, group in enumerate(_groups(scenarios)):
        graph = _Graph(
            folder / str(index), [scenarios[number] for number in group], setting, gazebo
        )
        try:
            graph.run(policy_file, min(robots, len(group)), seed, on_ended)
        except KeyboardInterrupt:
            interrupted = True
        driven |= {group[number]: result for number, result in graph.results().items()}
        if interrupted:
            break
    shutil.rmtree(folder)  # not where a node failed: its output is in there
    return Run(_in_order(driven, len(scenarios), interrupted), None, interrupted)


class _Graph:
    """One run of the nodes, and the files between them and us."""

    def __init__(
        self,
        folder: Path,
        scenarios: Sequence[Scenario],
        setting: Setting,
        gazebo: Mapping[str, Value],
    ) -> None:
        self._scenarios, self._setting, self._gazebo = scenarios, setting, gazebo
        self._folder, self._log = folder, folder / 'episodes.jsonl'
        self._time_limit = scenarios[0].time_limit
        folder.mkdir()
        write_episodes(folder / 'scenarios.jsonl', scenarios)
        parameters = node_parameters(setting, scenarios[0])
        text = yaml.safe_dump({'/**': {'ros__parameters': parameters}})
        (folder / 'parameters.yaml').write_text(text, encoding='utf-8')

    def run(
        self, policy_file: str, robots: int, seed: int, on_ended: Callable[[int], object] | None
    ) -> None:
        processes = _simulation(
            self._gazebo,
            robots,
            policy=policy_file,
            scenarios=str(self._folder / 'scenarios.jsonl'),
            params_file=str(self._folder / 'parameters.yaml'),
            episode_log=str(self._log),
            real_time_factor=0.0,
            seed=seed,
        )
        told = 0

        def tell() -> None:
            nonlocal told
            ended = self._log.read_text().count('\n') if self._log.exists() else 0
            if on_ended is not None and ended > told:
                on_ended(ended - told)
            told = ended

        # No machine is so slow that time would not go by faster for the robots than for us.
        limit_sec = START_SEC + math.ceil(len(self._scenarios) / robots) * self._time_limit
        run_to_end(processes, self._folder / 'logs', limit_sec, tell)

    def results(self) -> dict[int, EpisodeResult]:
        if not self._log.exists():
            return {}
        rest = GAZEBO_REST if self._gazebo else 0.0
        return {
            number: judge(logged, self._scenarios[number], self._setting, rest)
            for number, logged in read_episode_log(self._log).items()
        }


def node_parameters(setting: Setting, scenario: Scenario) -> dict[str, Any]:
    """What the nodes must know to be in `setting`, with the limits of `scenario`."""
    groups: Mapping[str, Any] = {
        'robot': setting.robot,
        'lidar': setting.lidar,
        'disturbance': setting.disturbance,
        'safety': setting.safety,
    }
    task = {
        'control_period': setting.control_period,
        'xy_goal_tolerance': scenario.xy_goal_tolerance,
        'time_limit': scenario.time_limit,
    }
    return {**{name: asdict(config) for name, config in groups.items()}, 'task': task}


def _groups(scenarios: Sequence[Scenario]) -> list[list[int]]:
    """The numbers of the scenarios that have goal tolerance and time limit in common."""
    groups: dict[tuple[float, float], list[int]] = {}
    for number, each in enumerate(scenarios):
        groups.setdefault((each.xy_goal_tolerance, each.time_limit), []).append(number)
    return list(groups.values())


def _in_order(
    driven: Mapping[int, EpisodeResult], count: int, interrupted: bool
) -> list[EpisodeResult]:
    """The results up to the first that is missing, which none may be without an interruption."""
    whole = next((number for number in range(count) if number not in driven), count)
    if whole < count and not interrupted:
        raise CommandError(f'scenario {whole + 1} was not driven to its end')
    return [driven[number] for number in range(whole)]
