"""Measures scan -> cmd_vel through two processes: this one plays the robot, actor_node drives it.

    python -m rl_planner.ros.latency_probe config/policies/default.safetensors

Prints one line of JSON. First the scans come faster than a lidar's, then at a lidar's rate; their
stamps are one control period apart, so that each is acted on. They show a wall right ahead, and
odometry, at 50 Hz beside them, top speed: the safety layer has all of its work to do.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, Twist
from nav_msgs.msg import Odometry
from sensor_msgs.msg import LaserScan

from rl_planner.navigation.config import LidarConfig
from rl_planner.navigation.policy import Policy
from rl_planner.ros import messages, qos
from rl_planner.ros.process import make_executor

SPACING_SEC, LIDAR_SEC, ODOMETRY_SEC = 0.01, 0.1, 0.02
AHEAD, AROUND = 0.025, (0.1, 2.8)  # returns beyond the robot's edge (m)
TIMEOUT_SEC = 30.0
WARM_UP = 50


class Probe:
    """The robot's side: publishes odometry and a scan, and waits for the answer."""

    def __init__(self, beams: int, robot: Mapping[str, float]) -> None:
        self._node = rclpy.create_node('latency_probe')
        self._executor = make_executor()
        self._executor.add_node(self._node)
        self._scan = messages.empty_scan(LidarConfig(num_beams=beams), 'base_scan', 0.1)
        ranges = robot['radius'] + np.random.default_rng(0).uniform(*AROUND, beams)
        ranges[beams // 4 : 3 * beams // 4] = robot['radius'] + AHEAD
        messages.set_ranges(self._scan, ranges.astype(np.float32))
        self._odom = Odometry()
        self._odom.header.frame_id, self._odom.twist.twist.linear.x = (
            'odom',
            robot['max_linear_vel'],
        )
        create = self._node.create_publisher
        self._scan_out = create(LaserScan, 'scan', qos.RELIABLE)
        self._odom_out = create(Odometry, 'odom', qos.RELIABLE)
        self._goal_out = create(PoseStamped, 'goal_pose', qos.RELIABLE)
        self._node.create_subscription(Twist, 'cmd_vel', self._on_command, qos.RELIABLE)
        self._answered = 0.0
        self._stamp_ns = time.time_ns()

    def _on_command(self, _: Twist) -> None:
        self._answered = time.perf_counter()

    def wait_for_actor(self) -> None:
        """Publish until the actor drives.

        Raises:
            TimeoutError: it does not.
        """
        goal = PoseStamped()
        goal.header.frame_id, goal.pose.position.x = 'odom', 1000.0
        deadline = time.monotonic() + TIMEOUT_SEC
        while time.monotonic() < deadline:
            self._goal_out.publish(goal)
            if self.sample(0.2) is not None:
                return
        raise TimeoutError(f'actor_node gave no command within {TIMEOUT_SEC:g} s')

    def sample(self, timeout_sec: float = 1.0) -> float | None:
        """Seconds from publishing a scan to its command, or None if there was none in time."""
        # Far ahead of the clock, where the actor answers fast, and never behind it.
        self._stamp_ns = max(self._stamp_ns + messages.NANOSECONDS // 10, time.time_ns())
        self._odom.header.stamp = self._scan.header.stamp = messages.stamp_of(self._stamp_ns)
        self._odom_out.publish(self._odom)
        self._answered = 0.0
        begin = time.perf_counter()
        self._scan_out.publish(self._scan)
        while not self._answered and time.perf_counter() - begin < timeout_sec:
            self._executor.spin_once(timeout_sec=timeout_sec)
        return self._answered - begin if self._answered else None

    def move_until(self, due: float) -> None:
        """Publish odometry until then (s, of time.monotonic)."""
        while (left := due - time.monotonic()) > 0.0:
            time.sleep(min(left, ODOMETRY_SEC))
            if left > ODOMETRY_SEC:
                self._odom_out.publish(self._odom)


def latencies(probe: Probe, samples: int, spacing: float) -> list[float]:
    """Latencies (s) of `samples` scans, so far apart (s)."""
    times: list[float] = []
    while len(times) < samples:
        due = time.monotonic() + spacing
        latency = probe.sample()
        if latency is None:
            raise TimeoutError('actor_node stopped answering')
        times.append(latency)
        probe.move_until(due)
    return times


def quantiles(times: list[float]) -> dict[str, float]:
    median, p99 = (1e3 * float(value) for value in np.percentile(times, [50, 99]))
    return {'median_ms': median, 'p99_ms': p99, 'samples': len(times)}


def measure(probe: Probe, actor: int, options: argparse.Namespace) -> dict[str, Any]:
    """Latencies, as fast as can be and at a lidar's rate; and what the process `actor` takes."""
    probe.wait_for_actor()
    latencies(probe, WARM_UP, SPACING_SEC)
    quick = latencies(probe, options.samples, SPACING_SEC)
    began, before = time.monotonic(), cpu_seconds(actor)
    steady = latencies(probe, round(options.steady_sec / LIDAR_SEC), LIDAR_SEC)
    load = (cpu_seconds(actor) - before) / (time.monotonic() - began)
    return {
        'scan_to_cmd_vel': quantiles(quick),
        'scan_to_cmd_vel_at_10_hz': quantiles(steady),
        'actor_node': {'cpu_percent_at_10_hz': 100.0 * load, 'memory_mib': memory_mib(actor)},
    }


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has taken (s)."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def memory_mib(pid: int) -> float:
    """Memory that a process has in use, shared libraries included (MiB)."""
    (size,) = re.findall(r'^VmRSS:\s+(\d+) kB', Path(f'/proc/{pid}/status').read_text(), re.M)
    return int(size) / 1024.0


def actor_command(policy_file: Path, robot: Mapping[str, float]) -> list[str]:
    """The actor, for the robot that the policy is for."""
    parameters: dict[str, object] = {f'robot.{name}': value for name, value in robot.items()}
    parameters |= {'policy_file': policy_file, 'task.time_limit': 1e9}
    # Its stamps are not the clock's.
    parameters |= {'scan_timeout': 5.0, 'odom_timeout': 5.0, 'future_tolerance': 1e9}
    arguments = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
    node = ['-m', 'rl_planner.ros.start', 'actor_node']
    return [sys.executable, *node, '--ros-args', *arguments]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('policy', type=Path, help='policy file')
    parser.add_argument('--samples', type=int, default=1000, help='scans to measure')
    parser.add_argument('--steady-sec', type=float, default=20.0, help='how long at 10 Hz (s)')
    parser.add_argument('--beams', type=int, default=360, help='beams of a scan')
    options = parser.parse_args()
    ranges = Policy.load(options.policy).metadata.robot_ranges
    robot = {name: low for name, (low, _) in ranges.items()}
    command = actor_command(options.policy, robot)
    rclpy.init()
    actor = subprocess.Popen(command, stdout=sys.stderr)
    try:
        figures = measure(Probe(options.beams, robot), actor.pid, options)
    except TimeoutError as error:
        print(f'latency_probe: {error}', file=sys.stderr)
        return 1
    finally:
        actor.terminate()
        actor.wait()
        rclpy.try_shutdown()
    print(json.dumps(figures))
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
