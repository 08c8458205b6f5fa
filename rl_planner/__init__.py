"""Learned robot motion planning for ROS 2: laser scan, odometry and goal in, velocity out."""

import sys

__version__ = '0.1.0'

# Whoever has imported gymnasium finds the environment in it. A robot has no gymnasium, and must not
# wait for it.
if sys.modules.get('gymnasium') is not None:
    from rl_planner.simulation import registration as registration
