"""Drive simulated robots with a trained policy.

ros2 launch rl_planner simulation.launch.py policy:=runs/NAME/policy.safetensors
"""

from launch import LaunchDescription

from rl_planner.bringup.system import SIMULATION_ARGUMENTS, simulation
from rl_planner.ros.launching import launch_description


def generate_launch_description() -> LaunchDescription:
    """Return the nodes and arguments described in rl_planner.bringup.system."""
    return launch_description(simulation, SIMULATION_ARGUMENTS)
