"""Gazebo Classic in lock-step, without gazebo_ros: a control period for each command, exactly.

The node starts gzservers of its own and speaks Gazebo's transport with them. It has the topics of
`simulator_node`, and may take its place. Where gazebo_msgs is installed it has gazebo_ros' services
beside them (`rl_planner.ros.gazebo_services`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from importlib.util import find_spec

from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.simulator import GazeboSimulator
from rl_planner.navigation.config import (
    Config,
    ConfigError,
    LidarConfig,
    RobotConfig,
    TaskConfig,
    parameter,
)
from rl_planner.ros import parameters
from rl_planner.ros.gazebo_services import GazeboServices
from rl_planner.ros.stepped_config import SteppedConfig
from rl_planner.ros.stepped_node import SteppedNode
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World


@dataclass(frozen=True)
class GazeboBridgeConfig(SteppedConfig):
    """What the bridge itself needs to know."""

    robot_model: str = parameter(
        'default', 'robot of worlds/robots, or an SDF file; robot.* and lidar.* must agree with it'
    )
    servers: int = parameter(1, 'gzservers that share the robots evenly', at_least=1)
    gazebo_root: str = parameter(
        '', "folder of a chroot with Gazebo Classic; empty: this machine's own"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.servers > len(self.robots):
            raise ConfigError(
                f'servers must be at most the {len(self.robots)} robots, got {self.servers}'
            )


class BridgedSimulator(GazeboSimulator):
    """Worlds come as messages here: one that says the same is the same, and stays where it is."""

    def __init__(self, model: RobotModel, config: GazeboBridgeConfig, period: float) -> None:
        super().__init__(model, len(config.robots), config.servers, period, config.gazebo_root)
        self._worlds: dict[int, World] = {}

    def begin_episode(self, row: int, episode: Episode) -> None:
        known = self._worlds.get(row)
        if known is not None and known.is_like(episode.world):
            episode = replace(episode, world=known)
        self._worlds[row] = episode.world
        super().begin_episode(row, episode)


class GazeboBridgeNode(SteppedNode):
    """Runs a `GazeboSimulator`."""

    def __init__(self) -> None:
        super().__init__('gazebo_bridge_node')
        config = parameters.declare(self, '', GazeboBridgeConfig)
        robot = parameters.declare(self, 'robot', RobotConfig)
        lidar = parameters.declare(self, 'lidar', LidarConfig)
        period = parameters.declare(self, 'task', TaskConfig).control_period
        parameters.refuse_unknown(self)
        model = RobotModel.read(config.robot_model, 'gazebo_bridge')
        require_agreement(model.name, 'robot', model.robot, robot)
        # Noise is the model's own; that of the parameters is the embedded simulator's. A simulated
        # scan takes no time.
        noise_std, scan_duration = lidar.noise_std, lidar.scan_duration
        of_model = replace(model.lidar, noise_std=noise_std, scan_duration=scan_duration)
        require_agreement(model.name, 'lidar', of_model, lidar)
        simulator = BridgedSimulator(model, config, period)
        self.serve(config, lidar, period, simulator)
        if find_spec('gazebo_msgs') is not None:
            self._gazebo_services = GazeboServices(self, simulator, config.robots)


def require_agreement(model: str, group: str, of_model: Config, given: Config) -> None:
    """Refuse parameters that tell of another robot than the model is.

    Raises:
        ConfigError: naming the first that differs.
    """
    for item in fields(of_model):
        expected, value = getattr(of_model, item.name), getattr(given, item.name)
        numbers = isinstance(expected, float)
        if abs(expected - value) > 1e-3 if numbers else expected != value:
            raise ConfigError(
                f'{group}.{item.name} must be {expected}, as robot model {model} has it, '
                f'got {value}'
            )
