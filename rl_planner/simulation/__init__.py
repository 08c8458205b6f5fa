"""Worlds, lidar ray casting, the batch simulator and its gymnasium environment."""
