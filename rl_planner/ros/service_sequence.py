"""Service calls one after the other, without a thread to wait in."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

from rclpy.task import Future

Calls = Generator[Future, Any, None]


class ServiceSequence:
    """Runs a generator that yields the futures of service calls and is sent their replies.

    What has been asked for cannot be taken back: `replace` waits for the reply, drops the rest of
    the generator, and then runs the new one. A reply may never come, where a server ended, or DDS
    lost it: whoever finds `waited_sec` too long calls `drop`.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._running: Calls | None = None
        self._next: Callable[[], Calls] | None = None
        self._awaited: Future | None = None
        self._asked = 0.0

    @property
    def is_running(self) -> bool:
        return self._running is not None

    @property
    def waited_sec(self) -> float:
        """How long the present call has been without a reply (s); 0 without a call."""
        return 0.0 if self._awaited is None else self._now() - self._asked

    def replace(self, make: Callable[[], Calls]) -> None:
        """Run `make()` as soon as nothing is under way."""
        self._next = make
        if self._running is None:
            self._begin()

    def drop(self) -> None:
        """Wait for the present call no more, and run nothing; a late reply does nothing."""
        awaited, running = self._awaited, self._running
        self._awaited = self._running = self._next = None
        if awaited is not None:
            awaited.cancel()  # its client forgets it
        if running is not None:
            running.close()

    def _begin(self) -> None:
        while self._next is not None and self._running is None:
            make, self._next = self._next, None
            self._running = make()
            self._go_on(None)

    def _go_on(self, reply: Any) -> None:
        if self._running is None:
            return
        try:
            future = self._running.send(reply)
        except StopIteration:
            self._running = None
            return
        self._awaited, self._asked = future, self._now()
        future.add_done_callback(self._on_reply)

    def _on_reply(self, future: Future) -> None:
        if future is not self._awaited:
            return
        self._awaited = None
        if self._next is not None and self._running is not None:
            self._running.close()
            self._running = None
            self._begin()
            return
        self._go_on(future.result())
        self._begin()
