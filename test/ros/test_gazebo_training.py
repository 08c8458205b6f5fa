"""A training in Gazebo, one of whose gzservers is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.domains import claim_domain
from support.processes import children, until_gone
from support.replay import repeated_transitions

from rl_planner.learning.run import read_metrics

PATIENCE_SEC = 120.0

pytestmark = pytest.mark.gazebo


class Training:
    """`rl_planner bringup train` with two robots, each in a gzserver of its own."""

    def __init__(self, folder: Path, domain: int, gazebo_root: str) -> None:
        self.run, self._log = folder / 'run', folder / 'train.log'
        params = folder / 'quick.yaml'
        params.write_text(
            '/**:\n  ros__parameters:\n'
            '    learning: {warmup_transitions: 64, replay_capacity: 20000}\n'
        )
        own = ['--simulator', 'gazebo_bridge', '--robots', '2', '--servers', '2']
        more = ['--out', str(self.run), '--device', 'cpu', '--params-file', str(params)]
        command = [sys.executable, '-m', 'rl_planner.cli.main', 'bringup', 'train', *own, *more]
        with self._log.open('w') as log:
            self.process = subprocess.Popen(
                [*command, '--gazebo-root', gazebo_root],
                env={**os.environ, 'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def servers(self) -> set[int]:
        return {pid for pid in self.processes() if _name(pid) == 'gzserver'}

    def processes(self) -> list[int]:
        """All that the training has started, and what those have."""
        found = [self.process.pid]
        for pid in found:  # grows meanwhile
            found += children(pid)
        return found[1:]

    def wait(self, condition: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """The first row of the metrics to meet the condition."""
        deadline, path = time.monotonic() + PATIENCE_SEC, self.run / 'metrics.jsonl'
        while True:
            row = (list(read_metrics(path)) if path.exists() else [])[-1:]
            if row and condition(row[0]):
                return row[0]
            assert self.process.poll() is None, self.told()
            assert time.monotonic() < deadline, f'not in time: {row}; {self.told()}'
            time.sleep(0.2)

    def told(self) -> str:
        return self._log.read_text()


@pytest.fixture
def training(tmp_path: Path, gazebo_root: str) -> Iterator[Training]:
    with claim_domain() as domain:
        training = Training(tmp_path, domain, gazebo_root)
        yield training
        if training.process.poll() is None:
            training.process.kill()  # the nodes end with it
            training.process.wait()


def test_a_training_goes_on_when_a_gzserver_is_killed(training: Training) -> None:
    before = training.wait(lambda row: row['updates'] > 5)
    first = training.servers()
    assert len(first) == 2
    killed = min(first)
    os.kill(killed, signal.SIGKILL)
    row = training.wait(lambda row: row['steps'] > before['steps'] + 500)
    assert (row['lost'], row['duplicated']) == (0, 0)
    assert training.told().count('its simulator ended and is started again') == 1
    second = training.servers()
    assert len(second) == 2
    assert first - second == {killed}
    started = training.processes()
    training.process.send_signal(signal.SIGINT)
    assert training.process.wait(PATIENCE_SEC) == 0, training.told()
    until_gone(started)
    assert repeated_transitions(training.run) == 0


def _name(pid: int) -> str:
    return Path(f'/proc/{pid}/comm').read_text().strip()
