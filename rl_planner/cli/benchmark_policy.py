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
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import CommandError, add_seed, progress_bar, table
from rl_planner.cli.ros_system import domain_id, require_ros

if TYPE_CHECKING:
    from rl_planner.navigation.policy import Policy

TEXT = """\
Measure how long one decision takes, from scan to command.

The forward pass alone; with the making of the observation from a scan of 360 beams; and, over
ROS 2, from the scan message to the cmd_vel message through two processes.
"""

CALLS = 20000
PROBE = 'rl_planner.ros.latency_probe'
PROBE_LIMIT_SEC = 120.0


def add_options(parser: argparse.ArgumentParser) -> None:
    add_seed(parser)
    parser.add_argument('--no-ros', action='store_true', help='only what takes no ROS 2')


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, print, and return medians and 99 % quantiles."""
    figures = _inference(options.seed, options.quiet)
    if not options.no_ros:
        require_ros()
        figures['scan_to_cmd_vel'] = _scan_to_cmd_vel()
    rows = [[name.replace('_', ' '), *_cells(entry)] for name, entry in figures.items()]
    print(table(('one robot', 'median', 'p99', 'samples'), rows))
    return figures


def _cells(entry: dict[str, float]) -> list[str]:
    times = [f'{1000.0 * entry[name]:,.1f} us' for name in ('median_ms', 'p99_ms')]
    return [*times, f'{entry["samples"]:,}']


def _inference(seed: int, quiet: bool) -> dict[str, dict[str, float]]:
    import numpy as np

    from rl_planner.navigation.config import LidarConfig, RobotConfig
    from rl_planner.navigation.observation import ObservationEncoder, ScanGeometry

    policy, rng = _untrained_policy(seed), np.random.default_rng(seed)
    scan = ScanGeometry.of(LidarConfig(num_beams=360))
    encoder = ObservationEncoder(policy.metadata.observation, RobotConfig(), scan, 1)
    observation = np.zeros((1, encoder.size), np.float32)
    ranges = rng.uniform(0.5, 3.0, (1, 360)).astype(np.float32)
    goal, velocity, command = rng.uniform(0.0, 1.0, (3, 1, 2))

    def decide() -> None:
        encoder.encode(ranges, goal, velocity, command, observation)
        policy.act(observation)

    with progress_bar('inference', 2, quiet) as bar:
        forward = _times(lambda: policy.act(observation))
        bar.update()
        return {'forward_pass': forward, 'observation_and_forward_pass': _times(decide)}


def _untrained_policy(seed: int) -> Policy:
    """As large as the one that `rl_planner train` makes: its numbers do not matter here."""
    import numpy as np

    from rl_planner.learning.config import LearningConfig
    from rl_planner.navigation.config import ObservationConfig, RobotConfig
    from rl_planner.navigation.observation import observation_size
    from rl_planner.navigation.policy import ACTION_SIZE, Policy, PolicyMetadata

    config, rng = LearningConfig(), np.random.default_rng(seed)
    hidden = [config.hidden_size] * config.hidden_layers
    sizes = [observation_size(ObservationConfig()), *hidden, ACTION_SIZE]
    tensors = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        tensors[f'actor.{layer}.weight'] = rng.normal(0.0, 0.1, (outputs, inputs))
        tensors[f'actor.{layer}.bias'] = np.zeros(outputs)
    metadata = PolicyMetadata.for_robot(RobotConfig(), ObservationConfig(), 0.1, 'none')
    return Policy(tensors, metadata)


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


def _scan_to_cmd_vel() -> dict[str, float]:
    """What the probe node measures with an actor in a process of its own."""
    env = {**os.environ, 'ROS_DOMAIN_ID': str(domain_id())}
    command = [sys.executable, '-m', PROBE]
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=PROBE_LIMIT_SEC, check=True
        )
        figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        raise CommandError(f'{PROBE} did not end within {PROBE_LIMIT_SEC:g} s') from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ['no message'])[-1]
        raise CommandError(f'{PROBE} failed: {reason}') from error
    except (ValueError, IndexError) as error:
        raise CommandError(f'{PROBE} must print a line of JSON, got {done.stdout!r}') from error
    return figures
