"""Random worlds that other processes make, while this one imports and compiles what drives there.

A new user waits for both, and they take several seconds each.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from rl_planner.navigation.config import RobotConfig
from rl_planner.simulation.episodes import EpisodePool, random_pool
from rl_planner.simulation.random_world import Purpose

if TYPE_CHECKING:
    from typing_extensions import Self

CHUNK = 128  # worlds that one process makes at a time


class BackgroundPool:
    """The pool that `random_pool` makes of the same arguments, begun now and had later.

        with BackgroundPool(Purpose.TRAINING, 0, 1024, robot, ('static',)) as pending:
            ...
            pool = pending.result()

    It is the same whatever the number of processes is.
    """

    def __init__(
        self,
        purpose: Purpose,
        seed: int,
        num_worlds: int,
        robot: RobotConfig,
        families: Sequence[str],
    ) -> None:
        # Spawned: a fork would inherit locks of threads that it does not have.
        self._workers = ProcessPoolExecutor(
            max(len(os.sched_getaffinity(0)) - 1, 1),
            multiprocessing.get_context('spawn'),
            _depend_on_parent,
        )
        make = partial(random_pool, purpose, seed, robot=robot, families=tuple(families))
        self._chunks = [
            self._workers.submit(make, range(begin, min(begin + CHUNK, num_worlds)))
            for begin in range(0, num_worlds, CHUNK)
        ]

    def result(self, on_worlds: Callable[[int], object] | None = None) -> EpisodePool:
        """Wait for it.

        Args:
            on_worlds: called with how many worlds have been made since the last call.

        Raises:
            WorldError: a family of worlds leaves no room for episodes.
        """
        pools = []
        for chunk in self._chunks:
            pools.append(chunk.result())
            if on_worlds is not None:
                on_worlds(len(pools[-1].worlds))
        return EpisodePool.joined(pools)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown(cancel_futures=True)


def _depend_on_parent() -> None:
    """Let a worker end with its parent, however that ends, and not by itself.

    Ctrl-C reaches the whole group of processes; what follows from it is for the parent to decide.
    A parent that is killed tells nobody, and its workers would wait for work for good.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
