"""`rl_planner benchmark gazebo`: control steps per second in Gazebo Classic."""

from __future__ import annotations

import argparse
import math
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.cli import gazebo_identification
from rl_planner.cli.options import CommandError, add_seed, count, progress_bar, table

if TYPE_CHECKING:
    from rl_planner.gazebo.robot_model import RobotModel
    from rl_planner.simulation.episodes import EpisodePool

TEXT = """\
Measure control steps per second of Gazebo Classic, stepped in lock-step over its own transport.

The default robot drives at random in static random worlds, a world to each robot; robots share
gzservers or have their own. A step is one control period of 0.1 s of one robot. Beside it: how long
it takes to put a robot at its start, in the world that stands and in another one.

With --identify, instead: how robots follow their commands there, and what their lidars read, and
which disturbances of the embedded simulator that is.
"""

CASES = (  # beams, robots, servers
    (36, 1, 1),
    (180, 1, 1),
    (360, 1, 1),
    (180, 2, 2),
    (180, 4, 4),
    (180, 4, 1),
)
PLACINGS = 5
NAMES = ('beams', 'robots', 'servers')


def add_options(parser: argparse.ArgumentParser) -> None:
    add_seed(parser)
    parser.add_argument(
        '--gazebo-root',
        default='',
        metavar='FOLDER',
        help="the folder that `make gazebo` has made; default: this machine's own Gazebo",
    )
    parser.add_argument(
        '--steps', type=count, default=1000, metavar='N', help='to measure; default: 1000'
    )
    gazebo_identification.add_options(parser)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all cases, print them, return them."""
    if options.identify is not None:
        return gazebo_identification.measure(options)
    from rl_planner.gazebo.error import GazeboError
    from rl_planner.navigation.config import RobotConfig
    from rl_planner.simulation.episodes import random_pool
    from rl_planner.simulation.random_world import Purpose

    most = max(robots for _, robots, _ in CASES)
    pool = random_pool(Purpose.EVALUATION, options.seed, 2 * most, RobotConfig())
    results = []
    with progress_bar('measuring', len(CASES), options.quiet) as bar:
        for case in CASES:
            try:
                results.append(_measure_case(pool, *case, options))
            except GazeboError as error:
                raise CommandError(str(error)) from error
            bar.update()
    rows = [[f'{result[name]}' for name in NAMES] + _cells(result) for result in results]
    print(table((*NAMES, 'steps/s', 'placed in', 'in another world'), rows))
    return {'results': results}


def _cells(result: dict[str, Any]) -> list[str]:
    placings = [f'{result[name]:.2f} s' for name in ('same_world_sec', 'other_world_sec')]
    return [f'{result["steps_per_sec"]:,.0f}', *placings]


def _measure_case(
    pool: EpisodePool, beams: int, robots: int, servers: int, options: argparse.Namespace
) -> dict[str, Any]:
    import numpy as np

    from rl_planner.gazebo.simulator import GazeboSimulator

    simulator = GazeboSimulator(_robot(beams), robots, servers, root=options.gazebo_root)
    try:
        _place(simulator, pool, 0, 0)
        same = [_place(simulator, pool, 0, pair) for pair in range(1, 1 + PLACINGS)]
        other = [_place(simulator, pool, (1 + turn) % 2, turn) for turn in range(PLACINGS)]
        rng, rows = np.random.default_rng(options.seed), np.arange(robots)
        began = time.perf_counter()
        for index in range(options.steps):
            if index % 10 == 0:
                commands = rng.uniform((0.0, -1.5), (0.5, 1.5), (robots, 2))
            simulator.step(commands, rows)
        elapsed = time.perf_counter() - began
    finally:
        simulator.close()
    return {
        **dict(zip(NAMES, (beams, robots, servers), strict=True)),
        'steps_per_sec': robots * options.steps / elapsed,
        'same_world_sec': float(np.median(same)),
        'other_world_sec': float(np.median(other)),
    }


def _place(simulator: Any, pool: EpisodePool, world: int, pair: int) -> float:
    """Put every robot at its start; the seconds that took."""
    began, rows = time.perf_counter(), range(len(simulator.ranges))
    for row in rows:
        simulator.begin_episode(row, pool.episode(2 * row + world, pair))
    while sum(simulator.is_placed(row) for row in rows) < len(rows):  # asks each of them
        time.sleep(0.002)
    return time.perf_counter() - began


def _robot(beams: int) -> RobotModel:
    """The default robot with so many beams."""
    from rl_planner.gazebo.robot_model import RobotModel, find_robot_model

    last = -math.pi + 2.0 * math.pi * (beams - 1) / beams
    text = find_robot_model('default').read_text()
    text = re.sub(r'<samples>[^<]*', f'<samples>{beams}', text)
    text = re.sub(r'<max_angle>[^<]*', f'<max_angle>{last!r}', text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'robot.sdf'
        path.write_text(text)
        return RobotModel.read(str(path), 'gazebo_bridge')
