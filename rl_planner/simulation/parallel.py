"""A batch in parts, on several threads."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue

Part = Callable[[int, int], None]
Done = SimpleQueue[BaseException | None]
# Which part, and where to say that it is done: each call has a queue of its own, so that what an
# interrupted one left behind is not taken for an answer.
Task = tuple[Part, int, int, Done]

SMALLEST = 256  # rows that are worth handing to another thread
LARGEST = 1024  # rows in a part: of several parts, a thread that is held up does fewer


class Parallel:
    """Runs a function over parts of a batch on several threads; it must leave Python's lock.

    The caller does what no other thread has begun: where the machine has something else to do, it
    takes no longer than one thread alone. The threads wait at bare queues: a ThreadPoolExecutor
    takes several times as long to hand over a task, which is as long as the task here.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        for _ in range(threads - 1):
            threading.Thread(target=_work, args=(self._tasks,), daemon=True).start()
        weakref.finalize(self, _stop, self._tasks, threads - 1)

    def __call__(self, part: Part, count: int) -> None:
        """part(begin, end) for consecutive ranges that make up range(count)."""
        if self._threads == 1 or count < self._threads * SMALLEST:
            part(0, count)
            return
        parts = max(self._threads, count // LARGEST)
        ends = [count * index // parts for index in range(parts + 1)]
        done: Done = SimpleQueue()
        for begin, end in itertools.pairwise(ends):
            self._tasks.put((part, begin, end, done))
        while (task := self._next()) is not None:
            _run(task)
        errors = [done.get() for _ in range(parts)]
        for error in filter(None, errors):
            raise error

    def _next(self) -> Task | None:
        """A task that nobody has begun, if there is one."""
        try:
            return self._tasks.get_nowait()
        except Empty:
            return None


def _run(task: Task) -> None:
    part, begin, end, done = task
    try:
        part(begin, end)
    except BaseException as error:
        done.put(error)
    else:
        done.put(None)


def _work(tasks: SimpleQueue[Task | None]) -> None:
    while (task := tasks.get()) is not None:
        _run(task)
        del task  # what it refers to is not to live on while this waits


def _stop(tasks: SimpleQueue[Task | None], threads: int) -> None:
    for _ in range(threads):
        tasks.put(None)
