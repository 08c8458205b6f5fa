"""The embedded simulator as a node: quick, exact, and nothing to install."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig, parameter
from rl_planner.ros import parameters
from rl_planner.ros.stepped_config import SteppedConfig
from rl_planner.ros.stepped_node import SteppedNode
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.obstacles import pack_worlds, replace_world
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.world import World


@dataclass(frozen=True)
class SimulatorConfig(SteppedConfig):
    """What the simulator node itself needs to know."""

    seed: int = parameter(0, 'seed of lidar noise and disturbances', at_least=0)


class EmbeddedSimulator(BatchSimulator):
    """The batch simulator, with a private world for each robot; a `SteppedSimulator`."""

    def __init__(
        self,
        robot: RobotConfig,
        lidar: LidarConfig,
        count: int,
        control_period: float,
        seed: int,
        disturbance: DisturbanceConfig,
    ) -> None:
        worlds = pack_worlds([World()] * count)
        super().__init__(robot, lidar, worlds, count, control_period, seed, disturbance=disturbance)
        self.restarts = np.zeros(count, np.int64)
        self.place(self.rows, self.rows, np.zeros((count, 3)))

    def begin_episode(self, row: int, episode: Episode) -> None:
        self.obstacles = replace_world(self.obstacles, row, episode.world)
        rows = np.array([row])
        self.place(rows, rows, np.array([episode.start]))

    def is_placed(self, row: int) -> bool:
        return True

    def close(self) -> None:
        """Nothing is left behind."""


class SimulatorNode(SteppedNode):
    """Runs an `EmbeddedSimulator`."""

    def __init__(self) -> None:
        super().__init__('simulator_node')
        config = parameters.declare(self, '', SimulatorConfig)
        robot = parameters.declare(self, 'robot', RobotConfig)
        lidar = parameters.declare(self, 'lidar', LidarConfig)
        period = parameters.declare(self, 'task', TaskConfig).control_period
        disturbance = parameters.declare(self, 'disturbance', DisturbanceConfig)
        parameters.refuse_unknown(self)
        simulator = EmbeddedSimulator(
            robot, lidar, len(config.robots), period, config.seed, disturbance
        )
        self.serve(config, lidar, period, simulator)
