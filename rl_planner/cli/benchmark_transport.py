"""`rl_planner benchmark transport`: transitions per second over ROS 2."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rl_planner.bringup import system
from rl_planner.cli.options import (
    CommandError,
    add_seed,
    count,
    duration,
    progress_bar,
    training_line,
)
from rl_planner.cli.ros_system import require_ros, train_over_ros

TEXT = """\
Measure transitions per second from scan to replay buffer, over ROS 2, while the learner learns.

Starts the training system for a while: simulator, actor, learner and episode nodes, in lock-step.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    add_seed(parser)
    parser.add_argument(
        '--robots', type=count, default=8, metavar='K', help='simulated robots; default: 8'
    )
    parser.add_argument(
        '--budget-sec',
        type=duration,
        default=30.0,
        metavar='S',
        help='measure so long; default: 30',
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Train for the budget, print and return what came through."""
    require_ros()
    with (
        tempfile.TemporaryDirectory(prefix='rl_planner_transport_') as folder,
        progress_bar('measuring', options.budget_sec, options.quiet, timed=True) as bar,
    ):

        def show(row: Mapping[str, float]) -> None:
            bar.set_postfix_str(training_line(row), refresh=False)
            bar.update(min(row['elapsed_sec'], options.budget_sec) - bar.n)

        run_dir, log_dir = Path(folder, 'run'), Path(folder, 'logs')
        processes = system.train(
            out=str(run_dir),
            robots=options.robots,
            seed=options.seed,
            budget_sec=options.budget_sec,
        )
        rows = train_over_ros(processes, run_dir, log_dir, show)
    figures = {'robots': options.robots, **summarize(rows)}
    print(
        f'{options.robots} robots: {figures["transitions_per_sec"]:,.0f} transitions per second '
        f'into the replay buffer while learning ({figures["updates"]:,.0f} updates);\n'
        f'{figures["received"]:,.0f} messages of experience received, {figures["lost"]:,.0f} lost, '
        f'{figures["duplicated"]:,.0f} duplicated'
    )
    return figures


def summarize(rows: list[dict[str, float]]) -> dict[str, float]:
    """The median rate of the rows in which the learner was learning, and the final counts."""
    rates = [row['transitions_per_sec'] for row in rows if row['updates'] > 0]
    if not rates:
        raise CommandError('the learner has not begun to learn: choose a larger budget-sec')
    last = rows[-1]
    counts = {name: last[name] for name in ('updates', 'received', 'lost', 'duplicated')}
    return {'transitions_per_sec': statistics.median(rates), **counts}
