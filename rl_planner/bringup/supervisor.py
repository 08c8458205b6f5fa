"""Runs a system's processes where there is no `launch`: all of them, and none of them orphaned."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, NoReturn

from rl_planner.bringup.lifetime import PARENT_PID
from rl_planner.bringup.process import (
    SIGKILL_AFTER_SEC,
    SIGTERM_AFTER_SEC,
    Member,
    Program,
)

_POLL_PERIOD_SEC = 0.05
_COLOURS = (36, 33, 35, 32, 34)  # ANSI: cyan, yellow, magenta, green, blue


def command_of(process: Member) -> list[str]:
    """Return the command line that starts `process` with this very Python, installed or not."""
    if isinstance(process, Program):
        return [sys.executable, *process.tied_command()]
    module = ['-m', 'rl_planner.ros.start', process.executable]
    names = ['-r', f'__node:={process.name}', '-r', f'__ns:={process.namespace}']
    return [sys.executable, *module, '--ros-args', *names, *process.ros_arguments()]


def run(processes: Sequence[Member], log_dir: Path | None = None) -> int:
    """Run a system in the foreground until it ends or Ctrl-C; return its exit code."""
    supervisor = Supervisor(processes, log_dir=log_dir)
    with contextlib.suppress(KeyboardInterrupt), supervisor:
        supervisor.wait()
    return supervisor.exit_code or 0


class Supervisor:
    """A running system, from `with Supervisor(processes) as system:` to the end of the block.

    Leaving the block ends every process: SIGINT, then SIGTERM, then SIGKILL to the deaf. So does
    the end of a required process, seen by `poll` and `wait`, and so do SIGTERM and SIGHUP to this
    process (as SystemExit, in the main thread). When this process is killed outright, each node
    ends by itself (`rl_planner.bringup.lifetime`).

    The output of the processes is shown line by line behind the node's name or, with `log_dir`,
    written to `log_dir/<name>.log`. `env` is added to their environment; `domain_id` is their
    ROS_DOMAIN_ID.
    """

    def __init__(
        self,
        processes: Sequence[Member],
        *,
        log_dir: Path | None = None,
        domain_id: int | None = None,
        env: Mapping[str, str] | None = None,
        command: Callable[[Member], list[str]] = command_of,
        sigterm_after_sec: float = SIGTERM_AFTER_SEC,
        sigkill_after_sec: float = SIGKILL_AFTER_SEC,
    ) -> None:
        self._processes = list(processes)
        self._log_dir = log_dir
        self._env = {**os.environ, **(env or {})}
        if domain_id is not None:
            self._env['ROS_DOMAIN_ID'] = str(domain_id)
        self._command = command
        self._patience = ((signal.SIGINT, sigterm_after_sec), (signal.SIGTERM, sigkill_after_sec))
        self._children: list[_Child] = []
        self._handlers: dict[signal.Signals, object] = {}
        self.exit_code: int | None = None
        """None while the system runs; then 0, or the code of the first process that failed."""

    def __enter__(self) -> Supervisor:
        self._catch_signals()
        try:
            for index, process in enumerate(self._processes):
                self._children.append(self._start(process, index))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each node, by its name."""
        return {child.name: child.popen.pid for child in self._children}

    def poll(self) -> int | None:
        """Return None while all required processes run; else end the rest, return the code."""
        if any(child.required and not child.is_running() for child in self._children):
            self.stop()
        return self.exit_code

    def wait(self, timeout_sec: float = float('inf')) -> int | None:
        """Poll until the system has ended, for `timeout_sec` at most; return as `poll` does."""
        deadline = time.monotonic() + timeout_sec
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_PERIOD_SEC)
        return self.exit_code

    def stop(self) -> None:
        """End every process that still runs. A second Ctrl-C in here kills them at once."""
        if self.exit_code is not None:
            return
        required = [child for child in self._children if child.required]
        gone = [child for child in required if not child.is_running()]
        for child in gone:
            if child.code == 0 and self._log_dir:
                continue  # as it should: whoever has its output in files asked for no news
            _report(f'{child.name} {child.describe_end()}: ending all others')
        self._end_all()
        failed = [child for child in required if child not in gone and child.failed()]
        for child in failed:
            _report(f'{child.name}, asked to end, {child.describe_end()}')
        self.exit_code = next((child.code for child in [*gone, *failed] if child.code), 0)

    def _end_all(self) -> None:
        try:
            for number, patience_sec in self._patience:
                for child in self._children:
                    child.signal(number)
                if self._all_ended_within(patience_sec):
                    break
        finally:
            for child in self._children:
                child.kill()

    def _all_ended_within(self, patience_sec: float) -> bool:
        deadline = time.monotonic() + patience_sec
        while any(child.is_running() for child in self._children):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_PERIOD_SEC)
        return True

    def _start(self, process: Member, index: int) -> _Child:
        env = {**self._env, PARENT_PID: str(os.getpid()), 'PYTHONUNBUFFERED': '1'}
        if self._log_dir is not None:
            self._log_dir.mkdir(parents=True, exist_ok=True)
            return _Child(process, self._command(process), env, self._log_dir)
        if not sys.stdout.isatty():
            return _Child(process, self._command(process), env, prefix=f'[{process.name}] ')
        colour = _COLOURS[index % len(_COLOURS)]
        prefix = f'\033[{colour}m[{process.name}]\033[0m '
        env['RCUTILS_COLORIZED_OUTPUT'] = '1'
        return _Child(process, self._command(process), env, prefix=prefix)

    def _catch_signals(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                self._handlers[number] = signal.signal(number, _exit_on_signal)


class _Child:
    """One started process. Its session is its own: a Ctrl-C at the terminal is the supervisor's."""

    def __init__(
        self,
        process: Member,
        command: list[str],
        env: Mapping[str, str],
        log_dir: Path | None = None,
        prefix: str = '',
    ) -> None:
        self.name = process.name
        self.required = process.required
        self._log_file = log_dir / f'{process.name}.log' if log_dir else None
        with self._output() as output:
            self.popen = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._relay = threading.Thread(target=_relay, args=(self.popen.stdout, prefix), daemon=True)
        self._relay.start()

    @property
    def code(self) -> int:
        """The exit code as a shell tells it: 128 + n for an end by signal n; 0 while running."""
        code = self.popen.poll() or 0
        return 128 - code if code < 0 else code

    def is_running(self) -> bool:
        return self.popen.poll() is None

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """Kill the process if it still runs, with whatever it has started; wait for its end."""
        if self.is_running():
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self._relay.join(timeout=1.0)  # for ever, if a process that it started keeps the pipe open

    def failed(self) -> bool:
        """Return whether the process ended other than by itself with 0 or by the asking signals."""
        return self.popen.poll() not in (0, -signal.SIGINT, -signal.SIGTERM)

    def describe_end(self) -> str:
        where = f' (see {self._log_file})' if self._log_file else ''
        return f'ended with code {self.code}{where}'

    @contextlib.contextmanager
    def _output(self) -> Iterator[IO[bytes] | int]:
        if self._log_file is None:
            yield subprocess.PIPE
            return
        with self._log_file.open('wb') as file:
            yield file


def _relay(lines: IO[bytes] | None, prefix: str) -> None:
    with lines or contextlib.nullcontext(()) as opened:
        for line in opened:
            # A closed terminal is no reason to stop: the node would block on a full pipe.
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.write(prefix + line.decode(errors='replace').rstrip('\n') + '\n')
                sys.stdout.flush()


def _exit_on_signal(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _report(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # the terminal may be gone
        print(f'[supervisor] {text}', file=sys.stderr, flush=True)
