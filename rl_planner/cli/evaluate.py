"""`rl_planner evaluate`: figures of planners on the very same scenarios."""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.bringup.arguments import add_options, given_options
from rl_planner.bringup.nodes import robot_file
from rl_planner.bringup.params_file import read_params_file
from rl_planner.bringup.simulators import SIMULATOR_ARGUMENTS
from rl_planner.cli import driving, evaluation
from rl_planner.cli.options import CommandError, add_json, add_quiet, count, new_parser, seed
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import TaskConfig
from rl_planner.navigation.safety import SafetyConfig

if TYPE_CHECKING:
    from rl_planner.evaluation.suites import Suite

DEFAULT_SUITE, DEFAULT_EPISODES = 'static', 300
GAZEBO_OPTIONS = [each for each in SIMULATOR_ARGUMENTS if each.name != 'headless']
PICTURED = 12  # panels in a picture

TEXT = """\
Measure how well planners drive, all on the very same scenarios.

A planner is a policy file, or a baseline:
  greedy   turn to the goal, drive, stop before obstacles: how many tasks take no planning
  dwa      the Dynamic Window Approach, with a recovery
  mppi     Model Predictive Path Integral control, what Nav2 users pick today
  astar    A* on the map seen so far, and regulated pure pursuit
  random, ramming   what the safety layer is for: any command; full speed at the nearest obstacle

In simulation, without exploration; the same options give the same figures.
"""

EPILOG = """\
suites (another world for each episode; a training never sees them, whatever its seed):
  static       arenas of 5 to 10 m with boxes and pillars
  dynamic      the same with 2, 4 and 6 moving discs in turn; dynamic-2, dynamic-4, dynamic-6
  dense        arenas of 4 to 6 m, 2.7 times as full
  rooms        rooms with doors, and the goal in another one
  traps        U-shaped dead ends on the way to the goal
  barn         the worlds of BARN in --barn-data, driven by a Jackal

A scenario file is a YAML list, see docs/scenarios.md; world files are found from its folder:
  - world: arena.sdf
    start: [0.0, -2.5, 1.57]  # x, y (m), yaw (rad)
    goal: [3.0, 2.0]          # x, y (m)
    goal_tolerance: 0.25      # m
    time_limit: 40.0          # s

examples:
  rl_planner evaluate runs/mine/policy.safetensors greedy --episodes 1000 --json figures.json
  rl_planner evaluate runs/mine/policy.safetensors mppi --suite static,dynamic,traps \\
      --report runs/mine/report --robustness
  rl_planner evaluate runs/mine/policy.safetensors --via gazebo --servers 2 --gazebo-root .gazebo
  rl_planner evaluate greedy --scenarios my_hall.yaml --picture driven.png
  rl_planner evaluate random ramming runs/mine/policy.safetensors --safety
  rl_planner evaluate runs/mine/policy.safetensors --suite rooms,traps --guided
"""


def add_parser(subparsers: Any) -> None:
    parser = new_parser(subparsers, 'evaluate', run, TEXT, EPILOG)
    parser.add_argument(
        'planners', nargs='+', metavar='PLANNER', help='a policy file, or a baseline'
    )
    _add_scenario_options(parser)
    parser.add_argument(
        '--planner-params',
        type=Path,
        metavar='FILE.yaml',
        help='parameters of the baselines that differ from config/planners.yaml',
    )
    add_json(parser)
    parser.add_argument(
        '--picture',
        type=Path,
        metavar='FILE.png',
        help=f'draw the first paths driven, {PICTURED} panels or so (png, svg, pdf)',
    )
    parser.add_argument(
        '--report',
        type=Path,
        metavar='DIR',
        help='write DIR/report.html: tables, pictures, curves, in one file to read or print',
    )
    parser.add_argument(
        '--robustness',
        action='store_true',
        help='in the report: success on the first suite against noise, dropout, latency and speed',
    )
    parser.add_argument(
        '--rerun', type=Path, metavar='FILE.rrd', help='record the first episodes for Rerun'
    )
    add_quiet(parser)


def _add_scenario_options(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        '--suite', metavar='NAME[,NAME...]', help=f'which scenarios; default: {DEFAULT_SUITE}'
    )
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
        choices=('process', 'ros', 'gazebo'),
        default='process',
        help='drive in this process, or by the ROS nodes that drive a robot: the same figures, '
        'later; or by these in Gazebo Classic, and beside that in this process; policies only; '
        'default: process',
    )
    add_options(parser, GAZEBO_OPTIONS)
    parser.add_argument(
        '--params-file',
        type=Path,
        metavar='FILE.yaml',
        help='robot, lidar, control period, disturbances, safety and paths, as the nodes take them',
    )
    parser.add_argument(
        '--safety',
        action='store_true',
        help='with the safety layer behind every planner, as on a robot',
    )
    parser.add_argument(
        '--guided',
        action='store_true',
        help='each planner once more, along the shortest way on the map of what stands there',
    )
    parser.add_argument(
        '--barn-data', type=Path, metavar='FILE', help='worlds of BARN: .json, .world or a folder'
    )
    parser.add_argument(
        '--condition',
        choices=('nominal', 'hard'),
        help='of barn; hard: with bumpers, latency, gain and odometry errors; default: nominal',
    )


