"""`rl_planner benchmark policy`: how long a decision takes."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import CommandError, add_seed, table
from rl_planner.cli.ros_system import domain_id, require_ros

if TYPE_CHECKING:
    from rl_planner.navigation.policy import Policy

TEXT = """\
Measure how long one decision takes, from scan to command.

The forward pass alone; with the making of the observation from a scan of 360 beams, an earlier scan
included where the policy sees one; with all else that a control step takes, the safety layer
included; and, over ROS 2, from the scan message to the cmd_vel message through two processes, as
fast as can be and at 10 Hz, with CPU load and memory of actor_node.
"""

CALLS, BEAMS = 20000, 360
AHEAD, AROUND = 0.025, (0.1, 2.8)  # returns beyond the robot's edge (m)
DEFAULT_POLICY = 'config/policies/default.safetensors'
PROBE = 'rl_planner.ros.latency_probe'
PROBE_LIMIT_SEC = 120.0


def add_options(parser: argparse.ArgumentParser) -> None:
    add_seed(parser)
    parser.add_argument(
        '--policy', type=Path, metavar='FILE', help=f'policy file; default: {DEFAULT_POLICY}'
    )
    parser.add_argument('--no-ros', action='store_true', help='only what takes no ROS 2')


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, print, and return medians and 99 % quantiles, and what the node takes."""
    from rl_planner.navigation.files import shared_file
    from rl_planner.navigation.policy import Policy

    path = options.policy or shared_file(DEFAULT_POLICY)
    times = _inference(Policy.load(path), options.seed, options.quiet)
    node = None
    if not options.no_ros:
        require_ros()
        probed = _scan_to_cmd_vel(path)
        node = probed.pop('actor_node')
        times |= probed
    rows = [[name.replace('_', ' '), *_cells(entry)] for name, entry in times.items()]
    print(table(('one robot', 'median', 'p99', 'samples'), rows))
    if node is None:
        return times
    print(
        f'\nactor_node: {node["cpu_percent_at_10_hz"]:.1f} % of a core at 10 Hz, '
        f'{node["memory_mib"]:.0f} MiB of memory'
    )
    return {**times, 'actor_node': node}


def _cells(entry: dict[str, float]) -> list[str]:
    times = [f'{1000.0 * entry[name]:,.1f} us' for name in ('median_ms', 'p99_ms')]
    return [*times, f'{entry["samples"]:,}']


def _inference(policy: Policy, seed: int, quiet: bool) -> dict[str, dict[str, float]]:
    import numpy as np

    from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig
    from rl_planner.navigation.observation import ScanGeometry
    from rl_planner.navigation.observer import Observer
    from rl_planner.navigation.pilot import Pilot
    from rl_planner.navigation.safety import Safety, SafetyConfig
    from rl_planner.navigation.step import Sensed

    ranges = policy.metadata.robot_ranges
    robot = RobotConfig(**{name: low for name, (low, _) in ranges.items()})
    task = TaskConfig(control_period=policy.metadata.control_period, time_limit=1e12)
    scan, rng = ScanGeometry.of(LidarConfig(num_beams=BEAMS)), np.random.default_rng(seed)
    observer = Observer(policy.metadata.observation, robot, scan, 1)
    observation, rows = np.zeros((1, observer.size), np.float32), np.array([0])
    # At top speed before a wall: the safety layer has all of its work to do.
    beams = (robot.radius + rng.uniform(*AROUND, (1, BEAMS))).astype(np.float32)
    beams[:, BEAMS // 4 : 3 * BEAMS // 4] = robot.radius + AHEAD
    goal, velocity, command = 0.3 * rng.uniform(0.0, 1.0, (3, 1, 2))
    velocity[:] = robot.max_linear_vel, 0.0
    pose, age, none = np.zeros((1, 3)), np.array([0.005]), np.zeros(1)
    safety = Safety(SafetyConfig(), robot, scan, task.control_period)
    pilot = Pilot(1, robot, task, policy.metadata.observation, scan, safety=safety)
    pilot.policy = policy
    pilot.set_goal(0, 1000.0, 0.0)
    stamps, counted = itertools.count(0.0, task.control_period), itertools.count()

    def decide() -> None:
        observer.observe(rows, beams, goal, velocity, command, pose, observation)
        policy.act(observation)

    def drive() -> None:
        next(counted)
        stamp = np.array([next(stamps)])
        pilot.step(Sensed(rows, beams, pose, velocity, stamp, age, none, none))

    figures = {}
    calls = {
        'forward_pass': lambda: policy.act(observation),
        'observation_and_forward_pass': decide,
        'decision_with_safety_layer': drive,
    }
    for name, call in calls.items():
        if not quiet and sys.stderr.isatty():  # no bar: a robot has no tqdm
            print(f'{name.replace("_", " ")} ...', file=sys.stderr)
        figures[name] = _times(call)
    acted = sum(pilot.interventions.values())
    figures['decision_with_safety_layer']['changed'] = acted / next(counted)
    return figures


def _times(call: Callable[[], object]) -> dict[str, float]:
    import numpy as np

    for _ in range(CALLS // 10):
        call()
    times = np.empty(CALLS)
    for index in range(CALLS):
        began = time.perf_counter()
        call()
        times[index] = time.perf_counter() - began
    median, p99 = (1000.0 * np.quantile(times, (0.5, 0.99))).tolist()
    return {'median_ms': median, 'p99_ms': p99, 'samples': CALLS}


def _scan_to_cmd_vel(policy: Path) -> dict[str, Any]:
    """What the probe node measures with an actor in a process of its own."""
    env = {**os.environ, 'ROS_DOMAIN_ID': str(domain_id())}
    command = [sys.executable, '-m', PROBE, str(policy)]
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=PROBE_LIMIT_SEC, check=True
        )
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        raise CommandError(f'{PROBE} did not end within {PROBE_LIMIT_SEC:g} s') from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ['no message'])[-1]
        raise CommandError(f'{PROBE} failed: {reason}') from error
    except (ValueError, IndexError) as error:
        raise CommandError(f'{PROBE} must print a line of JSON, got {done.stdout!r}') from error
    return figures
