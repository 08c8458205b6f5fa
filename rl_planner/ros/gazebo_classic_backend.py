"""Gazebo Classic with gazebo_ros, through gazebo_msgs: time goes on by itself.

The services may be at the root or under /gazebo, as the plugins' namespace has it.
"""

from __future__ import annotations

from typing import Any

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.task import Future

from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.ros import messages
from rl_planner.ros.gazebo_backend import GazeboBackend, OnReady, Pose, interfaces

PREFIXES = ('', '/gazebo')


class GazeboClassicBackend(GazeboBackend):
    """A `SimulatorBackend` by /spawn_entity, /delete_entity and /set_entity_state."""

    def __init__(
        self,
        node: Node,
        robots: tuple[str, ...],
        model: RobotModel,
        control_period: float,
        on_ready: OnReady,
    ) -> None:
        srv = interfaces('gazebo_msgs', 'gazebo-msgs')
        self._kinds = {
            'spawn_entity': srv.SpawnEntity,
            'delete_entity': srv.DeleteEntity,
            'set_entity_state': srv.SetEntityState,
        }
        self._clients: dict[str, Any] = {}
        super().__init__(node, robots, model, control_period, on_ready)

    def is_up(self) -> bool:
        """Whether all services are there; which they are is found out here."""
        found = {name for name, _ in self._node.get_service_names_and_types()}
        for name, kind in self._kinds.items():
            for prefix in PREFIXES:
                path = f'{prefix}/{name}'
                if name not in self._clients and path in found:
                    self._clients[name] = self._node.create_client(kind, path)
        return len(self._clients) == len(self._kinds) and all(
            client.service_is_ready() for client in self._clients.values()
        )

    def _call(self, name: str, request: Any) -> Future:
        future: Future = self._clients[name].call_async(request)
        return future

    def _spawn(self, robot: str, name: str, sdf: str, pose: Pose) -> Future:
        request = self._kinds['spawn_entity'].Request(name=name, xml=sdf)
        request.robot_namespace = robot  # a bridge with several gzservers goes by it
        return self._call('spawn_entity', request)

    def _delete(self, name: str) -> Future:
        return self._call('delete_entity', self._kinds['delete_entity'].Request(name=name))

    def _set_pose(self, name: str, x: float, y: float, yaw: float) -> Future:
        request = self._kinds['set_entity_state'].Request()
        request.state.name, request.state.reference_frame = name, 'world'
        messages.set_pose(request.state.pose, x, y, yaw)  # and no twist: at rest
        return self._call('set_entity_state', request)

    def _on_odom(self, robot: int, message: Odometry) -> None:
        super()._on_odom(robot, message)
        place = self._places[robot]
        if place.now_ns >= place.due_ns:
            place.due_ns = place.now_ns + round(self._period * messages.NANOSECONDS)
            self._move_obstacles(place)
