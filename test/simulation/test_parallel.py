"""A batch in parts: all of it once, on several threads."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

from rl_planner.simulation.parallel import LARGEST, SMALLEST, Parallel


@pytest.mark.parametrize('threads', [1, 2, 5])
@pytest.mark.parametrize('count', [0, 1, 2 * SMALLEST - 1, 2 * SMALLEST, 5 * LARGEST + 1])
def test_parts_make_up_the_whole(threads: int, count: int) -> None:
    seen = np.zeros(count, np.int64)

    def part(begin: int, end: int) -> None:
        seen[begin:end] += 1

    parallel = Parallel(threads)
    for _ in range(3):
        parallel(part, count)
    assert (seen == 3).all()


def test_a_thread_that_is_held_up_does_fewer() -> None:
    """One part waits for all the others: whoever does not do it does them."""
    count, rest = 4 * LARGEST, threading.Semaphore(0)
    waited = []

    def part(begin: int, end: int) -> None:
        if begin == 0:
            waited.append([rest.acquire(timeout=10.0) for _ in range(3)])
        else:
            rest.release()

    Parallel(2)(part, count)
    assert waited == [[True, True, True]]


@pytest.mark.parametrize('failing', [0, LARGEST, 4 * LARGEST - 1])
def test_an_error_in_any_part_is_raised_and_the_next_batch_is_whole(failing: int) -> None:
    seen = []

    def part(begin: int, end: int) -> None:
        if begin <= failing < end:
            raise ZeroDivisionError
        seen.append(end - begin)

    parallel = Parallel(2)
    with pytest.raises(ZeroDivisionError):
        parallel(part, 4 * LARGEST)
    assert sum(seen) == 3 * LARGEST
    seen.clear()
    failing = -1
    parallel(part, 4 * LARGEST)
    assert sum(seen) == 4 * LARGEST


def test_nothing_is_left_when_it_goes() -> None:
    class Owner:
        def part(self, begin: int, end: int) -> None:
            pass

    before = set(threading.enumerate())
    owner, parallel = Owner(), Parallel(3)
    workers = set(threading.enumerate()) - before
    assert len(workers) == 2
    parallel(owner.part, 4 * LARGEST)
    gone = weakref.ref(owner)
    del owner, parallel
    gc.collect()
    for worker in workers:
        worker.join(10.0)
        assert not worker.is_alive()
    assert gone() is None
