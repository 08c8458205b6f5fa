"""Planar worlds as SDF 1.6, which Gazebo Classic 11 and Gazebo Sim load as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rl_planner.navigation.files import write_atomically
from rl_planner.simulation.world import World

OBSTACLE_HEIGHT = 0.5  # m: above any lidar plane of a small robot, low enough to look over
WALL_THICKNESS = 0.001  # m

_WORLD = """\
<?xml version="1.0"?>
<sdf version="1.6" xmlns:rl_planner="https://github.com/rl-planner/rl_planner">
  <world name="{name}">
    <physics name="default" type="ode">
      <max_step_size>0.001</max_step_size>
      <real_time_factor>1</real_time_factor>
      <real_time_update_rate>1000</real_time_update_rate>
    </physics>

    <light name="sun" type="directional">
      <cast_shadows>true</cast_shadows>
      <pose>0 0 10 0 0 0</pose>
      <diffuse>0.8 0.8 0.8 1</diffuse>
      <specular>0.2 0.2 0.2 1</specular>
      <direction>-0.5 0.1 -0.9</direction>
    </light>

    <model name="ground_plane">
      <static>true</static>
      <link name="link">
        <collision name="collision">
          <geometry><plane><normal>0 0 1</normal><size>100 100</size></plane></geometry>
        </collision>
        <visual name="visual">
          <cast_shadows>false</cast_shadows>
          <geometry><plane><normal>0 0 1</normal><size>100 100</size></plane></geometry>
        </visual>
      </link>
    </model>
{models}  </world>
</sdf>
"""

_MODEL = """
    <model name="{name}">
      <static>true</static>
      <pose>{pose}</pose>
      <link name="link">
        <collision name="collision">
          <geometry>{geometry}</geometry>
        </collision>
        <visual name="visual">
          <geometry>{geometry}</geometry>
        </visual>
      </link>
{mover}    </model>
"""

_MOVER = """\
      <rl_planner:mover>
        <rl_planner:waypoint>{waypoint}</rl_planner:waypoint>
        <rl_planner:speed>{speed}</rl_planner:speed>
        <rl_planner:offset>{offset}</rl_planner:offset>
      </rl_planner:mover>
"""

_WALLS_COMMENT = """
    <!-- Walls without a thickness, seen from one side: thin boxes behind the side that is seen. -->
"""


def write_sdf(world: World, path: str | Path) -> None:
    """Write a world that `read_sdf` and Gazebo read: a static model per obstacle, 0.5 m high.

    `read_sdf` gives back the same boxes, circles and movers. SDF has no one-sided walls: each of
    `walls` becomes a box of 1 mm on its solid side, and is read as one of `boxes`. The file appears
    whole or not at all; the world's name loses what ROS and Gazebo do not take in a name.
    """
    name = re.sub(r'\W+', '_', world.name, flags=re.ASCII) or 'world'
    models = ''.join([*_boxes(world), *_circles(world), *_walls(world), *_movers(world)])
    write_atomically(path, _WORLD.format(name=name, models=models).encode())


def _boxes(world: World) -> Iterator[str]:
    for number, (x, y, yaw, length, width) in enumerate(world.boxes):
        yield _model(f'box_{number}', (x, y, yaw), _box(length, width))


def _circles(world: World) -> Iterator[str]:
    for number, (x, y, radius) in enumerate(world.circles):
        yield _model(f'circle_{number}', (x, y, 0.0), _cylinder(radius))


def _walls(world: World) -> Iterator[str]:
    if len(world.walls):
        yield _WALLS_COMMENT
    for number, wall in enumerate(world.walls):
        along = wall[2:] - wall[:2]
        length = max(float(np.hypot(*along)), WALL_THICKNESS)
        left = np.array([-along[1], along[0]]) / length
        x, y = (wall[:2] + wall[2:]) / 2.0 + left * WALL_THICKNESS / 2.0
        yaw = np.arctan2(along[1], along[0])
        yield _model(f'wall_{number}', (x, y, yaw), _box(length, WALL_THICKNESS))


def _movers(world: World) -> Iterator[str]:
    for number, (x, y, end_x, end_y, radius, speed, offset) in enumerate(world.movers):
        mover = _MOVER.format(
            waypoint=_words(end_x, end_y), speed=_words(speed), offset=_words(offset)
        )
        yield _model(f'mover_{number}', (x, y, 0.0), _cylinder(radius), mover)


def _model(name: str, pose: tuple[float, float, float], geometry: str, mover: str = '') -> str:
    x, y, yaw = pose
    words = _words(x, y, OBSTACLE_HEIGHT / 2.0, 0.0, 0.0, yaw)
    return _MODEL.format(name=name, pose=words, geometry=geometry, mover=mover)


def _box(length: float, width: float) -> str:
    return f'<box><size>{_words(length, width, OBSTACLE_HEIGHT)}</size></box>'


def _cylinder(radius: float) -> str:
    sizes = f'<radius>{_words(radius)}</radius><length>{_words(OBSTACLE_HEIGHT)}</length>'
    return f'<cylinder>{sizes}</cylinder>'


def _words(*numbers: float) -> str:
    """Numbers as text that reads back to the same numbers."""
    return ' '.join(repr(float(number)).removesuffix('.0') for number in numbers)
