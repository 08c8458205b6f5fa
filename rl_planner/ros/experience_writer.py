"""Publishes what robots experience, in messages of many transitions."""

from __future__ import annotations

import os
import time

from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import Float32MultiArray

from rl_planner.navigation.step import Transitions
from rl_planner.ros import qos
from rl_planner.ros.experience import encode


class ExperienceWriter:
    """Gathers transitions into numbered messages of at least `batch_size` on `experience`.

    Few large messages cost less than many small ones; the numbers let the learner see a loss.
    """

    def __init__(self, node: Node, batch_size: int) -> None:
        self._node = node
        self._out = node.create_publisher(Float32MultiArray, 'experience', qos.COMPLETE)
        self._batch_size = batch_size
        # No other actor, here, on another host or started earlier, has the same.
        self._run_id = f'{os.uname().nodename}-{os.getpid()}-{time.time_ns()}'
        self._sequence = 0
        self._batches: list[Transitions] = []
        self._count = 0

    def add(self, transitions: Transitions) -> None:
        """Keep transitions; publish when there are enough."""
        if len(transitions.robots):
            self._batches.append(transitions)
            self._count += len(transitions.robots)
        if self._count >= self._batch_size:
            self.flush()

    def flush(self) -> None:
        """Publish what there is."""
        if self._batches:
            self._out.publish(encode(self._run_id, self._sequence, self._batches))
            self._sequence += 1
            self._batches, self._count = [], 0

    def destroy(self) -> None:
        """Give back the topic, once the learner has what was sent, or takes too long."""
        self._out.wait_for_all_acked(Duration(seconds=qos.DELIVERY_SEC))
        self._node.destroy_publisher(self._out)
