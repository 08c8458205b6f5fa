"""A training over several hosts, which are network namespaces here: no multicast between them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from support.hosts import Host, Network
from support.nodes import PATIENCE_SEC
from support.replay import repeated_transitions

from rl_planner.learning.checkpoint import checkpoints, number_of
from rl_planner.learning.run import read_metrics

pytestmark = pytest.mark.network

# By way of Python, at whose start the wheels of ROS 2 set the variables that their programs need.
EXECUTE = [sys.executable, '-c', 'import os, sys; os.execvp(sys.argv[1], sys.argv[1:])']
LEASE_SEC = 20.0  # Fast DDS forgets a participant that has been silent for so long


class Training:
    """A learner on one host, robots on others."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.run, self._folder = folder / 'run', folder
        self._params = folder / 'quick.yaml'
        self._params.write_text(
            '/**:\n  ros__parameters:\n'
            '    learning: {warmup_transitions: 128, replay_capacity: 100000}\n'
            'learner_node:\n  ros__parameters: {checkpoint_period: 2.0}\n'
        )
        self.learner, self.hosts = network.host('learner'), [network.host('a'), network.host('b')]
        self.env: dict[str, str] = {}
        self.robots_env = {'ROS_STATIC_PEERS': self.learner.address}

    def use_discovery_server(self) -> None:
        self.env = self.robots_env = {'ROS_DISCOVERY_SERVER': f'{self.learner.address}:11811'}
        places = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
        server = shutil.which('fast-discovery-server', path=places)
        assert server is not None
        command = [*EXECUTE, server, '-i', '0', '-l', self.learner.address, '-p', '11811']
        self.learner.start(command, self._folder / 'server.log', {})

    def learn(self, *more: str) -> None:
        own = ['--role', 'learner', '--device', 'cpu', '--out', str(self.run)]
        self._learning = self._start(self.learner, self.env, *own, *more)

    def end_learning(self) -> None:
        self._learning.send_signal(signal.SIGINT)
        assert self._learning.wait(PATIENCE_SEC) == 0

    def drive(self, host: Host) -> None:
        own = ['--role', 'robots', '--namespace', host.name, '--robots', '4']
        self._start(host, self.robots_env, *own)

    def _start(self, host: Host, env: Mapping[str, str], *more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, '-m', 'rl_planner.cli.main', 'bringup', 'train', *more]
        command += ['--params-file', str(self._params)]
        return host.start(command, self._folder / f'{host.name}.log', env)

    def told(self, text: str) -> int:
        """How often the learner has said it."""
        return (self._folder / 'learner.log').read_text().count(text)

    def newest(self) -> dict[str, float]:
        path = self.run / 'metrics.jsonl'
        return (read_metrics(path) or [{}])[-1] if path.exists() else {}

    def wait(self, condition: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """The first row of the metrics to meet the condition."""
        deadline = time.monotonic() + PATIENCE_SEC
        while True:
            row = self.newest()
            if row and condition(row):
                return row
            assert time.monotonic() < deadline, f'nothing came of it in time; the last is {row}'
            time.sleep(0.2)

    def go_on(self, steps: int = 500) -> dict[str, float]:
        """Wait for so many more transitions."""
        before = self.newest()['steps']
        return self.wait(lambda row: row['steps'] > before + steps)


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Training]:
    with Network() as network:
        yield Training(network, tmp_path)


@pytest.mark.parametrize('discovery', ['static peers', 'discovery server'])
def test_robots_of_two_hosts_feed_one_learner(training: Training, discovery: str) -> None:
    if discovery == 'discovery server':
        training.use_discovery_server()
    training.learn()
    for host in training.hosts:
        training.drive(host)
    training.wait(lambda row: row['actors'] == 2 and row['updates'] > 5)
    row = training.go_on()
    assert (row['lost'], row['duplicated']) == (0, 0)
    training.end_learning()
    assert repeated_transitions(training.run) == 0


def test_a_host_that_dies_and_comes_back_is_picked_up_again(training: Training) -> None:
    training.learn()
    for host in training.hosts:
        training.drive(host)
    training.wait(lambda row: row['actors'] == 2 and row['steps'] > 500)
    dying, staying = training.hosts
    dying.kill()
    training.wait(lambda row: row['actors'] == 1)
    training.go_on()  # with those of the other host
    training.drive(dying)
    training.wait(lambda row: row['actors'] == 2)
    staying.kill()
    row = training.go_on()  # with those of the one that came back: its policy came too
    assert (row['lost'], row['duplicated']) == (0, 0)
    training.end_learning()
    assert repeated_transitions(training.run) == 0


def test_a_link_that_fails_shortly_costs_nothing_and_for_long_only_what_was_driven_meanwhile(
    training: Training,
) -> None:
    training.learn()
    host, _ = training.hosts
    training.drive(host)
    training.wait(lambda row: row['actors'] == 1 and row['steps'] > 500)
    host.set_link('down')
    time.sleep(0.25 * LEASE_SEC)
    host.set_link('up')
    row = training.go_on(2000)
    assert (row['lost'], row['duplicated']) == (0, 0)
    host.set_link('down')
    training.wait(lambda row: row['actors'] == 0)
    time.sleep(LEASE_SEC)
    host.set_link('up')
    training.wait(lambda row: row['actors'] == 1)
    row = training.go_on()
    assert row['duplicated'] == 0
    training.end_learning()
    assert repeated_transitions(training.run) == 0


def test_a_learner_that_dies_goes_on_with_robots_that_never_stopped(training: Training) -> None:
    training.learn()
    host, _ = training.hosts
    training.drive(host)
    training.wait(lambda _: newest_checkpoint(training.run) > 500)
    training.learner.kill()
    kept = newest_checkpoint(training.run)
    training.learn('--resume')
    row = training.wait(lambda row: row['received'] < 64 and row['steps'] > kept + 500)
    assert (row['lost'], row['duplicated']) == (0, 0)
    training.end_learning()
    assert training.told(f'resumed at {kept} transitions') == 1
    assert repeated_transitions(training.run) == 0


def newest_checkpoint(run: Path) -> int:
    """How many transitions it has; 0 before the first."""
    return max(map(number_of, checkpoints(run / 'checkpoints')), default=0)
