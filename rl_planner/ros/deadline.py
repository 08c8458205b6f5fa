"""A deadline that is put off as long as all goes well."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from rl_planner.ros.messages import NANOSECONDS

FAR_SEC = 1e6  # of a deadline that has not been set


class Deadline:
    """Calls once, when its time has come.

    It comes by a clock that nobody sets, or by simulated time, which waits while it is paused.
    """

    def __init__(self, node: Node, call: Callable[[], None]) -> None:
        is_simulated = node.get_parameter('use_sim_time').value
        clock = node.get_clock() if is_simulated else Clock(clock_type=ClockType.STEADY_TIME)
        self._call, self._give_back = call, node.destroy_timer
        self._timer = node.create_timer(FAR_SEC, self._end, clock=clock)
        self._timer.cancel()

    def set(self, sec: float) -> None:
        """It is in so many seconds from now, and no sooner."""
        self._timer.timer_period_ns = round(sec * NANOSECONDS)
        self._timer.reset()

    def destroy(self) -> None:
        self._give_back(self._timer)

    def _end(self) -> None:
        self._timer.cancel()
        self._call()
