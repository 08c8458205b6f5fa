"""`rl_planner evaluate`: figures of planners on the very same scenarios."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import (
    add_json,
    add_quiet,
    count,
    new_parser,
    progress_bar,
    seed,
    table,
    write_json,
)
from rl_planner.evaluation.setting import Setting

if TYPE_CHECKING:
    from rl_planner.evaluation.metrics import Metrics
    from rl_planner.evaluation.planners import Planner
    from rl_planner.evaluation.result import EpisodeResult
    from rl_planner.evaluation.runner import Run
    from rl_planner.evaluation.scenario import Scenario

SETTING = Setting()
DEFAULT_SUITE, DEFAULT_EPISODES = 'static', 300
PICTURED = 12  # panels in a picture

TEXT = """\
Measure how well planners drive, all on the very same scenarios.

A planner is a policy file, or greedy: turn to the goal, drive, stop before obstacles, the yardstick
for all others. In simulation, without exploration; the same options give the same figures.
"""

EPILOG = """\
suites:
  static   random arenas with boxes and pillars, another one for each episode. A training never
           sees them, whatever its seed.

A scenario file is a YAML list; world files are found from its folder:
  - world: arena.sdf
    start: [0.0, -2.5, 1.57]  # x, y (m), yaw (rad)
    goal: [3.0, 2.0]          # x, y (m)
    goal_tolerance: 0.25      # m
    time_limit: 40.0          # s

figures: the success rate with its 95 % interval (Wilson), the mean time of the successes, and SPL,
success weighted by path length (Anderson et al. 2018, arXiv:1807.06757).

examples:
  rl_planner evaluate runs/mine/policy.safetensors greedy --episodes 1000 --json figures.json
  rl_planner evaluate greedy --scenarios my_hall.yaml --picture driven.png
"""


def add_parser(subparsers: Any) -> None:
    parser = new_parser(subparsers, 'evaluate', run, TEXT, EPILOG)
    parser.add_argument('planners', nargs='+', metavar='PLANNER', help='a policy file, or greedy')
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--suite', help=f'which random scenarios; default: {DEFAULT_SUITE}')
    source.add_argument(
        '--scenarios', type=Path, metavar='FILE.yaml', help='scenarios of your own instead'
    )
    parser.add_argument(
        '--episodes',
        type=count,
        metavar='N',
        help=f'how many scenarios; default: {DEFAULT_EPISODES}, or all of the file',
    )
    parser.add_argument(
        '--seed', type=seed, default=0, metavar='K', help='which random scenarios; default: 0'
    )
    parser.add_argument(
        '--via',
        choices=('process', 'ros'),
        default='process',
        help='drive in this process, or by the ROS nodes that drive a robot: the same figures, '
        'later; policies only; default: process',
    )
    add_json(parser)
    parser.add_argument(
        '--picture',
        type=Path,
        metavar='FILE.png',
        help=f'draw the first paths driven, {PICTURED} panels or so (png, svg, pdf)',
    )
    add_quiet(parser)


def run(options: argparse.Namespace) -> int:
    from rl_planner.evaluation.pictures import check_picture_path

    if options.picture is not None:
        check_picture_path(options.picture)
    planners = make_planners(options.planners)
    if options.via == 'ros':
        from rl_planner.cli.ros_evaluation import check_drivable

        for name in options.planners:
            check_drivable(name, SETTING)
    scenarios = _scenarios(options)
    runs = [
        drive(planner, scenarios, options.seed, options.quiet, options.via) for planner in planners
    ]
    results = [each.results for each in runs]
    suite = None if options.scenarios else options.suite or DEFAULT_SUITE
    source = str(options.scenarios) if options.scenarios else None
    print(f'{source or f"suite {suite}, seed {options.seed}"}: {len(scenarios)} episodes')
    figures = report(options.planners, scenarios, results)
    origin = {'suite': suite, 'scenarios': source, 'seed': options.seed}
    write_json(options.json, {**origin, 'results': figures})
    if options.picture is not None:
        _draw(options.planners, results, options.picture)
    return 0


def make_planners(names: Sequence[str]) -> list[Planner]:
    """The planners of these names, for the robot that all of this drives."""
    from rl_planner.evaluation.planners import make_planner

    return [make_planner(name, SETTING) for name in names]


def make_suite(name: str, episodes: int, suite_seed: int, quiet: bool) -> list[Scenario]:
    """The scenarios of a suite, with a bar while they are made."""
    from rl_planner.evaluation.scenario import suite

    with progress_bar('worlds', episodes, quiet) as bar:
        return suite(name, episodes, suite_seed, on_scenario=bar.update)


def drive(
    planner: Planner, scenarios: Sequence[Scenario], drive_seed: int, quiet: bool, via: str
) -> Run:
    """One planner through all scenarios, with a bar meanwhile."""
    from rl_planner.evaluation.runner import evaluate

    with progress_bar(planner.name, len(scenarios), quiet) as bar:
        if via == 'ros':
            from rl_planner.cli.ros_evaluation import drive_over_ros

            return drive_over_ros(planner.name, scenarios, SETTING, drive_seed, bar.update)
        return evaluate(planner, scenarios, SETTING, drive_seed, bar.update)


def report(
    names: Sequence[str], scenarios: Sequence[Scenario], results: Sequence[list[EpisodeResult]]
) -> list[dict[str, Any]]:
    """Print a table of how the planners did; the same as plain data."""
    from rl_planner.evaluation.metrics import summarize

    metrics = [summarize(scenarios, each) for each in results]
    header = ('planner', 'success', '95 % interval', 'collision', 'timeout', 'mean time', 'SPL')
    print(table(header, map(_cells, names, metrics)))
    return [{'planner': name, **asdict(each)} for name, each in zip(names, metrics, strict=True)]


def _cells(name: str, metrics: Metrics) -> list[str]:
    low, high = metrics.success_interval
    time = '-' if metrics.mean_time_sec is None else f'{metrics.mean_time_sec:.1f} s'
    return [
        name,
        f'{metrics.success_rate:.1%}',
        f'{low:.1%} to {high:.1%}',
        f'{metrics.collision_rate:.1%}',
        f'{metrics.timeout_rate:.1%}',
        time,
        f'{metrics.spl:.3f}',
    ]


def _scenarios(options: argparse.Namespace) -> list[Scenario]:
    if options.scenarios is None:
        episodes = options.episodes or DEFAULT_EPISODES
        return make_suite(options.suite or DEFAULT_SUITE, episodes, options.seed, options.quiet)
    from rl_planner.evaluation.scenario import load_scenarios

    return load_scenarios(options.scenarios)[: options.episodes]


def _draw(names: Sequence[str], results: Sequence[list[EpisodeResult]], path: Path) -> None:
    """The first scenarios, in rows of four for each planner."""
    from rl_planner.evaluation.pictures import draw_trajectories

    panels = max(PICTURED // len(names) // 4, 1) * 4
    shown = [
        (name, result)
        for name, driven in zip(names, results, strict=True)
        for result in driven[:panels]
    ]
    captions = [f'{_brief(name)}: {result.time_sec:.1f} s' for name, result in shown]
    columns = min(len(results[0]), 4)
    draw_trajectories([result for _, result in shown], path, captions=captions, columns=columns)


def _brief(name: str) -> str:
    """A policy file with its run folder."""
    return '/'.join(Path(name).parts[-2:])
