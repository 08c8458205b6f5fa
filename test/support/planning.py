"""The other side of the global planner: a map, and who listens to its plans."""

from __future__ import annotations

from typing import Any

import numpy as np
from nav_msgs.msg import OccupancyGrid, Path
from numpy.typing import NDArray
from support.nodes import Peer, RobotDouble
from visualization_msgs.msg import Marker

from rl_planner.navigation.occupancy import OccupancyMap
from rl_planner.ros import messages, qos
from rl_planner.ros.cdr import read_path

CELL = 0.1  # m
# The robot is at (0, 0); a wall is at x = 2.0 to 2.1 m, with doors around y = 0 and y = 2.
CELLS = np.zeros((50, 60), np.int8)
CELLS[:, 30] = 100
CELLS[16:24, 30] = CELLS[36:44, 30] = 0
ROOMS = OccupancyMap(CELLS, CELL, (-1.0, -2.0, 0.0))


class Listener:
    """Publishes a map, and keeps the plans: (M, 2) points, and their frame."""

    def __init__(self, peer: Peer) -> None:
        create = peer.node.create_publisher
        self.map_out = create(OccupancyGrid, 'map', qos.LATCHED)
        self.outcome_out = create(Marker, 'outcome', qos.RELIABLE)
        self.plans: list[NDArray[np.float64]] = []
        self.frame = ''
        peer.node.create_subscription(Path, 'plan', self._on_plan, qos.RELIABLE, raw=True)

    def send_map(self, area: OccupancyMap = ROOMS, frame: str = 'odom') -> None:
        self.map_out.publish(messages.map_message(area, frame))

    def _on_plan(self, data: bytes) -> None:
        self.frame, points = read_path(data)
        self.plans.append(points)


def ask(robot: RobotDouble, x: float = 4.0, y: float = 0.0, **sensed: Any) -> None:
    robot.send_goal(x, y)
    robot.sense(**sensed)


def until_planned(peer: Peer, listener: Listener, robot: RobotDouble) -> None:
    peer.until(lambda: listener.plans and len(listener.plans[-1]), repeat=lambda: ask(robot))
