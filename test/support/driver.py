"""Drives simulated robots by hand, over the topics of `stepped_node`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Header
from support.nodes import Peer
from visualization_msgs.msg import MarkerArray

from rl_planner.ros import messages, qos
from rl_planner.ros.episode_message import encode_episode
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

PERIOD_NS = 100_000_000
POST = Episode(World(circles=np.array([[2.0, 0.0, 0.5]])), (0.0, 0.0, 0.0), (4.0, 0.0))


class Driver:
    """Drives simulated robots by hand."""

    def __init__(self, peer: Peer, robots: list[str]) -> None:
        self.peer, self.robots = peer, robots
        self.odoms: dict[str, list[Odometry]] = {name: [] for name in robots}
        self.scans: dict[str, list[LaserScan]] = {name: [] for name in robots}
        self.ready: dict[str, list[int]] = {name: [] for name in robots}
        self.commands: dict[str, TwistStamped] = {}
        self.command_out, self.episode_out = {}, {}
        node = peer.node
        for name in robots:
            self.command_out[name] = node.create_publisher(
                TwistStamped, f'{name}/cmd_vel', qos.RELIABLE
            )
            self.episode_out[name] = node.create_publisher(
                MarkerArray, f'{name}/episode', qos.LATCHED
            )
            take = partial(self._take, self.scans[name])
            node.create_subscription(LaserScan, f'{name}/scan', take, qos.RELIABLE)
            take = partial(self._take, self.odoms[name])
            node.create_subscription(Odometry, f'{name}/odom', take, qos.RELIABLE)
            node.create_subscription(
                Header, f'{name}/episode_ready', partial(self._on_ready, name), qos.RELIABLE
            )

    def _take(self, kept: list[Any], message: Any) -> None:
        kept.append(message)

    def _on_ready(self, name: str, message: Header) -> None:
        self.ready[name].append(messages.stamp_ns(message.stamp))

    def wait_for(self, stamp: int) -> None:
        """Until every robot has sent odometry and a scan of that time."""

        def came(kept: dict[str, list[Any]]) -> bool:
            return all(
                any(messages.stamp_ns(m.header.stamp) == stamp for m in kept[name])
                for name in self.robots
            )

        self.peer.until(lambda: came(self.odoms) and came(self.scans), repeat=self._send)

    def command(self, name: str, stamp: int, linear: float, angular: float) -> None:
        """Send a command, and send it again while something is waited for."""
        message = TwistStamped()
        message.header.stamp = messages.stamp_of(stamp)
        message.twist.linear.x, message.twist.angular.z = linear, angular
        self.commands[name] = message
        self._send()

    def _send(self) -> None:
        for name, message in self.commands.items():
            self.command_out[name].publish(message)

    def load(self, name: str, episode: Episode) -> None:
        before = len(self.ready[name])
        self.episode_out[name].publish(encode_episode(episode, 'odom'))
        self.peer.until(
            lambda: len(self.ready[name]) > before,
            repeat=lambda: self.episode_out[name].publish(encode_episode(episode, 'odom')),
        )

    def poses(self, name: str) -> list[tuple[int, float, float, float]]:
        return [
            (messages.stamp_ns(m.header.stamp), *messages.planar_pose(m.pose.pose))
            for m in self.odoms[name]
        ]

    def pose(self, name: str) -> tuple[float, float, float]:
        """Where the newest odometry says it is."""
        return self.poses(name)[-1][1:]

    def scan_at(self, name: str, stamp: int) -> np.ndarray:
        """The newest scan of that time."""
        return self.scans_at(name, stamp)[-1]

    def scans_at(self, name: str, stamp: int) -> list[np.ndarray]:
        """All scans of that time: what nobody answers is said again, as it then is."""
        found = [m for m in self.scans[name] if messages.stamp_ns(m.header.stamp) == stamp]
        return [np.array(message.ranges) for message in found]
