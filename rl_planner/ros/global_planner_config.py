"""What `global_planner_node` is told by its parameters."""

from __future__ import annotations

from dataclasses import dataclass

from rl_planner.navigation.config import parameter
from rl_planner.navigation.route import RouteConfig
from rl_planner.ros.mounting import MountingConfig


@dataclass(frozen=True)
class GlobalPlannerNodeConfig(RouteConfig, MountingConfig):
    """What the node itself needs to know."""

    planning_frequency: float = parameter(
        1.0, 'how often the way is looked at, and published (Hz)', above=0.0, at_most=20.0
    )
    update_frequency: float = parameter(
        5.0,
        'how often a scan is looked at for what is not in the map (Hz)',
        above=0.0,
        at_most=50.0,
    )
    odom_timeout: float = parameter(
        0.5, 'older odometry does not tell where the robot is (s)', above=0.0
    )
    transform_tolerance: float = parameter(
        0.5, 'TF may be so much older or newer than what it is asked for (s)', above=0.0
    )
    answer_time: float = parameter(
        0.5,
        'where the plan to a new goal takes longer than this, the robot stops on its way to the '
        'one before (s)',
        at_least=0.0,
    )
