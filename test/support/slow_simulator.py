"""A node whose simulator is slow and mortal, as Gazebo is, and does what a test wants when it does.

    python slow_simulator.py FOLDER --ros-args ...

The embedded simulator behind `stepped_node`, and files in FOLDER: as long as there is `hold_0`,
robot 0 is being placed; where there is `end_0`, its simulator ends in its next step, or now if it
is being placed. `steps` counts the steps, of whichever robots.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig
from rl_planner.ros import parameters
from rl_planner.ros.process import run_node
from rl_planner.ros.simulator_node import EmbeddedSimulator
from rl_planner.ros.stepped_config import SteppedConfig
from rl_planner.ros.stepped_node import SteppedNode
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.simulator import Floats, Rows


class SlowSimulator(EmbeddedSimulator):
    """The embedded simulator, held up and ended by files."""

    folder = Path(sys.argv[1])

    def __init__(self, lidar: LidarConfig, count: int) -> None:
        period = TaskConfig().control_period
        super().__init__(RobotConfig(), lidar, count, period, 0, DisturbanceConfig())
        self._episodes: dict[int, Episode] = {}
        self._waiting: set[int] = set()
        self._steps = 0

    def begin_episode(self, row: int, episode: Episode) -> None:
        self._episodes[row] = episode
        self._waiting.add(row)

    def is_placed(self, row: int) -> bool:
        if (self.folder / f'hold_{row}').exists():
            self._end_if_told(row)
            return False
        if row in self._waiting:
            super().begin_episode(row, self._episodes[row])
            self._waiting.remove(row)
        return True

    def step(self, commands: Floats, rows: Rows, then: None = None) -> None:
        super().step(commands, rows)
        self._steps += 1
        (self.folder / 'steps').write_text(str(self._steps))
        for row in rows.tolist():
            self._end_if_told(row)

    def _end_if_told(self, row: int) -> None:
        order = self.folder / f'end_{row}'
        if order.exists():
            order.unlink()
            self.restarts[row] += 1
            self._waiting.add(row)


class SlowNode(SteppedNode):
    """Runs a `SlowSimulator`."""

    def __init__(self) -> None:
        super().__init__('slow_simulator')
        config = parameters.declare(self, '', SteppedConfig)
        lidar = parameters.declare(self, 'lidar', LidarConfig)
        simulator = SlowSimulator(lidar, len(config.robots))
        self.serve(config, lidar, simulator.control_period, simulator)


if __name__ == '__main__':
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: stopping.append(received))
    raise SystemExit(run_node(SlowNode, 'slow_simulator', stopping))
