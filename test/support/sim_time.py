"""Time that the test keeps: the nodes run on /clock."""

from __future__ import annotations

from rosgraph_msgs.msg import Clock
from support.nodes import Peer

from rl_planner.ros import messages, qos


class SimTime:
    """Tells nodes on simulated time what time it is.

    Attributes:
        now: time (ns).
    """

    def __init__(self, peer: Peer, now: int = 10**12) -> None:
        self.now = now
        self._out = peer.node.create_publisher(Clock, '/clock', qos.RELIABLE)

    def set(self, now: int) -> None:
        self.now = now
        self._out.publish(Clock(clock=messages.stamp_of(now)))

    def advance(self, seconds: float) -> None:
        self.set(self.now + round(seconds * 1e9))
