"""IR-SIM (pip: ir-sim) in the scene of `rl_planner benchmark simulator`, in a process of its own.

It logs, warns and looks for a screen when it is imported, which is none of our users' business.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import CommandError

if TYPE_CHECKING:
    from rl_planner.navigation.config import LidarConfig, RobotConfig
    from rl_planner.simulation.episodes import Episode

COMMAND = (0.2, 0.3)  # m/s, rad/s
LIMIT_SEC = 300.0


def installed() -> bool:
    return importlib.util.find_spec('irsim') is not None


def steps_per_sec(
    episode: Episode, robot: RobotConfig, lidar: LidarConfig, period: float, seconds: float
) -> float:
    """Steps per second of one robot in IR-SIM, not drawn, measured for `seconds`.

    Raises:
        CommandError: it does not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'world.yaml'
        path.write_text(json.dumps(scene(episode, robot, lidar, period)))  # JSON is YAML
        command = [sys.executable, '-m', __name__, str(path), str(seconds)]
        try:
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=LIMIT_SEC
            )
            return float(done.stdout.splitlines()[-1])
        except subprocess.CalledProcessError as error:
            raise CommandError(f'IR-SIM failed: {error.stderr.strip()[-500:]}') from error
        except (ValueError, IndexError, subprocess.TimeoutExpired) as error:
            raise CommandError(f'IR-SIM did not say how fast it is: {error}') from error


def scene(
    episode: Episode, robot: RobotConfig, lidar: LidarConfig, period: float
) -> dict[str, Any]:
    """A world file of IR-SIM: one robot, and all obstacles of the episode's world.

    IR-SIM's walls are seen from both sides: one that we have once for each side is there once.
    """
    world = episode.world
    walls = {tuple(sorted([(x0, y0), (x1, y1)])) for x0, y0, x1, y1 in world.walls.tolist()}
    x_min, y_min, x_max, y_max = world.bounds
    sensor = {
        'type': 'lidar2d',
        'number': lidar.num_beams,
        'range_min': lidar.range_min,
        'range_max': lidar.range_max,
        'angle_range': 2.0 * math.pi,
    }
    return {
        'world': {
            'width': x_max - x_min,
            'height': y_max - y_min,
            'offset': [x_min, y_min],
            'step_time': period,
            'collision_mode': 'stop',
        },
        'robot': [
            {
                'kinematics': {'name': 'diff'},
                'shape': {'name': 'circle', 'radius': robot.radius},
                'state': list(episode.start),
                'goal': [*episode.goal, 0.0],
                'vel_max': [robot.max_linear_vel, robot.max_angular_vel],
                'sensors': [sensor],
            }
        ],
        'obstacle': [
            *(_obstacle('linestring', vertices=list(map(list, wall))) for wall in sorted(walls)),
            *(
                _obstacle('rectangle', [x, y, yaw], length=length, width=width)
                for x, y, yaw, length, width in world.boxes.tolist()
            ),
            *(
                _obstacle('circle', [x, y, 0.0], radius=radius)
                for x, y, radius in world.circles.tolist()
            ),
        ],
    }


def _obstacle(
    shape: str, state: list[float] | None = None, **parameters: object
) -> dict[str, object]:
    return {'shape': {'name': shape, **parameters}, 'state': state or [0.0, 0.0, 0.0]}


def main(arguments: list[str] | None = None) -> None:
    """Print the rate of the world file that is given."""
    import irsim
    import numpy as np

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('world')
    parser.add_argument('seconds', type=float)
    options = parser.parse_args(arguments)
    env = irsim.make(options.world, headless=True, log_level='ERROR')
    command = np.array(COMMAND)[:, None]
    env.step(command)  # the first one takes longer
    steps, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < options.seconds:
        env.step(command)
        steps += 1
    print(steps / elapsed)


if __name__ == '__main__':
    main()
