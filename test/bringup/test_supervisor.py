"""The supervisor, with small programs in the place of nodes: nothing is left over, ever."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.processes import DEADLINE_SEC, is_alive, until, until_gone

from rl_planner.bringup.process import Process
from rl_planner.bringup.supervisor import Supervisor, command_of

# Programs that stand in for nodes. Each says that it is ready once its signals are set up.
TIED = 'from rl_planner.bringup.lifetime import end_with_parent; end_with_parent(0.05, 0.2)\n'
WAIT = 'print("ready", flush=True); time.sleep(600)\n'
OBEDIENT = f'import time\n{TIED}{WAIT}'
DEAF = (
    'import signal, time\n'
    'signal.signal(signal.SIGINT, signal.SIG_IGN)\n'
    f'signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{TIED}{WAIT}'
)
UNABLE_TO_SAVE = (
    'import signal, sys, time\n'
    f'signal.signal(signal.SIGINT, lambda number, frame: sys.exit(4))\n{WAIT}'
)


def program(process: Process) -> list[str]:
    return [sys.executable, '-c', process.executable]


def until_ready(log_dir: Path, names: list[str]) -> None:
    logs = [log_dir / f'{name}.log' for name in names]
    until(lambda: all(log.exists() and 'ready' in log.read_text() for log in logs), f'{names} up')


def test_leaving_the_block_ends_all(tmp_path: Path) -> None:
    processes = [Process('a', OBEDIENT), Process('b', OBEDIENT)]
    with Supervisor(processes, command=program, log_dir=tmp_path) as system:
        until_ready(tmp_path, ['a', 'b'])
        assert system.poll() is None
        assert system.wait(timeout_sec=0.1) is None
        pids = list(system.pids.values())
    assert system.exit_code == 0
    assert not any(map(is_alive, pids))


def test_an_error_in_the_block_ends_all(tmp_path: Path) -> None:
    supervisor = Supervisor([Process('a', OBEDIENT)], command=program, log_dir=tmp_path)

    def use() -> None:
        with supervisor:
            until_ready(tmp_path, ['a'])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert not any(map(is_alive, supervisor.pids.values()))


def test_a_crash_of_a_required_process_ends_all(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    processes = [Process('steady', OBEDIENT), Process('crasher', 'raise SystemExit(3)')]
    with Supervisor(processes, command=program, log_dir=tmp_path) as system:
        assert system.wait(DEADLINE_SEC) == 3
        assert not any(map(is_alive, system.pids.values()))
    message = f'crasher ended with code 3 (see {tmp_path / "crasher.log"}): ending all others'
    assert message in capfd.readouterr().err


def test_an_end_by_a_signal_is_a_crash(tmp_path: Path) -> None:
    with Supervisor([Process('a', OBEDIENT)], command=program, log_dir=tmp_path) as system:
        os.kill(system.pids['a'], signal.SIGKILL)
        assert system.wait(DEADLINE_SEC) == 128 + signal.SIGKILL


def test_a_required_process_that_is_done_ends_all_with_0(tmp_path: Path) -> None:
    processes = [Process('steady', OBEDIENT), Process('done', 'pass')]
    with Supervisor(processes, command=program, log_dir=tmp_path) as system:
        until_ready(tmp_path, ['steady'])
        assert system.wait(DEADLINE_SEC) == 0
        assert not any(map(is_alive, system.pids.values()))


def test_others_may_end_when_they_like(tmp_path: Path) -> None:
    processes = [Process('steady', OBEDIENT), Process('guest', 'exit(1)', required=False)]
    with Supervisor(processes, command=program, log_dir=tmp_path) as system:
        until_ready(tmp_path, ['steady'])
        until(lambda: not is_alive(system.pids['guest']), 'end of the guest')
        assert system.poll() is None
    assert system.exit_code == 0


def test_a_failure_while_ending_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    processes = [Process('steady', OBEDIENT), Process('learner', UNABLE_TO_SAVE)]
    with Supervisor(processes, command=program, log_dir=tmp_path) as system:
        until_ready(tmp_path, ['steady', 'learner'])
    assert system.exit_code == 4
    assert 'learner, asked to end, ended with code 4' in capfd.readouterr().err


def test_a_deaf_process_is_killed(tmp_path: Path) -> None:
    supervisor = Supervisor(
        [Process('deaf', DEAF)],
        command=program,
        log_dir=tmp_path,
        sigterm_after_sec=0.1,
        sigkill_after_sec=0.1,
    )
    with supervisor as system:
        until_ready(tmp_path, ['deaf'])
    assert not any(map(is_alive, system.pids.values()))
    assert system.exit_code == 128 + signal.SIGKILL


def test_what_a_killed_process_had_started_goes_too(tmp_path: Path) -> None:
    child = 'import subprocess, sys\nprint(subprocess.Popen(["sleep", "600"]).pid, flush=True)\n'
    supervisor = Supervisor(
        [Process('deaf', child + DEAF)],
        command=program,
        log_dir=tmp_path,
        sigterm_after_sec=0.1,
        sigkill_after_sec=0.1,
    )
    with supervisor:
        until_ready(tmp_path, ['deaf'])
        grandchild = int((tmp_path / 'deaf.log').read_text().split()[0])
        assert is_alive(grandchild)
    until_gone([grandchild])


def test_a_program_that_cannot_start_ends_those_that_did(tmp_path: Path) -> None:
    processes = [Process('a', OBEDIENT), Process('b', '')]
    commands = {'a': [sys.executable, '-c', OBEDIENT], 'b': [str(tmp_path / 'none')]}
    supervisor = Supervisor(processes, command=lambda each: commands[each.name], log_dir=tmp_path)
    with pytest.raises(FileNotFoundError), supervisor:
        pass
    assert not any(map(is_alive, supervisor.pids.values()))


def test_lines_carry_the_name(capfd: pytest.CaptureFixture[str]) -> None:
    talk = 'import sys; print("one\\ntwo"); print("bad", file=sys.stderr); print("end", end="")'
    with Supervisor([Process('talker', talk)], command=program) as system:
        assert system.wait(DEADLINE_SEC) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines == [f'[talker] {word}' for word in ('one', 'two', 'bad', 'end')]


def test_environment(tmp_path: Path) -> None:
    show = 'import os; print(*map(os.environ.get, ["RL_PLANNER_PARENT_PID", "ROS_DOMAIN_ID", "X"]))'
    supervisor = Supervisor(
        [Process('a', show)], command=program, log_dir=tmp_path, domain_id=42, env={'X': 'y'}
    )
    with supervisor as system:
        system.wait(DEADLINE_SEC)
    assert (tmp_path / 'a.log').read_text().split() == [str(os.getpid()), '42', 'y']


def test_command_of() -> None:
    process = Process('actor_2', 'actor_node', {'seed': 3}, (Path('/my.yaml'),), '/house')
    assert command_of(process) == [
        sys.executable,
        *('-m', 'rl_planner.ros.start', 'actor_node', '--ros-args'),
        *('-r', '__node:=actor_2', '-r', '__ns:=/house'),
        *('-p', 'seed:=3', '--params-file', '/my.yaml'),
    ]


# A supervisor in a process of its own, to be interrupted and killed.
RUNNER = """
import functools, signal, sys
from pathlib import Path
from rl_planner.bringup import supervisor
from rl_planner.bringup.process import Process

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell job ignores it
command = lambda process: [sys.executable, '-c', process.executable]
supervisor.Supervisor = functools.partial(supervisor.Supervisor, command=command)
processes = [Process(f'node_{index}', text) for index, text in enumerate(sys.argv[2:])]
raise SystemExit(supervisor.run(processes, Path(sys.argv[1])))
"""


def start_runner(log_dir: Path, *programs: str) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Start RUNNER; return it and the ids of its nodes, once all of them are ready."""
    whoami = 'import os; print(os.getpid(), flush=True)\n'
    texts = [whoami + each for each in programs]
    runner = subprocess.Popen([sys.executable, '-c', RUNNER, str(log_dir), *texts])
    names = [f'node_{index}' for index in range(len(programs))]
    until_ready(log_dir, names)
    return runner, [int((log_dir / f'{name}.log').read_text().split()[0]) for name in names]


@pytest.mark.parametrize(
    ('number', 'code'),
    [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_a_signal_to_the_runner_ends_all(tmp_path: Path, number: int, code: int) -> None:
    runner, pids = start_runner(tmp_path, OBEDIENT, OBEDIENT)
    runner.send_signal(number)
    assert runner.wait(DEADLINE_SEC) == code
    assert not any(map(is_alive, pids))


def test_a_second_ctrl_c_does_not_wait_for_the_deaf(tmp_path: Path) -> None:
    runner, pids = start_runner(tmp_path, DEAF)
    while runner.poll() is None:
        runner.send_signal(signal.SIGINT)
        time.sleep(0.2)
    assert not any(map(is_alive, pids))


def test_nothing_outlives_a_killed_runner(tmp_path: Path) -> None:
    runner, pids = start_runner(tmp_path, OBEDIENT, DEAF)
    runner.kill()
    runner.wait(DEADLINE_SEC)
    until_gone(pids)
