"""Bounds a process's life: no node outlives its runner, or hangs once its work is done."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time

PARENT_PID = 'RL_PLANNER_PARENT_PID'

# From Linux's <time.h> and <signal.h>.
_CLOCK_MONOTONIC = 1
_SIGEV_THREAD = 2


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


class _SigEvent(ctypes.Structure):
    """`struct sigevent`, which Linux gives 64 bytes."""

    _fields_ = (
        ('value', ctypes.c_void_p),
        ('signal', ctypes.c_int),
        ('notify', ctypes.c_int),
        ('function', ctypes.c_void_p),
        ('attributes', ctypes.c_void_p),
        ('_reserved', ctypes.c_char * 32),
    )


class _TimerSpec(ctypes.Structure):
    """`struct itimerspec`: every so often, and the first time after so long."""

    _fields_ = tuple(
        (name, ctypes.c_long) for name in ('every_sec', 'every_nsec', 'first_sec', 'first_nsec')
    )


def exit_within(sec: int, code: int) -> None:
    """End this process with `code` after `sec` seconds, unless it has ended by then.

    For what comes when all work is done and may hang for ever, as the end of a DDS participant
    does: Fast DDS 2.14 waits in `DomainParticipant::set_listener` for a callback that tells of
    others who leave, and that callback for a mutex which the former holds. It hangs inside of C++
    with the interpreter's lock in its hands: no thread or signal handler of Python's would get a
    word in. So this is a POSIX timer, on whose expiry the C library calls `_exit` in a thread of
    its own. Nothing is flushed then.

    Raises OSError where the system has no timer left.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    function = ctypes.cast(libc._exit, ctypes.c_void_p).value
    event = _SigEvent(value=code, notify=_SIGEV_THREAD, function=function)
    timer = ctypes.c_void_p()
    spec = _TimerSpec(first_sec=sec)
    if libc.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) or (
        libc.timer_settime(timer, 0, ctypes.byref(spec), None)
    ):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
