"""A program that knows nothing of its runner does not outlive it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.processes import DEADLINE_SEC, is_alive, until, until_gone

from rl_planner.bringup.lifetime import PARENT_PID
from rl_planner.bringup.process import Program
from rl_planner.bringup.supervisor import Supervisor

# Says who it is, and whether anything of the runner's has come through to it.
WAIT = f'echo $$ ${{{PARENT_PID}:-none}}; exec sleep 600'


def program(text: str = WAIT) -> Program:
    return Program('program', ('sh', '-c', text))


def pid_of(log: Path) -> int:
    until(lambda: log.exists() and log.read_text().endswith('\n'), 'program is up')
    pid, parent = log.read_text().split()
    assert parent == 'none'
    return int(pid)


def test_the_supervisor_ends_it(tmp_path: Path) -> None:
    with Supervisor([program()], log_dir=tmp_path) as system:
        pid = pid_of(tmp_path / 'program.log')
        assert system.poll() is None
    assert system.exit_code == 0
    assert not is_alive(pid)


def test_its_end_ends_the_system_with_its_code(tmp_path: Path) -> None:
    with Supervisor([program('exit 5')], log_dir=tmp_path) as system:
        assert system.wait(DEADLINE_SEC) == 5


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with Supervisor([Program('program', ('no_gzserver',))], log_dir=tmp_path) as system:
        assert system.wait(DEADLINE_SEC) == 127
    assert 'no_gzserver' in (tmp_path / 'program.log').read_text()


def test_a_deaf_one_is_killed(tmp_path: Path) -> None:
    deaf = f"trap '' INT TERM; {WAIT}"
    with Supervisor(
        [program(deaf)], log_dir=tmp_path, sigterm_after_sec=0.1, sigkill_after_sec=0.1
    ):
        pid = pid_of(tmp_path / 'program.log')
    until_gone([pid])


RUNNER = """
import sys
from pathlib import Path
from rl_planner.bringup.process import Program
from rl_planner.bringup.supervisor import run
run([Program('program', ('sh', '-c', sys.argv[2]))], Path(sys.argv[1]))
"""


def test_it_does_not_outlive_a_killed_runner(tmp_path: Path) -> None:
    runner = subprocess.Popen([sys.executable, '-c', RUNNER, str(tmp_path), WAIT])
    pid = pid_of(tmp_path / 'program.log')
    runner.kill()
    runner.wait(DEADLINE_SEC)
    until_gone([pid])


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_ends_as_asked(number: int, tmp_path: Path) -> None:
    log = tmp_path / 'log'
    with log.open('wb') as out:
        command = [sys.executable, *program().tied_command()]
        tied = subprocess.Popen(command, stdout=out)
    pid = pid_of(log)
    tied.send_signal(number)
    assert tied.wait(DEADLINE_SEC) == 0
    assert not is_alive(pid)


def test_killing_what_ties_it_kills_it(tmp_path: Path) -> None:
    log = tmp_path / 'log'
    with log.open('wb') as out:
        tied = subprocess.Popen([sys.executable, *program().tied_command()], stdout=out)
    pid = pid_of(log)
    tied.kill()
    tied.wait(DEADLINE_SEC)
    until_gone([pid])
