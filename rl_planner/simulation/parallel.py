"""A batch in parts, one for each thread."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue

Part = Callable[[int, int], None]
Task = tuple[Part, int, int]

SMALLEST = 32  # rows that are worth handing to another thread


class Parallel:
    """Runs a function over parts of a batch on several threads; it must leave Python's lock.

    Its threads wait at bare queues: a ThreadPoolExecutor takes several times as long to hand over a
    task, which is as long as the task here.
    """

    def __init__(self, threads: int) -> None:
        self._tasks: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(threads - 1)]
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        for tasks in self._tasks:
            threading.Thread(target=_work, args=(tasks, self._done), daemon=True).start()
        weakref.finalize(self, _stop, self._tasks)

    def __call__(self, part: Part, count: int) -> None:
        """part(begin, end) for consecutive ranges that make up range(count)."""
        parts = len(self._tasks) + 1
        if count < parts * SMALLEST:
            part(0, count)
            return
        ends = [count * index // parts for index in range(parts + 1)]
        for tasks, (begin, end) in zip(self._tasks, itertools.pairwise(ends[1:]), strict=True):
            tasks.put((part, begin, end))
        try:
            part(0, ends[1])
        finally:
            errors = [self._done.get() for _ in self._tasks]
        for error in filter(None, errors):
            raise error


def _work(tasks: SimpleQueue[Task | None], done: SimpleQueue[BaseException | None]) -> None:
    while (task := tasks.get()) is not None:
        part, begin, end = task
        try:
            part(begin, end)
        except BaseException as error:
            done.put(error)
        else:
            done.put(None)
        del task, part  # what they refer to is not to live on while this waits


def _stop(queues: list[SimpleQueue[Task | None]]) -> None:
    for tasks in queues:
        tasks.put(None)
