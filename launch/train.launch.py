"""Train a policy on simulated robots: simulator, actor, learner and episodes.

ros2 launch rl_planner train.launch.py robots:=8 out:=runs/NAME
"""

from launch import LaunchDescription

from rl_planner.bringup.system import TRAIN_ARGUMENTS, train
from rl_planner.ros.launching import launch_description


def generate_launch_description() -> LaunchDescription:
    """Return the nodes and arguments described in rl_planner.bringup.system."""
    return launch_description(train, TRAIN_ARGUMENTS)