def run(options: argparse.Namespace) -> int:
    from rl_planner.evaluation.pictures import check_picture_path

    if options.picture is not None:
        check_picture_path(options.picture)
    _check_options(options)
    params = driving.read_params(options.planner_params)
    gazebo = given_options(options, GAZEBO_OPTIONS)
    suites = [_guarded(each, options) for each in _suites(options)]
    for each in suites:  # a wrong planner is refused before anything has been driven
        driving.make_planners(options.planners, each.setting, params)
        driving.check_drivable(options.planners, each.setting, options.via, gazebo)
    how = (options.seed, options.quiet, options.via, gazebo, options.guided)
    done = []
    for each in suites:
        done.append(driving.drive(each, options.planners, params, *how))
        evaluation.show(done[-1], each.name if options.scenarios else _titled(each, options.seed))
        if done[-1].interrupted:
            break
    origin = {
        'suite': None if options.scenarios else options.suite or DEFAULT_SUITE,
        'scenarios': str(options.scenarios) if options.scenarios else None,
        'seed': options.seed,
        'via': options.via,
        **(gazebo if options.via == 'gazebo' else {}),
        'safety': options.safety,
        'guided': options.guided,
        'condition': (options.condition or 'nominal') if 'barn' in _names(options) else None,
        **{
            name: None if path is None else str(path)
            for name, path in vars(options).items()
            if name in ('barn_data', 'params_file', 'planner_params')
        },
    }
    evaluation.write_figures(options.json, origin, done)
    if options.picture is not None and any(run.results for run in done[0].runs.values()):
        evaluation.draw(done, options.picture, PICTURED)
    if options.rerun is not None:
        evaluation.record(done, options.rerun)
    if options.report is not None:
        curves = []
        if options.robustness and not done[-1].interrupted:
            curves = evaluation.robustness(done[0], params, options.seed, options.quiet)
        path = evaluation.write_report(done, options.report, options.seed, curves)
        print(f'report: {path}')
    return 130 if done[-1].interrupted else 0


def _check_options(options: argparse.Namespace) -> None:
    """Refuse what would be ignored, and what could not be written after all the driving."""
    names = _names(options)
    if len(set(names)) < len(names):
        raise CommandError(f'each suite must be named once, got {options.suite}')
    _refuse_for_way(options)
    for name in ('barn_data', 'condition'):
        if getattr(options, name) is not None and 'barn' not in names:
            raise CommandError(
                f'{name} is for the suite barn, got {options.suite or DEFAULT_SUITE}'
            )
    if options.condition is not None and options.params_file is not None:
        raise CommandError('condition must not come with params-file: either one says what drives')
    if options.robustness and options.report is None:
        raise CommandError('--robustness needs --report, the folder to write it to')
    if options.rerun is not None and importlib.util.find_spec('rerun') is None:
        raise CommandError('a recording needs rerun-sdk: pip install rerun-sdk')
    for path in filter(None, (options.json, options.picture, options.rerun)):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise CommandError(f'{path} must be a file, it is a folder')
    if options.report is not None:
        options.report.mkdir(parents=True, exist_ok=True)


def _refuse_for_way(options: argparse.Namespace) -> None:
    """Refuse what says which Gazebo where there is none, and a map where there is none."""
    if options.guided and options.via != 'process':
        raise CommandError(f'guided must come with --via process, got {options.via}')
    for argument in GAZEBO_OPTIONS:
        value = getattr(options, argument.name)
        if value != argument.default and options.via != 'gazebo':
            raise CommandError(f'{argument.name} must come with --via gazebo, got {value}')


def _names(options: argparse.Namespace) -> list[str]:
    """The suites; none where there are scenarios instead."""
    return [] if options.scenarios else (options.suite or DEFAULT_SUITE).split(',')


def _titled(suite: Suite, suite_seed: int) -> str:
    return f'suite {suite.name}, seed {suite_seed}'


def _suites(options: argparse.Namespace) -> list[Suite]:
    """All that is to be driven."""
    setting = _setting(options.params_file or robot_file(options.robot_model))
    if options.scenarios is not None:
        return [driving.own_suite(options.scenarios, options.episodes, setting or Setting())]
    episodes = options.episodes or DEFAULT_EPISODES
    return [
        driving.make_suite(
            name,
            episodes,
            options.seed,
            options.quiet,
            setting=setting,
            barn_data=options.barn_data,
            condition=options.condition or 'nominal',
        )
        for name in _names(options)
    ]


def _guarded(suite: Suite, options: argparse.Namespace) -> Suite:
    """The suite with the safety layer on, if that is asked for."""
    if not options.safety:
        return suite
    guard = SafetyConfig()
    if options.params_file is not None:
        guard = replace(read_params_file(options.params_file)['safety'], enabled=True)
    return replace(suite, setting=replace(suite.setting, safety=guard))


def _setting(params_file: Path | None) -> Setting | None:
    """What drives instead of the suite's own robot, if anything."""
    if params_file is None:
        return None
    given = read_params_file(params_file)
    period = given['task'].control_period
    if given['task'] != TaskConfig(control_period=period):
        raise CommandError(
            f'{params_file}: of task only control_period counts here: scenarios have a tolerance '
            'and a time limit of their own'
        )
    way = {name: given[name] for name in ('planner', 'path')}
    return Setting(given['robot'], given['lidar'], period, given['disturbance'], **way)
