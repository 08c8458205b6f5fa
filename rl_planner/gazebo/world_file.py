"""World files to start a Gazebo with: robots in them, and what the ROS side asks of a world.

Gazebo Classic needs the plugin that offers the states of entities; Gazebo Sim the systems that
simulate sensors and take commands, since a world that names one system gets no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.navigation.files import user_cache, write_atomically
from rl_planner.simulation.episodes import sample_episodes
from rl_planner.simulation.world import FloatArray, World, WorldError

STEP = 0.01  # s, of physics
# m, from the middle of one robot's world to that of the next: farther than any lidar sees
SPACING = 200.0
WORLD_NAME = 'rl_planner'

EMPTY_WORLD = f"""\
<sdf version="1.6">
  <world name="{WORLD_NAME}">
    <light name="sun" type="directional">
      <pose>0 0 10 0 0 0</pose>
      <diffuse>0.8 0.8 0.8 1</diffuse>
      <direction>-0.5 0.1 -0.9</direction>
    </light>
    <model name="ground_plane">
      <static>true</static>
      <link name="link">
        <collision name="collision">
          <geometry><plane><normal>0 0 1</normal><size>1000 1000</size></plane></geometry>
        </collision>
        <visual name="visual">
          <geometry><plane><normal>0 0 1</normal><size>1000 1000</size></plane></geometry>
        </visual>
      </link>
    </model>
  </world>
</sdf>
"""

SYSTEMS = {
    'gazebo_classic': {'libgazebo_ros_state.so': 'gazebo_ros_state'},
    'gazebo_sim': {
        'gz-sim-physics-system': 'gz::sim::systems::Physics',
        'gz-sim-user-commands-system': 'gz::sim::systems::UserCommands',
        'gz-sim-scene-broadcaster-system': 'gz::sim::systems::SceneBroadcaster',
        'gz-sim-sensors-system': 'gz::sim::systems::Sensors',
    },
}


def make_world(
    text: str, model: RobotModel, robots: Sequence[str], poses: FloatArray, real_time_factor: float
) -> tuple[str, str]:
    """A world with robots in it, for the Gazebo that `model` is read for, and the world's name.

    Args:
        text: SDF of the world without them.
        robots: their names, which are also their namespaces.
        poses: (len(robots), 3) x, y (m) and yaw (rad).
        real_time_factor: simulated seconds per second; 0: as fast as can be.

    Raises:
        WorldError: the text has no world.
    """
    document = ElementTree.fromstring(text)
    world = document.find('world')
    if world is None:
        raise WorldError('a world file must have a <world>, got none')
    for physics in world.findall('physics'):
        world.remove(physics)
    world.append(_physics(real_time_factor))
    present = {plugin.get('filename') for plugin in world.findall('plugin')}
    for filename, name in SYSTEMS[model.flavour].items():
        if filename not in present:
            SubElement(world, 'plugin', filename=filename, name=name)
    for name, (x, y, yaw) in zip(robots, poses.tolist(), strict=True):
        robot = ElementTree.fromstring(model.sdf(name, x, y, yaw, name)).find('model')
        assert robot is not None
        world.append(robot)
    return ElementTree.tostring(document, encoding='unicode'), world.get('name', 'default')


def write_world(text: str) -> Path:
    """Write a world into the user's cache, named after its content; its path."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = user_cache() / f'world-{digest}.sdf'
    if not path.exists():
        write_atomically(path, text.encode())
    return path


def arena_poses(count: int) -> FloatArray:
    """(count, 3) poses in a row, each with room for the world of an episode around it."""
    return np.column_stack([SPACING * np.arange(count), np.zeros((count, 2))])


def free_poses(world: World, model: RobotModel, count: int, seed: int) -> FloatArray:
    """(count, 3) poses in a world, free of obstacles and of each other.

    Raises:
        WorldError: there is no room for so many.
    """
    rng = np.random.default_rng(seed)
    found: list[FloatArray] = []
    for pose in sample_episodes(world, rng, model.robot, 32 * count)[0]:
        if all(np.hypot(*(pose - other)[:2]) > 4.0 * model.robot.radius for other in found):
            found.append(pose)
        if len(found) == count:
            return np.array(found)
    raise WorldError(f'robots must find room in the world, and only {len(found)} of {count} do')


def _physics(real_time_factor: float) -> Element:
    """Both Gazebos read their own of the last two."""
    physics = Element('physics', name='stepped', type='ode')
    values = {
        'max_step_size': STEP,
        'real_time_update_rate': real_time_factor / STEP,
        'real_time_factor': real_time_factor,
    }
    for name, value in values.items():
        SubElement(physics, name).text = f'{value:g}'
    return physics
