"""The other side of a node under test: its process, and the graph around it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import Log
from rclpy.executors import SingleThreadedExecutor
from rclpy.publisher import Publisher
from sensor_msgs.msg import LaserScan
from visualization_msgs.msg import Marker

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import Policy, PolicyMetadata
from rl_planner.ros import messages, qos

PATIENCE_SEC = 60.0  # how long a loaded machine may take for anything at all


class Nodes:
    """Starts node processes in the test's domain, and sees to it that they end."""

    def __init__(self, domain: int, folder: Path) -> None:
        self.domain, self._folder = domain, folder
        self._running: list[subprocess.Popen[str]] = []

    def start(self, name: str, **parameters: Any) -> subprocess.Popen[str]:
        """Start the node `name`; a double underscore in a parameter name is a dot."""
        return self.start_raw(name, _arguments(parameters))

    def start_raw(self, name: str, arguments: list[str]) -> subprocess.Popen[str]:
        return self._start(['-m', 'rl_planner.ros.start', name, '--ros-args', *arguments])

    def start_double(self, name: str, *arguments: str, **parameters: Any) -> subprocess.Popen[str]:
        """Start a node of the tests, in the file `name` beside this one."""
        program = str(Path(__file__).with_name(f'{name}.py'))
        return self._start([program, *arguments, '--ros-args', *_arguments(parameters)])

    def _start(self, arguments: list[str]) -> subprocess.Popen[str]:
        command = [sys.executable, *arguments]
        env = {**os.environ, 'ROS_DOMAIN_ID': str(self.domain), 'ROS_LOG_DIR': str(self._folder)}
        node = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._running.append(node)
        return node

    def refuse(self, name: str, **parameters: Any) -> str:
        """Start a node that must not start; what it says."""
        return self.refusal(self.start(name, **parameters))

    def refusal(self, node: subprocess.Popen[str]) -> str:
        output, _ = node.communicate(timeout=PATIENCE_SEC)
        assert node.returncode == 2, output
        assert 'Traceback' not in output
        return output

    def end(self, node: subprocess.Popen[str], number: int = signal.SIGINT) -> str:
        """Ask a node to end; what it said."""
        node.send_signal(number)
        output, _ = node.communicate(timeout=PATIENCE_SEC)
        return output

    def end_all(self) -> None:
        for node in self._running:
            if node.poll() is None:
                node.kill()
            with contextlib.suppress(ValueError):  # its output has been read and closed
                node.communicate(timeout=PATIENCE_SEC)


def _arguments(parameters: dict[str, Any]) -> list[str]:
    arguments = []
    for key, value in parameters.items():
        arguments += ['-p', f'{key.replace("__", ".")}:={_yaml(value)}']
    return arguments


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(f"'{item}'" for item in value) + ']'
    return f"'{value}'" if isinstance(value, str) else str(value)


