"""episode_node with the services of both Gazebos, over DDS; Gazebo itself is played.

The service types come from their field lists: `.ci/interfaces` makes them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.nodes import Nodes, Peer, seeking_policy

from rl_planner.evaluation.episode_file import write_episodes
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

pytestmark = pytest.mark.gazebo
INTERFACES = Path(__file__).parents[2] / '.interfaces'
WORLD = World(
    circles=np.array([[2.0, 1.5, 0.3]]), movers=np.array([[1.0, -2.0, 3.0, -2.0, 0.2, 0.5, 0.0]])
)
OTHER = World(circles=np.array([[1.0, -1.5, 0.4]]))


@pytest.fixture
def interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generated interfaces, for the processes that the test starts."""
    folder = Path(os.environ.get('RL_PLANNER_TEST_INTERFACES', INTERFACES))
    (packages,) = folder.glob('lib/python3*/site-packages')
    for variable, path in (('PYTHONPATH', packages), ('LD_LIBRARY_PATH', folder / 'lib')):
        before = os.environ.get(variable)
        monkeypatch.setenv(variable, f'{path}{os.pathsep}{before}' if before else str(path))


@pytest.mark.parametrize('backend', ['gazebo_sim', 'gazebo_classic'])
def test_drives_among_obstacles_that_stand_and_move(
    nodes: Nodes, peer: Peer, tmp_path: Path, interfaces: None, backend: str
) -> None:
    rows = drive(nodes, peer, tmp_path, backend)
    assert [row['outcome'] for row in rows] == ['goal'] * 4
    # Robot 1 has its arena 40 m further on.
    assert [round(row['start'][0]) for row in rows] == [0, 40, 0, 40]
    for row in rows:
        assert row['states'][0] == pytest.approx([*row['start'], 0.0, 0.0], abs=1e-6)
    told = json.loads((tmp_path / 'told').read_text())
    # What stood for the episodes before is gone.
    names = sorted(name.rpartition('_')[0] for name in told['models'])
    assert names == ['robot_0_scenery', 'robot_1_mover_0', 'robot_1_scenery']
    x, y, _ = next(pose for name, pose in told['models'].items() if 'mover' in name)
    assert 41.0 < x <= 43.0
    assert y == -2.0
    if backend == 'gazebo_sim':  # in lock-step: whoever is at work, no period is longer
        for row in rows:
            x, speed = np.array(row['states'])[:, [0, 3]].T
            assert np.diff(x).max() <= 0.1 * speed.max() + 1e-4


def drive(nodes: Nodes, peer: Peer, folder: Path, backend: str) -> list[dict[str, Any]]:
    """Drive two robots through four episodes; the log, in the order of the episodes."""
    robots, log = ['robot_0', 'robot_1'], folder / 'log.jsonl'
    episodes = [
        Episode(world, (0.0, y, 0.0), (1.5, y))
        for world, y in ((WORLD, 0.0), (WORLD, 0.0), (OTHER, 0.2), (WORLD, 0.2))
    ]
    write_episodes(folder / 'tasks.jsonl', episodes)
    seeking_policy().save(folder / 'policy.safetensors')
    nodes.start_double('fake_gazebo', backend, str(folder), *robots)
    actor = {'policy_file': str(folder / 'policy.safetensors'), 'command_when_idle': True}
    nodes.start('actor_node', robots=robots, use_sim_time=True, **actor)
    node = nodes.start(
        'episode_node',
        robots=robots,
        backend=backend,
        scenarios=str(folder / 'tasks.jsonl'),
        episode_log=str(log),
        use_sim_time=True,
    )
    peer.until(lambda: node.poll() is not None)
    output, _ = node.communicate()
    assert node.returncode == 0, output
    return sorted((json.loads(line) for line in log.read_text().splitlines()), key=_scenario)


def _scenario(row: dict[str, Any]) -> int:
    return int(row['scenario'])


def test_says_which_package_is_missing(nodes: Nodes) -> None:
    for backend, package in (
        ('gazebo_sim', 'ros-gz-interfaces'),
        ('gazebo_classic', 'gazebo-msgs'),
    ):
        output = nodes.refuse('episode_node', backend=backend)
        assert f'apt install ros-$ROS_DISTRO-{package}' in output
