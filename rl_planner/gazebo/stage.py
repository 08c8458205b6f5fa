"""One gzserver with its robots: what is said to it, and what has been heard from it."""

from __future__ import annotations

import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.gazebo.error import GazeboError
from rl_planner.gazebo.pose import Pose
from rl_planner.gazebo.protos import Messages
from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.server import NAME, GazeboServer
from rl_planner.gazebo.transport import Loop, Publisher
from rl_planner.gazebo.world_file import SPACING

PHYSICS_STEP = 0.01  # s
# Of the world's loop, per second of wall time: at 0 a paused gzserver takes a whole core, at this
# one a tenth of it, and ten physics steps are not held up.
UPDATE_RATE = 5000
CONNECT_TIMEOUT_SEC = 60.0
TURN_SIGN = -1.0  # the plugin of Gazebo 11.1 turns right at a positive angular.z
_WORLD = f"""\
<?xml version="1.0"?>
<sdf version="1.6">
  <world name="{NAME}">
    <physics type="ode">
      <max_step_size>{PHYSICS_STEP}</max_step_size>
      <real_time_factor>1</real_time_factor>
      <real_time_update_rate>{UPDATE_RATE}</real_time_update_rate>
    </physics>
    <scene><shadows>false</shadows></scene>
    <model name="floor">
      <static>true</static>
      <link name="link">
        <collision name="collision">
          <geometry><plane><normal>0 0 1</normal><size>1000 1000</size></plane></geometry>
        </collision>
      </link>
    </model>
"""


