"""The command line, called as a user calls it, without a process of its own for each test."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rl_planner.bringup.process import Process
from rl_planner.bringup.supervisor import Supervisor
from rl_planner.cli import ros_system
from rl_planner.cli.main import main
from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import Policy, PolicyMetadata


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Answer]
FakeNodes = Callable[[dict[str, str]], list[Process]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `rl_planner ARGUMENTS`."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:  # how argparse ends
            code = int(end.code or 0)
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """A policy that always drives straight on at half speed."""
    shape = (2, observation_size(ObservationConfig()))
    tensors = {'actor.0.weight': np.zeros(shape), 'actor.0.bias': np.zeros(2)}
    metadata = PolicyMetadata.for_robot(RobotConfig(), ObservationConfig(), 0.1, 'none')
    path = tmp_path / 'policy.safetensors'
    Policy(tensors, metadata).save(path)
    return path


@pytest.fixture
def fake_nodes(monkeypatch: pytest.MonkeyPatch) -> FakeNodes:
    """Programs in place of the nodes, by name.

    A node without one sleeps, and so does the episode node in training. A program finds the node's
    parameters in `parameters`. The list tells what was started.
    """

    def install(programs: dict[str, str]) -> list[Process]:
        started: list[Process] = []

        def command_of(process: Process) -> list[str]:
            started.append(process)
            if process.name not in programs or process.parameters.get('purpose') == 'training':
                return ['sleep', '60']  # unlike Python, it ends by SIGINT from its first moment on
            given = f'parameters = {dict(process.parameters)!r}\n'
            return [sys.executable, '-c', given + programs[process.name]]

        fake = partial(Supervisor, command=command_of)
        monkeypatch.setattr(ros_system, 'Supervisor', fake)
        monkeypatch.setattr(ros_system, 'POLL_SEC', 0.05)
        return started

    return install
