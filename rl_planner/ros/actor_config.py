"""What the actor node itself needs to know; the rest it shares with other nodes."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.node import Node

from rl_planner.learning.config import LearningConfig
from rl_planner.navigation.config import (
    ConfigError,
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
    parameter,
)
from rl_planner.navigation.path import PathConfig
from rl_planner.navigation.safety import SafetyConfig
from rl_planner.ros import parameters
from rl_planner.ros.live_cap import LIVE
from rl_planner.ros.mounting import MountingConfig


@dataclass(frozen=True)
class ActorConfig(MountingConfig):
    """Parameters of the actor node without a prefix."""

    robots: tuple[str, ...] = parameter(
        ('',), 'namespaces of the robots; one empty name: the topics of the node itself'
    )
    policy_file: str = parameter('', 'policy to drive with; may be empty in training')
    autostart: bool = parameter(
        True, 'configure and activate at once; false: a lifecycle manager does'
    )
    follow_plan: bool = parameter(
        False, 'follow the topic plan; a goal_pose is for its planner then and starts no drive'
    )
    training: bool = parameter(False, 'explore, publish experience and follow the topic policy')
    use_stamped_cmd_vel: bool = parameter(False, 'publish TwistStamped, not Twist')
    command_when_idle: bool = parameter(
        False, 'answer scans without a goal by zero velocity; a lock-stepped simulator waits for it'
    )
    # The safety layer follows what is driven by an old scan: its work grows with the age.
    scan_timeout: float = parameter(
        0.5, 'an older scan stops the robot (s)', above=0.0, at_most=5.0
    )
    odom_timeout: float = parameter(
        0.5, 'older odometry stops the robot (s)', above=0.0, at_most=5.0
    )
    future_tolerance: float = parameter(
        0.2, 'scan or odometry stamped further ahead of the clock stop the robot (s)', above=0.0
    )
    clock_jump_tolerance: float = parameter(
        0.1, 'a clock that goes back by more stops the robots; they begin anew (s)', above=0.0
    )
    overrun_limit: int = parameter(
        3,
        'so many control steps in a row that each take longer than the control period stop the '
        'robots, but in simulated time; 0: never',
        at_least=0,
    )
    transform_tolerance: float = parameter(
        0.5, 'TF may be so much older or newer than the scan (s)', above=0.0
    )
    experience_batch: int = parameter(
        64, 'transitions in one experience message', at_least=1, at_most=4096
    )
    seed: int = parameter(0, 'seed of the exploration', at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.robots or len(set(self.robots)) != len(self.robots):
            raise ConfigError(f'robots must be different names, got {list(self.robots)}')
        if not self.training and not self.policy_file:
            raise ConfigError('policy_file must name a policy file where training is false')
        if self.training and self.follow_plan:
            raise ConfigError('follow_plan must be false where training is true')


@dataclass(frozen=True)
class ActorSetup:
    """All that the actor node is configured with."""

    own: ActorConfig
    robot: RobotConfig
    lidar: LidarConfig
    task: TaskConfig
    observation: ObservationConfig
    learning: LearningConfig
    safety: SafetyConfig
    path: PathConfig

    @classmethod
    def declare(cls, node: Node) -> ActorSetup:
        """Declare the parameters of the node, and read them.

        Raises:
            ConfigError: a wrong type, a value out of bounds, or an unknown name.
        """
        setup = cls(
            parameters.declare(node, '', ActorConfig),
            parameters.declare(node, 'robot', RobotConfig, live=LIVE),
            parameters.declare(node, 'lidar', LidarConfig),
            parameters.declare(node, 'task', TaskConfig),
            parameters.declare(node, 'observation', ObservationConfig),
            parameters.declare(node, 'learning', LearningConfig),
            parameters.declare(node, 'safety', SafetyConfig),
            parameters.declare(node, 'path', PathConfig),
        )
        parameters.refuse_unknown(node)
        duration, timeout = setup.lidar.scan_duration, setup.own.scan_timeout
        if duration >= timeout:
            raise ConfigError(
                f'lidar.scan_duration must be less than scan_timeout {timeout:g}, got {duration:g}'
            )
        return setup
