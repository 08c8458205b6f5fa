"""Planar worlds as SDF 1.6, which Gazebo Classic 11 and Gazebo Sim load as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rl_planner.navigation.files import write_atomically
from rl_planner.simulation import sdf_shapes as shapes
from rl_planner.simulation.sdf_shapes import Shape, words
from rl_planner.simulation.world import World

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
    `walls` becomes a box of 1 cm on its solid side, and is read as one of `boxes`. The file appears
    whole or not at all; the world's name loses what ROS and Gazebo do not take in a name.
    """
    name = re.sub(r'\W+', '_', world.name, flags=re.ASCII) or 'world'
    models = ''.join([*_obstacles(world), *_movers(world)])
    write_atomically(path, _WORLD.format(name=name, models=models).encode())


def _obstacles(world: World) -> Iterator[str]:
    for shape in (*shapes.boxes(world), *shapes.circles(world)):
        yield _model(shape)
    if len(world.walls):
        yield _WALLS_COMMENT
    yield from map(_model, shapes.walls(world))


def _movers(world: World) -> Iterator[str]:
    for number, (x, y, end_x, end_y, radius, speed, offset) in enumerate(world.movers):
        mover = _MOVER.format(
            waypoint=words(end_x, end_y), speed=words(speed), offset=words(offset)
        )
        yield _model(Shape(f'mover_{number}', x, y, 0.0, shapes.cylinder(radius)), mover)


def _model(shape: Shape, mover: str = '') -> str:
    return _MODEL.format(name=shape.name, pose=shape.pose, geometry=shape.geometry, mover=mover)
