"""Runs a program that knows nothing of its runner, and lets it not outlive that.

    python -m rl_planner.bringup.tied gzserver WORLD

SIGINT and SIGTERM are passed on. The program gets SIGTERM once the runner has died, however that
did (`rl_planner.bringup.lifetime`), and SIGKILL from Linux when this process itself is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from rl_planner.bringup.lifetime import PARENT_PID, end_with_parent

ASKED_TO_END = (signal.SIGINT, signal.SIGTERM)
CANNOT_START = 127  # as of a shell


def run(command: Sequence[str]) -> int:
    """Run `command` to its end; its exit code as a shell tells it, 0 where it ended as asked."""
    asked: list[int] = []
    child: subprocess.Popen[bytes] | None = None

    def ask(number: int, frame: FrameType | None = None) -> None:
        asked.append(number)
        if child is not None:
            child.send_signal(number)

    for number in ASKED_TO_END:
        signal.signal(number, ask)
    env = {name: value for name, value in os.environ.items() if name != PARENT_PID}
    # setpriv is of util-linux, as chroot and mount are: every Debian and Ubuntu has it.
    tied = ['setpriv', '--pdeathsig', 'KILL', '--', *command]
    try:
        child = subprocess.Popen(tied, env=env, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f'{command[0]}: cannot be started: {error.strerror}', file=sys.stderr)
        return CANNOT_START
    end_with_parent()
    if asked:  # before there was anybody to pass it on to
        child.send_signal(asked[-1])
    code = child.wait()
    if asked and -code in ASKED_TO_END:
        return 0
    return 128 - code if code < 0 else code


if __name__ == '__main__':
    raise SystemExit(run(sys.argv[1:]))
