"""Measures scan -> cmd_vel through two processes: this one plays the robot, actor_node drives it.

    python -m rl_planner.ros.latency_probe --samples 1000

Prints one line of JSON. The scans come faster than a lidar's, with stamps one control period apart,
so that each is acted on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, Twist
from nav_msgs.msg import Odometry
from sensor_msgs.msg import LaserScan

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import ACTION_SIZE, Policy, PolicyMetadata
from rl_planner.ros import messages, qos
from rl_planner.ros.process import make_executor

SPACING_SEC = 0.01
TIMEOUT_SEC = 30.0
WARM_UP = 50


def random_policy(hidden_size: int, seed: int = 0) -> Policy:
    """An untrained policy of the usual shape; how long it takes does not depend on its weights."""
    observation, task = ObservationConfig(), TaskConfig()
    rng = np.random.default_rng(seed)
    sizes = [observation_size(observation), hidden_size, hidden_size, ACTION_SIZE]
    tensors = {}
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        tensors[f'actor.{layer}.weight'] = rng.normal(0.0, inputs**-0.5, (outputs, inputs))
        tensors[f'actor.{layer}.bias'] = np.zeros(outputs)
    metadata = PolicyMetadata.for_robot(RobotConfig(), observation, task.control_period, 'none')
    return Policy(tensors, metadata)


class Probe:
    """The robot's side: publishes odometry and a scan, and waits for the answer."""

    def __init__(self, beams: int) -> None:
        self._node = rclpy.create_node('latency_probe')
        self._executor = make_executor()
        self._executor.add_node(self._node)
        self._scan = messages.empty_scan(LidarConfig(num_beams=beams), 'base_scan', 0.1)
        messages.set_ranges(self._scan, np.full(beams, 3.0, np.float32))
        self._odom = Odometry()
        self._odom.header.frame_id = 'odom'
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
        self._stamp_ns += messages.NANOSECONDS // 10
        self._odom.header.stamp = self._scan.header.stamp = messages.stamp_of(self._stamp_ns)
        self._odom_out.publish(self._odom)
        self._answered = 0.0
        begin = time.perf_counter()
        self._scan_out.publish(self._scan)
        while not self._answered and time.perf_counter() - begin < timeout_sec:
            self._executor.spin_once(timeout_sec=timeout_sec)
        return self._answered - begin if self._answered else None


def measure(samples: int, beams: int) -> list[float]:
    """Latencies (s) of `samples` scans."""
    probe = Probe(beams)
    probe.wait_for_actor()
    latencies: list[float] = []
    while len(latencies) < samples + WARM_UP:
        latency = probe.sample()
        if latency is None:
            raise TimeoutError('actor_node stopped answering')
        latencies.append(latency)
        time.sleep(SPACING_SEC)
    return latencies[WARM_UP:]


def actor_command(policy_file: Path) -> list[str]:
    parameters: dict[str, object] = {'policy_file': policy_file, 'task.time_limit': 1e9}
    # Its stamps are not the clock's.
    parameters |= dict.fromkeys(('scan_timeout', 'odom_timeout', 'future_tolerance'), 1e9)
    arguments = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
    node = ['-m', 'rl_planner.ros.start', 'actor_node']
    return [sys.executable, *node, '--ros-args', *arguments]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--samples', type=int, default=1000, help='scans to measure')
    parser.add_argument('--beams', type=int, default=360, help='beams of a scan')
    parser.add_argument('--hidden-size', type=int, default=128, help='units of a hidden layer')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        policy_file = Path(folder) / 'policy.safetensors'
        random_policy(options.hidden_size).save(policy_file)
        rclpy.init()
        actor = subprocess.Popen(actor_command(policy_file))
        try:
            latencies = measure(options.samples, options.beams)
        except TimeoutError as error:
            print(f'latency_probe: {error}', file=sys.stderr)
            return 1
        finally:
            actor.terminate()
            actor.wait()
            rclpy.try_shutdown()
    median, p99 = (1e3 * float(value) for value in np.percentile(latencies, [50, 99]))
    result = {'median_ms': median, 'p99_ms': p99, 'samples': len(latencies), 'beams': options.beams}
    print(json.dumps(result))
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
