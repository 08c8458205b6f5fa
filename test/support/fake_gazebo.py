"""A Gazebo as its ROS side shows it: services over the embedded simulator.

    python fake_gazebo.py gazebo_sim|gazebo_classic FOLDER ROBOT...

`gazebo_sim` has those of ros_gz_interfaces, and its time stands still but for multi_step;
`gazebo_classic` has those of gazebo_msgs, half of them under /gazebo, and its time goes on. The
models that there are, and the number of control periods, are in the file `told` in FOLDER.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import rclpy
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import LaserScan

from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.ros import messages, qos
from rl_planner.ros.simulator_node import EmbeddedSimulator
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.obstacles import replace_world
from rl_planner.simulation.world import World

PERIOD_NS = 100_000_000
PERIOD_STEPS = 10  # of physics


class FakeGazebo(Node):
    """One world with robots in it that may be put anywhere."""

    def __init__(self, folder: Path, robots: list[str]) -> None:
        super().__init__('fake_gazebo')
        self._folder, self._robots, count = folder, robots, len(robots)
        self._lidar = LidarConfig(num_beams=36)
        self._simulator = EmbeddedSimulator(
            RobotConfig(), self._lidar, count, 0.1, 0, DisturbanceConfig()
        )
        self._commands, self._steps = np.zeros((count, 2)), 0
        self._discs: dict[str, list[tuple[float, float, float]]] = {}
        self._poses: dict[str, tuple[float, float, float]] = {}
        self._clock_out = self.create_publisher(Clock, '/clock', qos.RELIABLE)
        self._scan_out, self._odom_out = [], []
        for row, name in enumerate(robots):
            self._scan_out.append(self.create_publisher(LaserScan, f'{name}/scan', qos.RELIABLE))
            self._odom_out.append(self.create_publisher(Odometry, f'{name}/odom', qos.RELIABLE))
            on_command = partial(self._on_command, row)
            self.create_subscription(Twist, f'{name}/cmd_vel', on_command, qos.RELIABLE)

    def insert(self, name: str, sdf: str, pose: tuple[float, float, float]) -> bool:
        if name in self._discs or name in self._robots:
            return False
        self._discs[name], self._poses[name] = _discs(ElementTree.fromstring(sdf)), pose
        self._tell()
        return True

    def remove(self, name: str) -> bool:
        found = self._discs.pop(name, None) is not None
        self._tell()
        return found

    def put(self, name: str, pose: tuple[float, float, float]) -> bool:
        if name in self._robots:
            row = np.array([self._robots.index(name)])
            self._build()
            self._simulator.place(row, row, np.array([pose]))
        self._poses[name] = pose
        return name in self._discs or name in self._robots

    def step(self) -> None:
        """One control period."""
        self._build()
        self._simulator.step(self._commands, self._simulator.rows)
        self._steps += 1
        self._publish()
        self._tell()

    def _on_command(self, row: int, message: Twist) -> None:
        self._commands[row] = message.linear.x, message.angular.z

    def _build(self) -> None:
        """Every robot sees all there is."""
        circles = [
            (self._poses[name][0] + x, self._poses[name][1] + y, radius)
            for name, discs in self._discs.items()
            for x, y, radius in discs
        ]
        world = World(circles=np.array(circles).reshape(-1, 3))
        for row in range(len(self._robots)):
            obstacles = replace_world(self._simulator.obstacles, row, world)
            self._simulator.obstacles = obstacles

    def _publish(self) -> None:
        stamp = messages.stamp_of(self._steps * PERIOD_NS)
        self._clock_out.publish(Clock(clock=stamp))
        for row in range(len(self._robots)):
            odom = Odometry()
            odom.header.frame_id, odom.header.stamp = 'odom', stamp
            messages.set_pose(odom.pose.pose, *self._simulator.odometry[row])
            twist = odom.twist.twist
            twist.linear.x, twist.angular.z = self._simulator.measured_velocities[row].tolist()
            self._odom_out[row].publish(odom)
            scan = messages.empty_scan(self._lidar, 'base_scan', 0.1)
            scan.header.stamp = stamp
            messages.set_ranges(scan, self._simulator.ranges[row])
            self._scan_out[row].publish(scan)

    def _tell(self) -> None:
        poses = {name: self._poses[name] for name in self._discs}
        told = {'steps': self._steps, 'models': poses}
        (self._folder / 'told.new').write_text(json.dumps(told))
        (self._folder / 'told.new').replace(self._folder / 'told')


def _discs(model: ElementTree.Element) -> list[tuple[float, float, float]]:
    """x, y and radius of the cylinders of a model, in its frame."""
    discs = []
    for collision in model.iter('collision'):
        radius = collision.findtext('geometry/cylinder/radius')
        if radius is not None:
            x, y, *_ = map(float, (collision.findtext('pose') or '0 0').split())
            discs.append((x, y, float(radius)))
    return discs


class GazeboSim(FakeGazebo):
    """The services of a world that is called `somewhere`; only the first robot is there already.

    What is not there, and what is there already, is not told in the answers.
    """

    def __init__(self, folder: Path, robots: list[str]) -> None:
        from ros_gz_interfaces.srv import ControlWorld, DeleteEntity, SetEntityPose, SpawnEntity

        super().__init__(folder, robots)
        self._there = {*robots[:1]}
        for kind, name, answer in (
            (ControlWorld, 'control', self._control),
            (SpawnEntity, 'create', self._create),
            (DeleteEntity, 'remove', self._remove),
            (SetEntityPose, 'set_pose', self._set_pose),
        ):
            self.create_service(kind, f'/world/somewhere/{name}', answer)

    def _control(self, request: Any, response: Any) -> Any:
        control = request.world_control
        response.success = control.pause and control.multi_step == PERIOD_STEPS
        if response.success:
            self.step()
        return response

    def _create(self, request: Any, response: Any) -> Any:
        entity = request.entity_factory
        pose = messages.planar_pose(entity.pose)
        response.success = True
        if entity.name not in self._robots:
            self.insert(entity.name, entity.sdf, pose)
        elif entity.name not in self._there:
            self._there.add(entity.name)
            self.put(entity.name, pose)
        return response

    def _remove(self, request: Any, response: Any) -> Any:
        response.success = self.remove(request.entity.name)
        return response

    def _set_pose(self, request: Any, response: Any) -> Any:
        response.success = True
        if request.entity.name in self._there or request.entity.name in self._discs:
            self.put(request.entity.name, messages.planar_pose(request.pose))
        return response


class GazeboClassic(FakeGazebo):
    """The services of gazebo_ros; five seconds of its time take one."""

    def __init__(self, folder: Path, robots: list[str]) -> None:
        from gazebo_msgs.srv import DeleteEntity, SetEntityState, SpawnEntity

        super().__init__(folder, robots)
        self.create_service(SpawnEntity, '/spawn_entity', self._spawn)
        self.create_service(DeleteEntity, '/delete_entity', self._delete)
        self.create_service(SetEntityState, '/gazebo/set_entity_state', self._set_state)
        self.create_timer(0.02, self.step)

    def _spawn(self, request: Any, response: Any) -> Any:
        pose = ElementTree.fromstring(request.xml).findtext('model/pose') or '0 0'
        x, y, *_ = map(float, pose.split())
        response.success = self.insert(request.name, request.xml, (x, y, 0.0))
        return response

    def _delete(self, request: Any, response: Any) -> Any:
        response.success = self.remove(request.name)
        return response

    def _set_state(self, request: Any, response: Any) -> Any:
        pose = messages.planar_pose(request.state.pose)
        response.success = self.put(request.state.name, pose)
        return response


def main() -> None:
    kind, folder, *robots = sys.argv[1 : sys.argv.index('--ros-args')]
    rclpy.init()
    make = {'gazebo_sim': GazeboSim, 'gazebo_classic': GazeboClassic}[kind]
    node = make(Path(folder), robots)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
