"""episode_node with the services of both Gazebos, over DDS; Gazebo itself is played but for one.

The service types come from their field lists: `.ci/interfaces` makes them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import LaserScan
from support.gazebo_services import Services
from support.nodes import Nodes, Peer, seeking_policy

from rl_planner.evaluation.episode_file import write_episodes
from rl_planner.ros import qos
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

pytestmark = pytest.mark.gazebo
WORLD = World(
    circles=np.array([[2.0, 1.5, 0.3]]), movers=np.array([[1.0, -2.0, 3.0, -2.0, 0.2, 0.5, 0.0]])
)
ROBOTS = ['robot_0', 'robot_1']
OTHER = World(circles=np.array([[1.0, -1.5, 0.4]]))


@pytest.mark.parametrize('backend', ['gazebo_sim', 'gazebo_classic'])
def test_drives_among_obstacles_that_stand_and_move(
    nodes: Nodes, peer: Peer, tmp_path: Path, interfaces: Path, backend: str
) -> None:
    nodes.start_double('fake_gazebo', backend, str(tmp_path), *ROBOTS)
    rows = drive(nodes, peer, tmp_path, backend)
    assert [row['outcome'] for row in rows] == ['goal'] * 4
    # Robot 1 has its arena 200 m further on.
    assert [round(row['start'][0]) for row in rows] == [0, 200, 0, 200]
    for row in rows:
        assert row['states'][0] == pytest.approx([*row['start'], 0.0, 0.0], abs=1e-6)
    told = json.loads((tmp_path / 'told').read_text())
    # What stood for the episodes before is gone.
    names = sorted(name.rpartition('_')[0] for name in told['models'])
    assert names == ['robot_0_scenery', 'robot_1_mover_0', 'robot_1_scenery']
    x, y, _ = next(pose for name, pose in told['models'].items() if 'mover' in name)
    assert 201.0 < x <= 203.0
    assert y == -2.0
    if backend == 'gazebo_sim':  # in lock-step: whoever is at work, no period is longer
        for row in rows:
            x, speed = np.array(row['states'])[:, [0, 3]].T
            assert np.diff(x).max() <= 0.1 * speed.max() + 1e-4


@pytest.mark.parametrize('servers', [1, 2])
def test_drives_in_a_real_gazebo_by_the_services_of_a_bridge(
    nodes: Nodes, peer: Peer, tmp_path: Path, interfaces: Path, gazebo_root: str, servers: int
) -> None:
    nodes.start(
        'gazebo_bridge_node',
        robots=ROBOTS,
        servers=servers,
        real_time_factor=2.0,
        use_stamped_cmd_vel=False,
        gazebo_root=gazebo_root,
    )
    rows = drive(nodes, peer, tmp_path, 'gazebo_classic')
    assert [row['outcome'] for row in rows] == ['goal'] * 4
    for row in rows:  # the bridge's robots are there: none was spawned
        assert row['states'][0][:3] == pytest.approx(row['start'], abs=0.05)
    services = Services(peer, interfaces)
    tried = [
        f'{robot}_{part}_{number}'
        for robot in ROBOTS
        for part in ('scenery', 'mover_0')
        for number in range(1, 13)
    ]
    there = [name for name in tried if services.exists(name)]
    # What stood for the episodes before is gone.
    kinds = [name.rpartition('_')[0] for name in there]
    assert kinds == ['robot_0_scenery', 'robot_1_scenery', 'robot_1_mover_0']
    x, y, _ = services.place(there[2])
    assert 201.0 < x <= 203.0
    assert y == pytest.approx(-2.0)
    scans: list[LaserScan] = []
    peer.node.create_subscription(LaserScan, 'robot_1/scan', scans.append, qos.RELIABLE)
    peer.until(lambda: scans)
    assert 0.9 < min(scans[0].ranges) < 1.8  # the disc, 1.3 m beside and about 0.8 m ahead


def drive(nodes: Nodes, peer: Peer, folder: Path, backend: str) -> list[dict[str, Any]]:
    """Drive two robots through four episodes; the log, in the order of the episodes."""
    log = folder / 'log.jsonl'
    episodes = [
        Episode(world, (0.0, y, 0.0), (1.5, y))
        for world, y in ((WORLD, 0.0), (WORLD, 0.0), (OTHER, 0.2), (WORLD, 0.2))
    ]
    write_episodes(folder / 'tasks.jsonl', episodes)
    seeking_policy().save(folder / 'policy.safetensors')
    actor = {'policy_file': str(folder / 'policy.safetensors'), 'command_when_idle': True}
    nodes.start('actor_node', robots=ROBOTS, use_sim_time=True, **actor)
    node = nodes.start(
        'episode_node',
        robots=ROBOTS,
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
