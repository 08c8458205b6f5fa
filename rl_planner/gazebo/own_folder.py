"""Temporary folders that are known to be somebody's: those of who died are swept away.

A process holds a lock on its folder, which is gone with it however it ends. Process ids would not
do: a chroot or a /tmp may be shared by containers, which count theirs apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = 'rl_planner_gzserver_'


class OwnFolder:
    """A new folder below `parent`, this process's till `remove`; dead processes' are removed."""

    def __init__(self, parent: Path) -> None:
        for stale in parent.glob(f'{PREFIX}*'):
            _remove_if_stale(stale)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            self._lock = os.open(self.path, os.O_RDONLY)  # not for children to inherit
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if self.path.exists():  # nobody took it for stale before it was locked
                return
            os.close(self._lock)

    def remove(self) -> None:
        """Remove the folder with all in it; once more does nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _remove_if_stale(folder: Path) -> None:
    with contextlib.suppress(OSError):  # locked, another user's, or gone meanwhile
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
