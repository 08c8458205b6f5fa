"""Service calls one after the other, without a thread to wait in."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from rclpy.task import Future

Calls = Generator[Future, Any, None]


class ServiceSequence:
    """Runs a generator that yields the futures of service calls and is sent their replies.

    What has been asked for cannot be taken back: `replace` waits for the reply, drops the rest of
    the generator, and then runs the new one.
    """

    def __init__(self) -> None:
        self._running: Calls | None = None
        self._next: Callable[[], Calls] | None = None

    @property
    def is_running(self) -> bool:
        return self._running is not None

    def replace(self, make: Callable[[], Calls]) -> None:
        """Run `make()` as soon as nothing is under way."""
        self._next = make
        if self._running is None:
            self._begin()

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
        future.add_done_callback(self._on_reply)

    def _on_reply(self, future: Future) -> None:
        if self._next is not None and self._running is not None:
            self._running.close()
            self._running = None
            self._begin()
            return
        self._go_on(future.result())
        self._begin()
