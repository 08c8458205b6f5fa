"""The scene that IR-SIM is given is ours: what its lidar sees in it is what ours does."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rl_planner.cli import benchmark_simulator, irsim_peer
from rl_planner.cli.options import CommandError
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.simulation.episodes import EpisodePool
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.simulator import BatchSimulator

LIDAR = LidarConfig(num_beams=73, range_max=6.0)
LOOK = """
import json, sys
import irsim
env = irsim.make(sys.argv[1], headless=True, log_level='ERROR')
print(json.dumps(env.get_lidar_scan()['ranges'].tolist()))
"""


@pytest.fixture(scope='module')
def pool() -> EpisodePool:
    return benchmark_simulator._pool(seed=0)


needs_irsim = pytest.mark.skipif(not irsim_peer.installed(), reason='IR-SIM is not installed')


@needs_irsim
def test_its_lidar_sees_the_same(pool: EpisodePool, tmp_path: Path) -> None:
    episode = pool.episode(3, 0)
    path = tmp_path / 'world.yaml'
    path.write_text(json.dumps(irsim_peer.scene(episode, RobotConfig(), LIDAR, 0.1)))
    command = [sys.executable, '-c', LOOK, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    theirs = np.array(json.loads(done.stdout.splitlines()[-1]))
    # from straight behind to straight behind: its first and last beam are the same
    ours = LidarConfig(num_beams=72, range_max=6.0)
    simulator = BatchSimulator(RobotConfig(), ours, pack_worlds([episode.world]), 1, 0.1)
    simulator.place(simulator.rows, np.zeros(1, np.int64), np.array([episode.start]))
    ranges = np.minimum(simulator.ranges[0], 6.0)
    # its circles are polygons, and at an obstacle's edge a beam may hit it or pass it
    near = np.abs(theirs[:-1] - ranges) < 0.02
    assert near.mean() > 0.95
    assert (ranges < 6.0).mean() > 0.3


@needs_irsim
def test_it_is_measured(pool: EpisodePool) -> None:
    rate = irsim_peer.steps_per_sec(pool.episode(0, 0), RobotConfig(), LIDAR, 0.1, 0.05)
    assert 0.0 < rate < math.inf


@pytest.mark.parametrize(
    ('program', 'message'),
    [('raise SystemExit("no such thing")', 'no such thing'), ('print("fine")', 'how fast it is')],
)
def test_what_goes_wrong_there_is_named(
    pool: EpisodePool,
    program: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / 'fake_peer.py').write_text(program)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    monkeypatch.setattr(irsim_peer, '__name__', 'fake_peer')
    with pytest.raises(CommandError, match=message):
        irsim_peer.steps_per_sec(pool.episode(0, 0), RobotConfig(), LIDAR, 0.1, 0.05)


def test_a_wall_seen_from_both_sides_is_there_once(pool: EpisodePool) -> None:
    scene = irsim_peer.scene(pool.episode(0, 0), RobotConfig(), LIDAR, 0.1)
    shapes = [each['shape']['name'] for each in scene['obstacle']]
    assert [shapes.count(name) for name in ('linestring', 'rectangle', 'circle')] == [5, 4, 10]
