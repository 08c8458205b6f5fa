"""Ties a process's life to its runner's: no node outlives `ros2 launch` or the supervisor."""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT_PID = 'RL_PLANNER_PARENT_PID'


def end_with_parent(poll_period_sec: float = 0.5, grace_sec: float = 10.0) -> None:
    """End this process when the runner that started it dies, however it dies.

    The runner leaves its process id in the environment variable RL_PLANNER_PARENT_PID; without it
    (a node started by hand) nothing happens. The variable is taken out of the environment, since
    it does not hold for this process's own children. Once another process has become the parent,
    which is so at once where the runner died before this call, this process gets SIGTERM, and
    SIGKILL `grace_sec` later. A thread looks, instead of Linux's PR_SET_PDEATHSIG: that one fires
    when the thread which started the process ends, and does not follow up on a deaf process.

    Raises ValueError where the variable is no process id.
    """
    text = os.environ.pop(PARENT_PID, None)
    if text is None:
        return
    if not text.isdecimal():
        raise ValueError(f'{PARENT_PID} must be a process id, got {text!r}')
    arguments = (int(text), poll_period_sec, grace_sec)
    threading.Thread(target=_watch, args=arguments, name='end_with_parent', daemon=True).start()


def _watch(parent: int, poll_period_sec: float, grace_sec: float) -> None:
    while os.getppid() == parent:
        time.sleep(poll_period_sec)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_sec)
    os.kill(os.getpid(), signal.SIGKILL)
