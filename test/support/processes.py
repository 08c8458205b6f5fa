"""Processes of a test: whether they live, and waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

DEADLINE_SEC = 30.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SEC
    while not condition():
        assert time.monotonic() < deadline, f'not within {DEADLINE_SEC} s: {what}'
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; a zombie, which nobody may be there to reap, does not."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] not in 'ZX'
    except (FileNotFoundError, ProcessLookupError):
        return False


def until_gone(pids: list[int]) -> None:
    until(lambda: not any(map(is_alive, pids)), f'end of {pids}')


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def open_files(pid: int) -> int:
    """How many files and connections a process has open."""
    return len(list(Path(f'/proc/{pid}/fd').iterdir()))
