"""What drives in an evaluation, and how well it senses and obeys."""

from __future__ import annotations

from dataclasses import dataclass, field

from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig
from rl_planner.navigation.global_planner import GlobalPlannerConfig
from rl_planner.navigation.path import PathConfig
from rl_planner.navigation.safety import SafetyConfig
from rl_planner.simulation.disturbance import DisturbanceConfig


@dataclass(frozen=True)
class Setting:
    """A robot with its lidar, how often it is commanded (s), how real it is, and who guards it.

    Attributes:
        guided: the robot has a map of the world, and follows the way that `planner` finds on it, as
            `path` says.
    """

    robot: RobotConfig = field(default_factory=RobotConfig)
    lidar: LidarConfig = field(default_factory=LidarConfig)
    control_period: float = TaskConfig().control_period
    disturbance: DisturbanceConfig = field(default_factory=DisturbanceConfig)
    safety: SafetyConfig = field(default_factory=lambda: SafetyConfig(enabled=False))
    guided: bool = False
    planner: GlobalPlannerConfig = field(default_factory=GlobalPlannerConfig)
    path: PathConfig = field(default_factory=PathConfig)