class Peer:
    """The test's own side of the graph."""

    def __init__(self, domain: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('peer', context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)

    def spin(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left)

    def until(self, condition: Callable[[], Any], repeat: Callable[[], None] | None = None) -> None:
        """Spin until `condition` holds, calling `repeat` about 20 times a second meanwhile."""
        deadline = time.monotonic() + PATIENCE_SEC
        while not condition():
            assert time.monotonic() < deadline, 'nothing came of it in time'
            if repeat is not None:
                repeat()
            self.spin(0.05)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


def told(peer: Peer) -> dict[str, str]:
    """The newest values of /diagnostics, and its message under ''."""
    values: dict[str, str] = {}

    def take(array: DiagnosticArray) -> None:
        for status in array.status:
            values.update({'': status.message}, **{v.key: v.value for v in status.values})

    peer.node.create_subscription(DiagnosticArray, '/diagnostics', take, qos.RELIABLE)
    return values


def logged(peer: Peer, part: str) -> list[str]:
    """What nodes log from now on that has `part` in it."""
    lines: list[str] = []

    def take(entry: Log) -> None:
        if part in entry.msg:
            lines.append(entry.msg)

    peer.node.create_subscription(Log, '/rosout', take, qos.COMPLETE)
    return lines


class RobotDouble:
    """A robot without a body: says what the test lets it say, and keeps what it is told."""

    def __init__(
        self,
        peer: Peer,
        name: str = '',
        stamped: bool = False,
        beams: int = 36,
        topics: tuple[str, str, str] = ('scan', 'odom', 'cmd_vel'),
    ) -> None:
        prefix = f'{name}/' if name else ''
        create, subscribe = peer.node.create_publisher, peer.node.create_subscription
        scan, odom, cmd_vel = topics
        self.scan_out = create(LaserScan, prefix + scan, qos.RELIABLE)
        self.odom_out = create(Odometry, prefix + odom, qos.RELIABLE)
        self.goal_out = create(PoseStamped, prefix + 'goal_pose', qos.RELIABLE)
        self.commands: list[tuple[float, float]] = []
        self.answered: list[int] = []
        self.frames: list[str] = []  # of commands that have one
        self.outcomes: list[str] = []
        self.beams = beams
        kind = TwistStamped if stamped else Twist
        subscribe(kind, prefix + cmd_vel, self._on_command, qos.RELIABLE)
        subscribe(Marker, prefix + 'outcome', lambda m: self.outcomes.append(m.text), qos.RELIABLE)

    def _on_command(self, message: Any) -> None:
        twist = getattr(message, 'twist', message)
        self.commands.append((twist.linear.x, twist.angular.z))
        if twist is not message:
            self.answered.append(messages.stamp_ns(message.header.stamp))
            self.frames.append(message.header.frame_id)

    def sense(
        self,
        stamp_ns: int | None = None,
        *,
        x: float = 0.0,
        v: float = 0.0,
        ranges: float | np.ndarray = 3.0,
        duration: float = 0.0,
        only: Publisher | None = None,
        prefix: str = '',
    ) -> None:
        """Publish odometry at (x, 0) and a scan, or one of them; now, if no stamp is given.

        The scan says that it took `duration` (s). Frames are odom, base_link and base_scan, after
        `prefix`.
        """
        stamp = messages.stamp_of(time.time_ns() if stamp_ns is None else stamp_ns)
        message = Odometry()
        message.header.stamp, message.header.frame_id = stamp, f'{prefix}odom'
        message.child_frame_id = f'{prefix}base_link'
        messages.set_pose(message.pose.pose, x, 0.0, 0.0)
        message.twist.twist.linear.x = v
        if only is not self.scan_out:
            self.odom_out.publish(message)
        scan = messages.empty_scan(LidarConfig(num_beams=self.beams), f'{prefix}base_scan', 0.1)
        scan.header.stamp, scan.time_increment = stamp, duration / (self.beams - 1)
        messages.set_ranges(scan, np.broadcast_to(np.float32(ranges), self.beams))
        if only is not self.odom_out:
            self.scan_out.publish(scan)

    def send_goal(self, x: float, y: float = 0.0, frame: str = 'odom', stamp_ns: int = 0) -> None:
        goal = PoseStamped()
        goal.header.frame_id, goal.header.stamp = frame, messages.stamp_of(stamp_ns)
        messages.set_pose(goal.pose, x, y, 0.0)
        self.goal_out.publish(goal)


def constant_policy(forward: float = 0.5, turn: float = 0.25, **changes: Any) -> Policy:
    """A policy that always acts (forward, turn), whatever it observes."""
    observation = changes.pop('observation', ObservationConfig())
    robot = changes.pop('robot', RobotConfig())
    period = changes.pop('control_period', TaskConfig().control_period)
    tensors = {
        'actor.0.weight': np.zeros((2, observation_size(observation))),
        'actor.0.bias': np.arctanh([forward, turn]),
    }
    return Policy(tensors, PolicyMetadata.for_robot(robot, observation, period, 'test'))


def seeking_policy(**changes: Any) -> Policy:
    """A policy that turns to its goal and away from what is near, and slows down before it."""
    like = constant_policy(**changes).metadata
    weight = np.zeros((2, observation_size(like.observation)))
    right, left, cosine, sine = slice(12, 18), slice(18, 24), 37, 38  # of 36 sectors, and the goal
    weight[0, cosine], weight[1, sine] = 2.0, 3.0
    weight[0, 12:24] = -0.2
    weight[1, right], weight[1, left] = 0.5, -0.5
    if like.observation.history_steps:  # and, half as much, what was near a while ago
        weight[:, -36:] = 0.5 * weight[:, :36]
    return Policy({'actor.0.weight': weight, 'actor.0.bias': np.zeros(2)}, like)


# What (0.5, 0.25) means with the default robot: speeds up to 0.5 m/s and 1.5 rad/s.
DRIVING = pytest.approx((0.375, 0.375), abs=1e-5)
AT_REST = (0.0, 0.0)
