"""Learned robot motion planning for ROS 2: laser scan, odometry and goal in, velocity out."""

import sys

__version__ = '0.1.0'

# Whoever trains imports gymnasium, and then finds the environment in it. A robot has no gymnasium
# and must not wait for it.
if 'gymnasium' in sys.modules:
    from rl_planner.simulation import registration as registration
