"""Drive a real robot: start this on its own computer, beside its own drivers.

ros2 launch rl_planner robot.launch.py robot:=turtlebot3_burger use_stamped_cmd_vel:=true
"""

from launch import LaunchDescription

from rl_planner.bringup.robot_system import ROBOT_ARGUMENTS, robot
from rl_planner.ros.launching import launch_description


def generate_launch_description() -> LaunchDescription:
    """Return the processes and arguments described in rl_planner.bringup.robot_system."""
    return launch_description(robot, ROBOT_ARGUMENTS)
