"""`rl_planner benchmark simulator`: robot-steps per second."""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rl_planner.cli import irsim_peer
from rl_planner.cli.options import CommandError, add_seed, count, progress_bar, table

if TYPE_CHECKING:
    import numpy as np

    from rl_planner.simulation.environment import NavigationVectorEnv
    from rl_planner.simulation.episodes import EpisodePool
    from rl_planner.simulation.world import World

TEXT = """\
Measure robot-steps per second of the embedded simulator, beside IR-SIM.

Ray casting alone, and the whole step of the environment (kinematics, clearances, ray casting,
observation, reward, new episodes), in worlds of 22 segments and 10 circles. IR-SIM drives one robot
in one of these worlds, without drawing it; pip install 'rl_planner[peers]' brings it.

Where there is a GPU, also the whole step of the environment of tensors that trains there.
"""

BEAMS, ROBOTS = (36, 360), (128, 1024, 4096)
NUM_WORLDS = 64
MEASURED_SEC, REPETITIONS = 0.05, 15  # of each figure; the best repetition counts
PEER_SEC = 2.0
QUEUED = 10  # steps that a device is given before it is waited for


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
    parser.add_argument(
        '--device',
        choices=('cpu', 'cuda'),
        help='measure the environment of tensors there; default: cuda where there is one, else not',
    )
    parser.add_argument('--no-peers', action='store_true', help='without IR-SIM')


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all combinations, print them, return them."""
    device = _tensor_device(options.device)
    pool = _pool(options.seed)
    cases = list(itertools.product(BEAMS, ROBOTS, options.threads))
    results = []
    with progress_bar('measuring', len(cases), options.quiet) as bar:
        for beams, robots, threads in cases:
            results.append(_measure_case(pool, beams, robots, threads, options.seed))
            bar.update()
    header = ('beams', 'robots', 'threads', 'ray casting', 'whole step')
    print(table(header, map(_cells, results)), '\nin robot-steps per second', sep='\n')
    return {
        'results': results,
        'tensors': [] if device is None else _tensors(pool, device, options.seed),
        'peers': [] if options.no_peers else _peers(pool, results),
    }


def _tensor_device(wish: str | None) -> str | None:
    import torch

    there = torch.cuda.is_available()
    if wish == 'cuda' and not there:
        raise CommandError('device must be cpu, as torch finds no CUDA device; got cuda')
    return wish or ('cuda' if there else None)


def _tensors(pool: EpisodePool, device: str, seed: int) -> list[dict[str, Any]]:
    """The figures of the environment of tensors, printed."""
    rows = [
        {
            'device': device,
            'beams': beams,
            'robots': robots,
            'steps_per_sec': _tensor_rate(pool, beams, robots, device, seed),
        }
        for beams, robots in itertools.product(BEAMS, ROBOTS)
    ]
    cells = [[f'{row[name]:,.0f}' for name in ('beams', 'robots', 'steps_per_sec')] for row in rows]
    print(f'\nTensors on {device}:', table(('beams', 'robots', 'whole step'), cells), sep='\n')
    return rows


def _tensor_rate(pool: EpisodePool, beams: int, robots: int, device: str, seed: int) -> float:
    """Robot-steps per second; steps are queued on the device, which is waited for now and then."""
    import torch

    from rl_planner.learning.recorded import Recorded
    from rl_planner.navigation.config import LidarConfig
    from rl_planner.simulation.tensor_environment import TensorNavigationEnv

    lidar = LidarConfig(num_beams=beams)
    env = TensorNavigationEnv(robots, pool, lidar=lidar, seed=seed, device=device)
    env.reset(seed=seed)
    generator = torch.Generator().manual_seed(seed)
    actions = (2.0 * torch.rand(robots, 2, generator=generator) - 1.0).to(device)

    step = Recorded(lambda: env.step(actions)[:4], env.device, env.parts, (env.generator,))

    def steps() -> None:
        for _ in range(QUEUED):
            _, rewards, *_ = step()
        rewards.sum().item()

    return QUEUED * robots * _rate(steps)


def _cells(result: dict[str, Any]) -> list[str]:
    names = ('beams', 'robots', 'threads', 'ray_casting_per_sec', 'steps_per_sec')
    return [f'{result[name]:,.0f}' for name in names]


def _peers(pool: EpisodePool, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """IR-SIM's figures, and how many times as fast the best of ours is."""
    from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig

    if not irsim_peer.installed():
        print("\nnot compared with IR-SIM: pip install 'rl_planner[peers]'")
        return []
    episode, peers = pool.episode(0, 0), []
    print('\nIR-SIM in the same world:')
    for beams in BEAMS:
        rate = irsim_peer.steps_per_sec(
            episode,
            RobotConfig(),
            LidarConfig(num_beams=beams),
            TaskConfig().control_period,
            PEER_SEC,
        )
        best = max(each['steps_per_sec'] for each in results if each['beams'] == beams)
        print(f'{beams} beams: {rate:,.0f} robot-steps per second; ours: {best / rate:,.0f} times')
        size = {name: results[0][name] for name in ('segments', 'circles')}
        peers.append({'peer': 'ir-sim', 'beams': beams, **size, 'steps_per_sec': rate})
    return peers


def _measure_case(
    pool: EpisodePool, beams: int, robots: int, threads: int, seed: int
) -> dict[str, Any]:
    import numpy as np

    from rl_planner.navigation.config import LidarConfig
    from rl_planner.simulation.environment import NavigationVectorEnv

    lidar = LidarConfig(num_beams=beams)
    env = NavigationVectorEnv(robots, pool, lidar=lidar, seed=seed, threads=threads, copy=False)
    env.reset(seed=seed)
    actions = np.random.default_rng(seed).uniform(-1.0, 1.0, (robots, 2)).astype(np.float32)
    return {
        'robots': robots,
        'beams': beams,
        'segments': len(pool.worlds[0].segments),
        'circles': len(pool.worlds[0].circles),
        'threads': threads,
        'ray_casting_per_sec': robots * _rate(_ray_casting(env)),
        'steps_per_sec': robots * _rate(lambda: env.step(actions)),
    }


def _ray_casting(env: NavigationVectorEnv) -> Callable[[], object]:
    """One scan of every robot, and nothing else."""
    from rl_planner.navigation.observation import ScanGeometry
    from rl_planner.simulation.beams import Beams
    from rl_planner.simulation.raycast import sense

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
    """8 x 8 m between four walls, with four boxes, a partition seen from both sides, ten pillars.

    4 + 4 * 4 + 2 segments and 10 circles.
    """
    import numpy as np

    from rl_planner.simulation.world import World

    edges = [[-4, -4, -4, 4], [-4, 4, 4, 4], [4, 4, 4, -4], [4, -4, -4, -4]]
    turns, sizes = rng.uniform(-np.pi, np.pi, 4), rng.uniform(0.3, 1.2, (4, 2))
    boxes = np.column_stack([rng.uniform(-3.5, 3.5, (4, 2)), turns, sizes])
    pillars = np.column_stack([rng.uniform(-3.5, 3.5, (10, 2)), rng.uniform(0.1, 0.3, 10)])
    middle, turn = rng.uniform(-2.5, 2.5, 2), rng.uniform(-np.pi, np.pi)
    half = np.array([np.cos(turn), np.sin(turn)])
    sides = [[*(middle - half), *(middle + half)], [*(middle + half), *(middle - half)]]
    return World(boxes=boxes, circles=pillars, walls=np.array(edges + sides))
