"""What a node with a stepped simulator needs to know, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass

from rl_planner.navigation.config import Config, parameter


@dataclass(frozen=True)
class SteppedConfig(Config):
    """What such a node itself needs to know, whatever the simulator."""

    robots: tuple[str, ...] = parameter(
        ('robot_0',), 'namespaces of the robots, each in a world of its own'
    )
    real_time_factor: float = parameter(
        1.0, 'simulated seconds per second; 0: lock-step, as fast as the actor', at_least=0.0
    )
    use_stamped_cmd_vel: bool = parameter(True, 'cmd_vel is TwistStamped, not Twist')
    odom_frame_id: str = parameter('odom', 'frame of odometry, goals and obstacles')
    base_frame_id: str = parameter('base_link', 'frame of the robot')
    scan_frame_id: str = parameter('base_scan', 'frame of the lidar')
