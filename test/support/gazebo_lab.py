"""One robot in a real gzserver, a tenth of a second at a time, seen through its lidar."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.gazebo.protos import load_messages
from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.server import GazeboServer
from rl_planner.gazebo.transport import Loop

Floats = NDArray[np.float64]

ANSWER_SEC = 60.0  # a loaded machine may take long
PERIOD, PHYSICS_STEP = 0.1, 0.01
PHYSICS = f"""\
<physics type="ode">
      <max_step_size>{PHYSICS_STEP}</max_step_size>
      <real_time_update_rate>2000</real_time_update_rate>
    </physics>"""
EMPTY_WORLD = f"""\
<?xml version="1.0"?>
<sdf version="1.6">
  <world name="{{name}}">
    {PHYSICS}
    <model name="ground_plane">
      <static>true</static>
      <link name="link">
        <collision name="collision">
          <geometry><plane><normal>0 0 1</normal><size>100 100</size></plane></geometry>
        </collision>
      </link>
    </model>
  </world>
</sdf>
"""


class GazeboLab:
    """A robot called `robot` at (x, y, yaw), and `models` (SDF documents) around it.

    Attributes:
        ranges: (num_beams,) of the last scan.
        pose: (3,) x, y, yaw of the base at the last scan.
        places_time: of what is in `places` (s).
        places: by scoped names, where models are in the world and links in their models (3,).
    """

    def __init__(
        self,
        root: str,
        robot: RobotModel,
        models: tuple[str, ...] = (),
        start: tuple[float, float, float] = (0.0, 0.0, 0.0),
        world: str = EMPTY_WORLD,
    ) -> None:
        self.robot = robot
        self.ranges, self.pose = np.empty(0), np.full(3, np.nan)
        self.places: dict[str, Floats] = {}
        self._scan_time, self._time, self._sides = 0.0, 0.0, np.zeros(0)
        self.places_time = 0.0
        bodies = ''.join(map(_model_of, (robot.sdf('robot', *start), *models)))
        text = world.replace('</world>', f'{bodies}</world>')
        self._loop, self._messages = Loop(), load_messages(root)
        self._server = GazeboServer(text, self._loop, self._messages, root)
        self._control = self.advertise('~/world_control', 'WorldControl')
        self._drive = self.advertise(robot.command_topic('robot'), 'Twist')
        self._subscribe(robot.scan_topic('robot'), 'LaserScanStamped', self._on_scan)
        self._subscribe(robot.speed_topic('robot'), 'Vector2d', self._on_speed)
        self._subscribe('~/pose/local/info', 'PosesStamped', self._on_poses)
        self._turn = 1.0
        self.drive(0.0, 1.0)
        self._turn = math.copysign(1.0, self._sides[1] - self._sides[0])
        self.drive(0.0, 0.0)

    def __enter__(self) -> GazeboLab:
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.close()
        self._loop.close()

    def drive(self, v: float, w: float) -> None:
        """Command (v, w) (m/s, rad/s) from now on; wait until it has been taken."""
        angular = self._vector(0.0, 0.0, self._turn * w)
        twist = self._messages.Twist(linear=self._vector(v), angular=angular)
        self._sides = np.zeros(0)
        self._drive.publish(twist)
        self._wait(lambda: len(self._sides), 'the wheels')

    def push(self, publisher: Any, force: Floats) -> None:
        """Publish a force (3,) (N) for one physics step."""
        wrench = self._messages.Wrench(force=self._vector(*force), torque=self._vector())
        publisher.publish(wrench)

    def step(self, periods: int = 1) -> Floats:
        """Let control periods pass; (periods, 3) the poses at their ends."""
        poses = []
        for _ in range(periods):
            self._time += PERIOD
            steps = round(PERIOD / PHYSICS_STEP)
            self._control.publish(self._messages.WorldControl(multi_step=steps))
            self._wait(lambda: self._scan_time > self._time - 1e-6, 'a scan')
            poses.append(self.pose)
        return np.array(poses)

    def wait_for_places(self) -> None:
        """Wait until `places` are those of now; something must be moving."""
        self._wait(lambda: self.places_time > self._time - 1e-6, 'places')

    def advertise(self, topic: str, kind: str) -> Any:
        publisher = self._server.transport.advertise(self._server.topic(topic), kind)
        self._wait(lambda: publisher.is_connected, topic)
        return publisher

    def _subscribe(self, topic: str, kind: str, on_data: Any) -> None:
        name, transport = self._server.topic(topic), self._server.transport
        transport.subscribe(name, kind, on_data)
        self._wait(lambda: transport.is_subscribed(name), topic)

    def _wait(self, condition: Any, what: str) -> None:
        assert self._loop.run_until(condition, ANSWER_SEC), f'no {what} within {ANSWER_SEC} s'

    def _vector(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Any:
        return self._messages.Vector3d(x=x, y=y, z=z)

    def _on_speed(self, data: bytes) -> None:
        speed = self._messages.Vector2d.FromString(data)
        self._sides = np.array([speed.x, speed.y])

    def _on_scan(self, data: bytes) -> None:
        message = self._messages.LaserScanStamped.FromString(data)
        place, lidar = message.scan.world_pose, self.robot.lidar
        q = place.orientation
        yaw = math.atan2(2.0 * (q.w * q.z + q.x * q.y), 1.0 - 2.0 * (q.y**2 + q.z**2))
        c, s = math.cos(yaw), math.sin(yaw)
        x = place.position.x - c * lidar.mount_x + s * lidar.mount_y
        y = place.position.y - s * lidar.mount_x - c * lidar.mount_y
        self.ranges, self.pose = np.array(message.scan.ranges), np.array([x, y, yaw])
        self._scan_time = message.time.sec + 1e-9 * message.time.nsec

    def _on_poses(self, data: bytes) -> None:
        message = self._messages.PosesStamped.FromString(data)
        for pose in message.pose:
            self.places_time = message.time.sec + 1e-9 * message.time.nsec
            place = pose.position
            self.places[pose.name] = np.array([place.x, place.y, place.z])


def _model_of(document: str) -> str:
    found = re.search('<model.*</model>', document, re.DOTALL)
    assert found
    return found.group()
