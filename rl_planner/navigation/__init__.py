"""What the robot senses, does and is asked for: pure numpy, no ROS, no other room."""
