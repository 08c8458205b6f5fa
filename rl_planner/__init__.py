"""Learned robot motion planning for ROS 2: laser scan, odometry and goal in, velocity out."""

__version__ = '0.1.0'
