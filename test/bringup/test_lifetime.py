"""A process ends with the one that started it."""

import os
import signal
import subprocess
import sys

import pytest

from rl_planner.bringup.lifetime import PARENT_PID, end_with_parent

PROGRAM = """
import os, time
from rl_planner.bringup.lifetime import end_with_parent
end_with_parent(poll_period_sec=0.05)
print(os.environ.get('RL_PLANNER_PARENT_PID'), flush=True)
time.sleep({seconds})
"""


def run(parent: int | None, seconds: float) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != PARENT_PID}
    if parent is not None:
        env[PARENT_PID] = str(parent)
    command = [sys.executable, '-c', PROGRAM.format(seconds=seconds)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_a_process_whose_runner_is_gone_ends_at_once() -> None:
    assert run(parent=os.getpid() + 1, seconds=600).returncode == -signal.SIGTERM


def test_a_process_runs_as_long_as_its_runner() -> None:
    assert run(parent=os.getpid(), seconds=0.3).returncode == 0


def test_a_process_started_by_hand_is_left_alone() -> None:
    assert run(parent=None, seconds=0.3).returncode == 0


def test_the_variable_is_not_passed_on() -> None:
    assert run(parent=os.getpid(), seconds=0.0).stdout == 'None\n'


def test_a_broken_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PARENT_PID, 'me')
    with pytest.raises(ValueError, match="RL_PLANNER_PARENT_PID must be a process id, got 'me'"):
        end_with_parent()


# PyDLL calls C with the interpreter's lock held, as bindings do that wait where they should not.
HANGING = """
import ctypes
from rl_planner.bringup.lifetime import exit_within
print('closed', flush=True)
exit_within(1, {code})
{rest}
"""


@pytest.mark.parametrize('code', [0, 3])
@pytest.mark.parametrize('rest', ['ctypes.PyDLL(None).pause()', 'while True: pass'])
def test_a_process_that_hangs_at_its_end_ends_with_its_code(code: int, rest: str) -> None:
    command = [sys.executable, '-c', HANGING.format(code=code, rest=rest)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, 'closed\n', '')


def test_a_process_that_ends_in_time_ends_as_it_likes() -> None:
    command = [sys.executable, '-c', HANGING.format(code=0, rest='raise SystemExit(5)')]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, timeout=60).returncode == 5
