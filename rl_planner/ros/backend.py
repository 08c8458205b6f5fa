"""What episode_node asks of a simulator, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from rclpy.node import Node
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from rl_planner.ros import messages, qos
from rl_planner.ros.episode_message import encode_episode
from rl_planner.simulation.episodes import Episode

OnReady = Callable[[int, int], None]


class SimulatorBackend(Protocol):
    """Sets the stage for an episode.

    `reset` may take as long as a simulator's services take: pause, move or spawn obstacles, move
    the robot, go on. It returns at once and calls `on_ready(robot, stamp_ns)` when all is in place:
    readings of that robot stamped later than `stamp_ns` (simulation time) show the new episode. A
    `reset` with the same `asked_ns` repeats the one before, and is only answered again: the robot
    may have moved on meanwhile. Any other replaces it. A later `stamp_ns` than before, without a
    `reset`, says that the simulator had to begin the episode again.
    """

    def is_up(self) -> bool:
        """Whether the simulator is there to be asked."""
        ...

    def origin(self, robot: int) -> tuple[float, float]:
        """Where the robot's episodes belong, in the frame of its odometry (m)."""
        ...

    def reset(self, robot: int, episode: Episode, asked_ns: int) -> None: ...


class EmbeddedBackend:
    """simulator_node, gazebo_bridge_node: an episode is one message, its reply another."""

    def __init__(
        self, node: Node, robots: tuple[str, ...], frame_id: str, on_ready: OnReady
    ) -> None:
        self._frame_id, self._on_ready = frame_id, on_ready
        self._out = [
            node.create_publisher(MarkerArray, f'{name}/episode', qos.LATCHED) for name in robots
        ]
        for robot, name in enumerate(robots):
            callback = partial(self._ready, robot)
            node.create_subscription(Header, f'{name}/episode_ready', callback, qos.RELIABLE)

    def is_up(self) -> bool:
        return all(publisher.get_subscription_count() > 0 for publisher in self._out)

    def origin(self, robot: int) -> tuple[float, float]:
        return 0.0, 0.0

    def reset(self, robot: int, episode: Episode, asked_ns: int) -> None:
        self._out[robot].publish(encode_episode(episode, self._frame_id, asked_ns))

    def _ready(self, robot: int, message: Header) -> None:
        self._on_ready(robot, messages.stamp_ns(message.stamp))
