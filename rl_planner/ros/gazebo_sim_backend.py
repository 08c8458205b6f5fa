"""Gazebo Harmonic and later, through ros_gz_interfaces, in lock-step.

Nobody else steps the world: once every robot's scan of the present time has come and been answered
by a command, it is stepped by one control period (multi_step). Scans, odometry, commands and /clock
come through ros_gz_bridge.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from geometry_msgs.msg import Twist
from rclpy.clock import Clock as NodeClock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.task import Future
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import LaserScan

from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.world_file import STEP
from rl_planner.ros import messages, qos
from rl_planner.ros.cdr import read_scan
from rl_planner.ros.gazebo_backend import GazeboBackend, OnReady, Pose, interfaces

STALL_SEC = 1.0  # wall time without an answer after which the world is stepped all the same


class GazeboSimBackend(GazeboBackend):
    """A `SimulatorBackend` by /world/NAME/create, remove and set_pose; control steps the world."""

    def __init__(
        self,
        node: Node,
        robots: tuple[str, ...],
        model: RobotModel,
        control_period: float,
        on_ready: OnReady,
    ) -> None:
        srv = interfaces('ros_gz_interfaces', 'ros-gz-interfaces')
        self._kinds = {
            'create': srv.SpawnEntity,
            'remove': srv.DeleteEntity,
            'set_pose': srv.SetEntityPose,
            'control': srv.ControlWorld,
        }
        self._clients: dict[str, Any] = {}
        self._asked_for: set[str] = set()  # robots
        self._steps = round(control_period / STEP)
        self._now_ns, self._due_ns, self._stalled_ns = 0, 0, -1
        self._scan_ns = [-1] * len(robots)
        self._answered = [False] * len(robots)
        super().__init__(node, robots, model, control_period, on_ready)
        node.create_subscription(Clock, '/clock', self._on_clock, qos.RELIABLE)
        for robot, name in enumerate(robots):
            on_scan = partial(self._on_scan, robot)
            node.create_subscription(LaserScan, f'{name}/scan', on_scan, qos.SENSOR, raw=True)
        steady = NodeClock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(STALL_SEC, self._step_if_stalled, clock=steady)

    def is_up(self) -> bool:
        """Whether all services are there; the name of the world is found out here."""
        if not self._clients:
            found = {name for name, _ in self._node.get_service_names_and_types()}
            for path in sorted(found):
                prefix, _, last = path.rpartition('/')
                if path.startswith('/world/') and last == 'control':
                    self._clients = {
                        name: self._node.create_client(kind, f'{prefix}/{name}')
                        for name, kind in self._kinds.items()
                    }
        return bool(self._clients) and all(
            client.service_is_ready() for client in self._clients.values()
        )

    def _put(self, name: str, start: Pose) -> Generator[Future, Any, bool]:
        """Gazebo Sim answers before it looks: to what is not there, too.

        It does not create a second robot of that name.
        """
        if name not in self._asked_for:
            yield self._spawn_robot(name, start)
            self._asked_for.add(name)
        return bool((yield self._set_pose(name, *start)).success)

    def _call(self, name: str, request: Any) -> Future:
        future: Future = self._clients[name].call_async(request)
        return future

    def _spawn(self, robot: str, name: str, sdf: str, pose: Pose) -> Future:
        request = self._kinds['create'].Request()
        request.entity_factory.name, request.entity_factory.sdf = name, sdf
        messages.set_pose(request.entity_factory.pose, *pose)  # it replaces that of the SDF
        return self._call('create', request)

    def _delete(self, name: str) -> Future:
        request = self._kinds['remove'].Request()
        request.entity.name, request.entity.type = name, request.entity.MODEL
        return self._call('remove', request)

    def _set_pose(self, name: str, x: float, y: float, yaw: float) -> Future:
        request = self._kinds['set_pose'].Request()
        request.entity.name, request.entity.type = name, request.entity.MODEL
        messages.set_pose(request.pose, x, y, yaw)
        return self._call('set_pose', request)

    def _on_clock(self, message: Clock) -> None:
        self._now_ns = messages.stamp_ns(message.clock)

    def _on_scan(self, robot: int, data: bytes) -> None:
        stamp = read_scan(data).stamp
        if stamp > self._scan_ns[robot]:
            self._scan_ns[robot], self._answered[robot] = stamp, False

    def _on_command(self, robot: int, message: Twist) -> None:
        super()._on_command(robot, message)
        self._answered[robot] = True
        if all(self._answered) and min(self._scan_ns) >= self._due_ns:
            self._step()

    def _step(self) -> None:
        """One control period, once the moving obstacles are where they then belong."""
        now = max(self._now_ns, self._due_ns, *self._scan_ns)
        self._due_ns = now + round(self._period * messages.NANOSECONDS)
        self._answered = [False] * len(self._robots)
        for place in self._places:
            self._move_obstacles(place)
        request = self._kinds['control'].Request()
        request.world_control.pause, request.world_control.multi_step = True, self._steps
        self._call('control', request)

    def _step_if_stalled(self) -> None:
        """The first scan needs a step, and so does one that was lost."""
        if self._stalled_ns == self._due_ns and self.is_up():
            self._due_ns = self._now_ns
            self._step()
        self._stalled_ns = self._due_ns
