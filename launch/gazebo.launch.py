"""Start a Gazebo with robots in it, for other nodes to drive.

ros2 launch rl_planner gazebo.launch.py simulator:=gazebo_classic robots:=2 headless:=true
"""

from launch import LaunchDescription

from rl_planner.bringup.system import GAZEBO_ARGUMENTS, gazebo
from rl_planner.ros.launching import launch_description


def generate_launch_description() -> LaunchDescription:
    """Return the processes and arguments described in rl_planner.bringup.system."""
    return launch_description(gazebo, GAZEBO_ARGUMENTS)
