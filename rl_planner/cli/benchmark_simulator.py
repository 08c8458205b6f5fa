"""`rl_planner benchmark simulator`: robot-steps per second."""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import add_seed, count, progress_bar, table

if TYPE_CHECKING:
    import numpy as np

    from rl_planner.simulation.environment import NavigationVectorEnv
    from rl_planner.simulation.episodes import EpisodePool
    from rl_planner.simulation.world import World

TEXT = """\
Measure robot-steps per second of the embedded simulator.

Ray casting alone, and the whole step of the environment (kinematics, ray casting, observation,
reward, new episodes), in worlds of 24 segments and 10 circles.
"""

BEAMS, ROBOTS = (36, 360), (64, 256, 1024)
NUM_WORLDS = 64
MEASURED_SEC, REPETITIONS = 0.25, 3  # of each figure; the best repetition counts


def add_options(parser: argparse.ArgumentParser) -> None:
    add_seed(parser)
    parser.add_argument(
        '--threads',
        type=count,
        nargs='+',
        default=[1, 2],
        metavar='T',
        help='numbers of threads to try; default: 1 2',
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all combinations, print them, return them."""
    pool = _pool(options.seed)
    cases = list(itertools.product(BEAMS, ROBOTS, options.threads))
    results = []
    with progress_bar('measuring', len(cases), options.quiet) as bar:
        for beams, robots, threads in cases:
            results.append(_measure_case(pool, beams, robots, threads, options.seed))
            bar.update()
    header = ('beams', 'robots', 'threads', 'ray casting', 'whole step')
    print(table(header, map(_cells, results)), '\nin robot-steps per second', sep='\n')
    return {'results': results}


def _cells(result: dict[str, Any]) -> list[str]:
    return [f'{value:,.0f}' for value in result.values()]


def _measure_case(
    pool: EpisodePool, beams: int, robots: int, threads: int, seed: int
) -> dict[str, Any]:
    import numpy as np

    from rl_planner.navigation.config import LidarConfig
    from rl_planner.simulation.environment import NavigationVectorEnv

    lidar = LidarConfig(num_beams=beams)
    env = NavigationVectorEnv(robots, pool, lidar=lidar, seed=seed, threads=threads)
    env.reset(seed=seed)
    actions = np.random.default_rng(seed).uniform(-1.0, 1.0, (robots, 2)).astype(np.float32)
    return {
        'beams': beams,
        'robots': robots,
        'threads': threads,
        'ray_casting_per_sec': robots * _rate(_ray_casting(env)),
        'whole_step_per_sec': robots * _rate(lambda: env.step(actions)),
    }


def _ray_casting(env: NavigationVectorEnv) -> Callable[[], object]:
    """One scan of every robot, and nothing else."""
    from rl_planner.navigation.observation import ScanGeometry
    from rl_planner.simulation.raycast import Beams, sense

    sim = env.simulator
    beams = Beams.of(ScanGeometry.of(sim.lidar))

    def part(begin: int, end: int) -> None:
        scene = (sim.poses, sim.worlds, sim.obstacles, sim.moving)
        sense(sim.rows[begin:end], *scene, beams, sim.ranges)

    return lambda: sim.parallel(part, len(sim.rows))


def _rate(call: Callable[[], object]) -> float:
    """Calls per second, the best of some repetitions: others only ever slow a machine down."""
    call()
    best = 0.0
    for _ in range(REPETITIONS):
        calls, began = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < MEASURED_SEC:
            call()
            calls += 1
        best = max(best, calls / elapsed)
    return best


def _pool(seed: int) -> EpisodePool:
    import numpy as np

    from rl_planner.navigation.config import RobotConfig
    from rl_planner.simulation.episodes import EpisodePool, sample_episodes

    rng = np.random.default_rng(seed)
    worlds = [_world(rng) for _ in range(NUM_WORLDS)]
    robot = RobotConfig()
    starts, goals = zip(*(sample_episodes(each, rng, robot, 16) for each in worlds), strict=True)
    one_family = np.zeros(len(worlds), np.int64)
    return EpisodePool(worlds, np.stack(starts), np.stack(goals), one_family)


def _world(rng: np.random.Generator) -> World:
    """8 x 8 m within walls, two boxes and ten pillars."""
    import numpy as np

    from rl_planner.simulation.world import World

    walls = [[0, 4, 0, 8, 0.1], [0, -4, 0, 8, 0.1], [4, 0, 0, 0.1, 8], [-4, 0, 0, 0.1, 8]]
    turns, sizes = rng.uniform(-np.pi, np.pi, 2), rng.uniform(0.3, 1.2, (2, 2))
    boxes = np.column_stack([rng.uniform(-3.5, 3.5, (2, 2)), turns, sizes])
    pillars = np.column_stack([rng.uniform(-3.5, 3.5, (10, 2)), rng.uniform(0.1, 0.3, 10)])
    return World(boxes=np.concatenate([walls, boxes]), circles=pillars)
