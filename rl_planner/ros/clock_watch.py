"""Whether there is any time: with use_sim_time and nobody on /clock it never begins."""

from __future__ import annotations

import time

from rclpy.node import Node

PATIENCE_SEC = 15.0  # a simulator takes a while to start
NO_TIME = 'use_sim_time is true, and nothing comes on /clock: time stands still, nothing is driven'


class ClockWatch:
    """Looks at the clock of a node whenever it is asked, by the time of the machine."""

    def __init__(self, node: Node) -> None:
        self._node, self._began, self._is_told = node, time.monotonic(), False

    def trouble(self) -> str:
        """What is wrong with the clock, or ''; the log is told once."""
        if self._node.get_clock().now().nanoseconds != 0:
            return ''
        if not self._is_told and time.monotonic() - self._began > PATIENCE_SEC:
            self._is_told = True
            self._node.get_logger().warning(NO_TIME)
        return NO_TIME
