"""`rl_planner demo`: a robot learns to drive over ROS 2, shows how well, and what it drove."""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.bringup import system
from rl_planner.cli.driving import drive, make_suite
from rl_planner.cli.evaluate import DEFAULT_SUITE
from rl_planner.cli.evaluation import figures, show
from rl_planner.cli.options import (
    CommandError,
    add_json,
    add_quiet,
    count,
    duration,
    new_parser,
    progress_bar,
    seed,
    training_line,
    write_json,
)
from rl_planner.cli.ros_system import domain_id, require_ros, run_to_end, train_over_ros
from rl_planner.navigation.task import Outcome

if TYPE_CHECKING:
    from rl_planner.evaluation.result import EpisodeResult

DRIVING_ROBOTS, DRIVEN_EPISODES, DRIVE_LIMIT_SEC = 6, 12, 180.0

TEXT = """\
Watch a robot learn to drive, over real ROS 2 messages.

Starts simulator, actor, learner and episode nodes, trains a planner, measures it on worlds it has
never seen beside a simple one, drives it through ROS, and draws what happened. Takes the time
budget and about a minute more. No GPU needed.
"""

EPILOG = """\
While it learns, look from another terminal (with the ROS_DOMAIN_ID that it prints):
  ros2 topic list
  ros2 topic echo /robot_0/cmd_vel
  tensorboard --logdir runs

examples:
  rl_planner demo
  rl_planner demo --budget-sec 60 --episodes 100 --out runs/quick
"""


def add_parser(subparsers: Any) -> None:
    parser = new_parser(subparsers, 'demo', run, TEXT, EPILOG)
    parser.add_argument(
        '--budget-sec',
        type=duration,
        default=180.0,
        metavar='S',
        help='train so long; default: 180',
    )
    parser.add_argument(
        '--episodes',
        type=count,
        default=300,
        metavar='N',
        help='worlds to evaluate on; default: 300',
    )
    parser.add_argument(
        '--seed', type=seed, default=0, metavar='K', help='of everything random; default: 0'
    )
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help='folder for it all; default: runs/demo-<date-time>'
    )
    parser.add_argument(
        '--robots', type=count, default=8, metavar='K', help='robots to train with; default: 8'
    )
    add_json(parser)
    add_quiet(parser)


def run(options: argparse.Namespace) -> int:
    require_ros()
    out = _new_folder(options.out)
    print(f'Everything goes to {out}; the nodes talk in ROS_DOMAIN_ID {domain_id()}.', flush=True)
    rows = _train(options, out)
    summary = {
        'seed': options.seed,
        'training': _overall(rows),
        'suite': DEFAULT_SUITE,
        'results': _evaluate(options, out / 'policy.safetensors'),
    }
    driven = _drive(options, out)
    _draw(out, rows, driven)
    write_json(out / 'figures.json', summary)
    write_json(options.json, summary)
    _say_what_is_next(out)
    return 0


def _new_folder(wish: Path | None) -> Path:
    out = wish or Path(f'runs/demo-{time.strftime("%Y%m%d-%H%M%S")}')
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CommandError(f'out must be a new or an empty folder, got {out}')
    return out


def _train(options: argparse.Namespace, out: Path) -> list[dict[str, float]]:
    _announce(1, f'Learning for {options.budget_sec:g} s with {options.robots} robots over ROS 2')
    processes = system.train(
        out=str(out), robots=options.robots, seed=options.seed, budget_sec=options.budget_sec
    )
    with progress_bar('starting', options.budget_sec, options.quiet, timed=True) as bar:

        def show(row: Mapping[str, float]) -> None:
            bar.set_description_str('learning', refresh=False)
            bar.set_postfix_str(training_line(row), refresh=False)
            bar.update(min(row['elapsed_sec'], options.budget_sec) - bar.n)

        rows = train_over_ros(processes, out, out / 'logs' / 'train', show)
    print(f'      {training_line(_overall(rows))}')
    return rows


def _overall(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The last row, with the rate of them all."""
    rate = statistics.mean(row['transitions_per_sec'] for row in rows)
    return {**rows[-1], 'transitions_per_sec': rate}


def _evaluate(options: argparse.Namespace, policy: Path) -> list[dict[str, Any]]:
    _announce(2, f'Evaluating on {options.episodes} worlds that it has never seen, not exploring')
    suite = make_suite(DEFAULT_SUITE, options.episodes, options.seed, options.quiet)
    driven = drive(suite, [str(policy), 'greedy'], {}, options.seed, options.quiet)
    if driven.interrupted:
        raise KeyboardInterrupt
    driven = replace(
        driven, runs=dict(zip(('learnt', 'greedy'), driven.runs.values(), strict=True))
    )
    show(driven, f'suite {suite.name}, seed {options.seed}')
    return figures(driven)


def _drive(options: argparse.Namespace, out: Path) -> list[EpisodeResult]:
    """The suite's first scenarios: the first ones to end of many would be the easy ones."""
    from rl_planner.evaluation.episode_file import write_episodes
    from rl_planner.evaluation.result import read_episode_log

    _announce(3, f'Driving {DRIVING_ROBOTS} robots with it over ROS 2')
    scenarios, log = out / 'scenarios.jsonl', out / 'episodes.jsonl'
    suite = make_suite(DEFAULT_SUITE, DRIVEN_EPISODES, options.seed, options.quiet)
    write_episodes(scenarios, suite.scenarios)
    processes = system.simulation(
        policy=str(out / 'policy.safetensors'),
        scenarios=str(scenarios),
        robots=DRIVING_ROBOTS,
        real_time_factor=0.0,
        episode_log=str(log),
        seed=options.seed,
    )
    run_to_end(processes, out / 'logs' / 'drive', DRIVE_LIMIT_SEC)
    driven = list(read_episode_log(log).values())
    reached = sum(result.outcome is Outcome.GOAL for result in driven)
    print(f'      {reached} of {len(driven)} episodes ended at the goal')
    return driven


def _draw(out: Path, rows: Sequence[Mapping[str, float]], driven: Sequence[EpisodeResult]) -> None:
    from rl_planner.evaluation.pictures import draw_learning_curve, draw_trajectories

    _announce(4, 'Drawing')
    trajectories, curve = out / 'trajectories.png', out / 'learning_curve.png'
    draw_trajectories(driven, trajectories, 'Driven over ROS 2 in worlds never seen before')
    draw_learning_curve(rows, curve, 'Learnt over ROS 2')
    print(f'      {trajectories}\n      {curve}')


def _say_what_is_next(out: Path) -> None:
    policy = out / 'policy.safetensors'
    lines = [
        f'tensorboard --logdir {out}',
        f'rl_planner bringup simulation --policy {policy}',
        f'ros2 launch rl_planner simulation.launch.py policy:={policy}',
        f'rl_planner evaluate {policy} greedy --episodes 1000 --seed 1',
        'rl_planner train --budget-sec 300 --out runs/mine',
    ]
    command = '' if shutil.which('rl_planner') else ' (after: source .venv/bin/activate)'
    print(f'\nWhat to try next{command}:', *lines, sep='\n  ')


def _announce(step: int, text: str) -> None:
    print(f'\n[{step}/4] {text}', flush=True)
