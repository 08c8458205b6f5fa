"""Gazebo Classic, stepped one control period at a time over its own transport."""
