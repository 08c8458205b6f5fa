"""The whole system, as its users start it: processes over DDS, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.nodes import PATIENCE_SEC, Nodes, Peer

from rl_planner.bringup import system
from rl_planner.bringup.supervisor import Supervisor
from rl_planner.learning.run import read_metrics
from rl_planner.navigation.policy import Policy

DEFAULT_POLICY = Path(__file__).parents[2] / 'config' / 'policies' / 'default.safetensors'


@pytest.fixture
def params_file(tmp_path: Path) -> Path:
    """Little to learn before it begins, and little to write."""
    path = tmp_path / 'quick.yaml'
    path.write_text(
        '/**:\n  ros__parameters:\n'
        '    learning: {warmup_transitions: 128, replay_capacity: 20000}\n'
    )
    return path


def wait_for(condition, supervisor: Supervisor | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_SEC
    while not condition():
        assert time.monotonic() < deadline, 'nothing came of it in time'
        assert supervisor is None or supervisor.poll() is None
        time.sleep(0.1)


def rows_of(run: Path) -> Iterator[dict[str, float]]:
    path = run / 'metrics.jsonl'
    return iter(read_metrics(path) if path.exists() else [])


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f'/proc/{pid}').exists()]


def test_trains_over_dds_and_then_drives(nodes: Nodes, tmp_path: Path, params_file: Path) -> None:
    run, log = tmp_path / 'run', tmp_path / 'episodes.jsonl'
    train = system.train(out=str(run), robots=4, params_file=str(params_file))
    with Supervisor(train, log_dir=tmp_path / 'train', domain_id=nodes.domain) as supervisor:
        wait_for(lambda: any(row['updates'] > 5 for row in rows_of(run)), supervisor)
        pids = list(supervisor.pids.values())
    assert not alive(pids)
    last = list(rows_of(run))[-1]
    assert last['steps'] > 128
    assert (last['lost'], last['duplicated']) == (0, 0)
    assert last['success_rate'] >= 0.0

    policy = run / 'policy.safetensors'
    assert Policy.load(policy).metadata.provenance['updates'] == last['updates']
    drive = system.simulation(
        policy=str(policy), robots=2, real_time_factor=0, episodes=3, episode_log=str(log)
    )
    with Supervisor(drive, log_dir=tmp_path / 'drive', domain_id=nodes.domain) as supervisor:
        assert supervisor.wait(PATIENCE_SEC) == 0
    episodes = [json.loads(line) for line in log.read_text().splitlines()]
    assert [episode['episode'] for episode in episodes] == [0, 1, 2]
    for episode in episodes:
        assert episode['outcome'] in ('goal', 'collision', 'timeout')
        assert episode['states'][0] == pytest.approx([*episode['start'], 0, 0], abs=1e-6)
        assert len(episode['world']['boxes']) >= 4


def test_fine_tuning_begins_where_the_policy_is(nodes: Nodes, tmp_path: Path) -> None:
    """It reaches 99 % of its goals, exploring a little fewer; what knows nothing, hardly one."""
    run = tmp_path / 'run'
    train = system.train(out=str(run), robots=4, init_policy=str(DEFAULT_POLICY))
    with Supervisor(train, log_dir=tmp_path / 'train', domain_id=nodes.domain) as supervisor:
        wait_for(lambda: any(row['updates'] > 20 for row in rows_of(run)), supervisor)
    last = list(rows_of(run))[-1]
    assert last['updates'] < 2000  # the actor rests: whatever was reached, it reached
    assert last['success_rate'] > 0.8


def test_driving_is_repeatable(nodes: Nodes, tmp_path: Path, policy_file: Path) -> None:
    paths = []
    for attempt in range(2):
        log = tmp_path / f'{attempt}.jsonl'
        drive = system.simulation(
            policy=str(policy_file), real_time_factor=0, episodes=3, episode_log=str(log), seed=5
        )
        with Supervisor(drive, log_dir=tmp_path, domain_id=nodes.domain) as supervisor:
            assert supervisor.wait(PATIENCE_SEC) == 0
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        # Only how long a robot waits at the start for its goal depends on the machine.
        paths.append([list(dict.fromkeys(map(tuple, row['states']))) for row in rows])
    assert len(paths[0]) == 3
    assert paths[0] == paths[1]


def test_simulators_of_two_hosts_do_not_mix(
    nodes: Nodes, peer: Peer, tmp_path: Path, params_file: Path
) -> None:
    """Two that see each other, as on one LAN: each has its own time and its own robots."""
    run, common = tmp_path / 'run', {'params_file': str(params_file)}
    learner = system.train(role='learner', out=str(run), **common)
    logs = {name: tmp_path / f'{name}.jsonl' for name in ('a', 'b')}
    with contextlib.ExitStack() as stack:

        def start(processes: list[system.Process], name: str) -> None:
            where = {'log_dir': tmp_path / name, 'domain_id': nodes.domain}
            stack.enter_context(Supervisor(processes, **where))

        start(learner, 'learner')
        for name, log in logs.items():
            own = {'namespace': name, 'robots': 2, 'episode_log': str(log)}
            start(system.train(role='robots', **own, **common), name)
        wait_for(lambda: any(row['actors'] == 2 and row['updates'] > 5 for row in rows_of(run)))
        wait_for(lambda: all(log.exists() and log.read_text() for log in logs.values()))
        count = peer.node.count_publishers
        peer.until(lambda: count('/a/clock') == count('/b/clock') == 1)
        assert (count('/clock'), count('/a/robot_0/scan'), count('/robot_0/scan')) == (0, 1, 0)
        assert (count('/experience'), count('/policy')) == (2, 1)
    last = list(rows_of(run))[-1]
    assert (last['lost'], last['duplicated']) == (0, 0)
    worlds = [json.loads(log.read_text().splitlines()[0])['world'] for log in logs.values()]
    assert worlds[0] != worlds[1]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_bringup_leaves_nothing_behind(
    nodes: Nodes, tmp_path: Path, params_file: Path, number: int
) -> None:
    run = tmp_path / 'run'
    command = [sys.executable, '-m', 'rl_planner.cli.main', 'bringup', 'train', '--robots', '2']
    command += ['--out', str(run), '--params-file', str(params_file)]
    env = {**os.environ, 'ROS_DOMAIN_ID': str(nodes.domain)}
    bringup = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: any(row['steps'] > 0 for row in rows_of(run)))
        children = Path(f'/proc/{bringup.pid}/task/{bringup.pid}/children').read_text().split()
        pids = [int(child) for child in children]
        assert len(pids) == 4
        bringup.send_signal(number)
        bringup.wait(PATIENCE_SEC)
        wait_for(lambda: not alive(pids))
    finally:
        bringup.kill()
        bringup.wait()