class Stage:
    """A gzserver with robots at rest in it, and all the topics that it takes to drive them.

    Attributes:
        server: the process.
        periods: how many control periods have been stepped.
        heard: names of the models that have been inserted or moved, till somebody takes them out.
        answers: by the numbers of questions, the models that were asked for; None is no model.
    """

    def __init__(
        self,
        model: RobotModel,
        robots: list[str],
        control_period: float,
        loop: Loop,
        messages: Messages,
        root: str | Path,
    ) -> None:
        self._model, self._loop, self._messages = model, loop, messages
        self.periods, self.heard = 0, set[str]()
        self.answers: dict[int, Any] = {}
        self._now_ns = self._request = 0
        self._last: dict[str, Any] = {}
        # Commands are numbered: those said, those answered, and the last one that is not a repeat.
        self._said, self._answered = dict.fromkeys(robots, 0), dict.fromkeys(robots, 0)
        self._due: dict[str, int] = {}
        self._scans: dict[str, tuple[int, Any]] = dict.fromkeys(robots, (-1, None))
        bodies = [
            _body(model.sdf(robot, SPACING * slot, 0.0, 0.0), control_period)
            for slot, robot in enumerate(robots)
        ]
        world = _WORLD + ''.join(bodies) + '  </world>\n</sdf>\n'
        self.server = GazeboServer(world, loop, messages, root)
        try:
            self._connect(robots)
        except BaseException:
            self.server.close()
            raise

    def is_alive(self) -> bool:
        """Whether the process runs, and nothing that it takes to drive its robots is cut off.

        gzserver does not connect again to what it has lost: commands would go nowhere.
        """
        return self.server.is_alive() and not self._cut_off()

    def drive(self, robot: str, v: float, w: float) -> None:
        """Command (m/s, rad/s, left positive) from now on."""
        turn = TURN_SIGN * w
        angular = self._messages.Vector3d(x=0.0, y=0.0, z=turn)
        message = self._messages.Twist(linear=self._vector(v, 0.0), angular=angular)
        self._last[robot] = message
        self._say(robot)
        self._due[robot] = self._said[robot]
        self._say(robot)  # the answer to the first is sent when something more comes

    def nudge(self) -> None:
        """Repeat the commands: gzserver answers them, and with that sends what it has forgotten.

        Else now and then a scan lies there till its connections are looked through again, which
        is so every 100 ms.
        """
        for robot in self._last:
            self._say(robot)

    def has_obeyed(self) -> bool:
        """Whether the wheels of every robot turn as `drive` said last.

        A command that is on its way when the step begins takes effect somewhere in it, or, where
        the machine is busy, after it.
        """
        return all(self._answered[robot] >= due for robot, due in self._due.items())

    def push(self, wrench: Publisher, x: float, y: float) -> None:
        """A force (N) on a mover for one physics step."""
        zero = self._vector(0.0, 0.0)
        wrench.publish(self._messages.Wrench(force=self._vector(x, y), torque=zero))

    def begin_step(self, steps: int) -> None:
        """Begin so many physics steps, one period."""
        self._now_ns += steps * round(PHYSICS_STEP * 1e9)
        self.periods += 1
        self._control.publish(self._messages.WorldControl(multi_step=steps))

    def is_done(self) -> bool:
        """Whether every robot's scan of the period's end is here."""
        return all(stamp >= self._now_ns for stamp, _ in self._scans.values())

    def sensed(self, robot: str) -> tuple[tuple[float, float, float], NDArray[np.float64]]:
        """x, y, yaw (m, rad) of the base in the server's world, and the ranges (m)."""
        scan = self._scans[robot][1].scan
        place, turn = scan.world_pose.position, scan.world_pose.orientation
        yaw = math.atan2(
            2.0 * (turn.w * turn.z + turn.x * turn.y), 1.0 - 2.0 * (turn.y**2 + turn.z**2)
        )
        lidar = self._model.lidar
        yaw -= lidar.mount_yaw
        c, s = math.cos(yaw), math.sin(yaw)
        x = place.x - c * lidar.mount_x + s * lidar.mount_y
        y = place.y - s * lidar.mount_x - c * lidar.mount_y
        ranges = np.array(scan.ranges)
        ranges[ranges < lidar.range_min] = -np.inf  # rays begin nearer: see robot_model.NEAREST
        return (x, y, math.remainder(yaw, math.tau)), ranges

    def insert(self, name: str, sdf: str, pose: Pose | None = None) -> None:
        """Ask for a model, at `pose` where that is given; `heard` tells when it is there."""
        self.heard.discard(name)
        where = {} if pose is None else {'pose': self._pose(pose)}
        self._factory.publish(self._messages.Factory(sdf=sdf, **where))

    def move(self, name: str, x: float, y: float, yaw: float) -> None:
        """Ask for a model at another pose on the floor; `heard` tells when it is there."""
        self.move_to(name, Pose.from_euler(np.array([x, y, 0.0, 0.0, 0.0, yaw])))

    def move_to(self, name: str, pose: Pose) -> None:
        """Ask for a model at another pose; `heard` tells when it is there."""
        self.heard.discard(name)
        self._modify.publish(self._messages.Model(name=name, pose=self._pose(pose)))

    def remove(self, name: str) -> None:
        """Ask for the end of a model."""
        self._ask('entity_delete', name)

    def ask(self, name: str) -> int:
        """Ask where a model is, and its links; the number of the question in `answers`."""
        return self._ask('entity_info', name)

    def advertise(self, topic: str, type_name: str) -> Publisher:
        """Publish a topic of this world."""
        return self.server.transport.advertise(self.server.topic(topic), type_name)

    def close(self) -> None:
        self.server.close()

    def _connect(self, robots: list[str]) -> None:
        self._control = self.advertise('~/world_control', 'WorldControl')
        self._factory = self.advertise('~/factory', 'Factory')
        self._modify = self.advertise('~/model/modify', 'Model')
        self._requests = self.advertise('~/request', 'Request')
        self._drives = {
            robot: self.advertise(self._model.command_topic(robot), 'Twist') for robot in robots
        }
        transport = self.server.transport
        topics = self._topics = [self.server.topic('~/model/info')]
        topics.append(self.server.topic('~/response'))
        transport.subscribe(topics[0], 'Model', self._on_model)
        transport.subscribe(topics[1], 'Response', self._on_answer)
        for robot in robots:
            topics.append(self.server.topic(self._model.scan_topic(robot)))
            transport.subscribe(topics[-1], 'LaserScanStamped', partial(self._on_scan, robot))
            topics.append(self.server.topic(self._model.speed_topic(robot)))
            transport.subscribe(topics[-1], 'Vector2d', partial(self._on_speed, robot))
        self._said_to = [self._control, self._factory, self._modify, self._requests]
        self._said_to += self._drives.values()
        if not self._loop.run_until(lambda: not self._cut_off(), CONNECT_TIMEOUT_SEC):
            raise GazeboError(f'gzserver must have {", ".join(self._cut_off())}, got none')

    def _cut_off(self) -> list[str]:
        """The topics that gzserver does not send, or does not take."""
        transport = self.server.transport
        unheard = [topic for topic in self._topics if not transport.is_subscribed(topic)]
        return unheard + [each.topic for each in self._said_to if not each.is_connected]

    def _ask(self, what: str, name: str) -> int:
        self._request += 1
        self._requests.publish(self._messages.Request(id=self._request, request=what, data=name))
        return self._request

    def _on_answer(self, data: bytes) -> None:
        answer = self._messages.Response.FromString(data)
        if answer.request == 'entity_info':
            is_model = answer.type == 'gazebo.msgs.Model'
            found = self._messages.Model.FromString(answer.serialized_data) if is_model else None
            self.answers[answer.id] = found

    def _on_model(self, data: bytes) -> None:
        self.heard.add(self._messages.Model.FromString(data).name)

    def _say(self, robot: str) -> None:
        self._drives[robot].publish(self._last[robot])
        self._said[robot] += 1

    def _on_speed(self, robot: str, _: bytes) -> None:
        self._answered[robot] += 1

    def _on_scan(self, robot: str, data: bytes) -> None:
        message = self._messages.LaserScanStamped.FromString(data)
        self._scans[robot] = message.time.sec * 10**9 + message.time.nsec, message

    def _vector(self, x: float, y: float, z: float = 0.0) -> Any:
        return self._messages.Vector3d(x=x, y=y, z=z)

    def _pose(self, pose: Pose) -> Any:
        turn = dict(zip('xyzw', pose.orientation.tolist(), strict=True))
        return self._messages.Pose(
            position=self._vector(*pose.position.tolist()),
            orientation=self._messages.Quaternion(**turn),
        )


def _body(sdf: str, period: float) -> str:
    """The model of an SDF document, with one scan a period."""
    model = sdf[sdf.index('<model') : sdf.rindex('</sdf>')]
    return re.sub(
        r'<update_rate>[^<]*</update_rate>', f'<update_rate>{1.0 / period!r}</update_rate>', model
    )
