"""ROS domains of their own for tests that run at the same time, on one machine, in any process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

LAST = 101  # the ports of higher domains may be given out by Linux to anybody


@contextlib.contextmanager
def claim_domain() -> Iterator[int]:
    """A ROS_DOMAIN_ID that no other test uses until the block ends, or its process does."""
    for attempt in range(LAST):
        domain = 1 + (os.getpid() + attempt) % LAST
        path = Path(tempfile.gettempdir()) / f'rl_planner_test_domain_{domain}'
        with path.open('w') as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    raise RuntimeError(f'all of the {LAST} ROS domains for tests are in use')
