"""The nodes: the only room that knows ROS; it translates between messages and logic."""
