"""A simulator that is stepped, behind the topics that a robot in Gazebo has.

Each robot lives in a world of its own, which arrives with its next episode (`episode`) and is
acknowledged with the time it took effect (`episode_ready`). Till the robot is first commanded to
move, that world stands still: however long the goal is on its way, the drive begins as the episode
says. /clock, scans and odometry go on meanwhile.

real_time_factor 0 is lock-step: one control period is simulated when the command of every robot has
arrived for the present one, so a run depends on no clock of the machine and loses no step. Commands
must be stamped with the scan they answer (`use_stamped_cmd_vel`) to be told from late ones. While
all robots rest for long, it goes slowly: who makes their next episodes, or logs them, is not to be
left behind.

To place a robot may take a simulator a while. The other robots go on meanwhile; this one stands,
and what it sensed last is published again. Where that would deceive an actor that still drives, the
scans are blind instead (no beam is a measurement): the actor stops and counts no transition. So it
is when a simulator ended and had to be started again: its robots begin their episodes anew, and
`episode_ready` is said again, with a later time.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock as NodeClock
from rclpy.clock import ClockType
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from rl_planner.navigation.config import LidarConfig
from rl_planner.ros import messages, qos
from rl_planner.ros.cdr import read_twist_stamped
from rl_planner.ros.episode_message import decode_episode
from rl_planner.ros.process import RunnableNode
from rl_planner.ros.stepped_config import SteppedConfig
from rl_planner.ros.stepped_simulator import SteppedSimulator
from rl_planner.simulation.world import WorldError

REPEAT_SEC = 0.25  # lock-step: what was published is published again if no command came by then
IDLE_STEPS = 20  # lock-step: so many are quick while every robot is told to rest
IDLE_SEC = 0.02  # wall time that each further one waits
COMMAND_TIMEOUT_SEC = 0.5  # real time: an older command stops the robot, as on any robot base
POLL_SEC = 0.005  # wall time after which a robot that is being placed is looked at again
RESTART_LIMIT = 3  # a simulator that ends so often without a step in between is broken
NEVER = np.iinfo(np.int64).max


class SteppedNode(RunnableNode):
    """Publishes /clock, and scan and odom of each robot; drives them by cmd_vel."""

    def serve(
        self, config: SteppedConfig, lidar: LidarConfig, period: float, simulator: SteppedSimulator
    ) -> None:
        """Put the robots of `simulator` behind the topics; `period` of control in seconds."""
        self._config, self._lidar, self._period = config, lidar, period
        self._simulator = simulator
        count = len(config.robots)
        self._period_ns = round(period * messages.NANOSECONDS)
        self._now_ns = 0
        self._commands = np.zeros((count, 2))
        self._command_ns = np.full(count, -1, np.int64)  # which scan each command answers
        self._episodes: list[MarkerArray | None] = [None] * count
        self._placed_ns = np.full(count, -1, np.int64)  # NEVER: being placed
        self._absent: set[int] = set()  # rows that are being placed
        self._moved = np.zeros(count, np.bool_)  # commanded to move since it was placed
        self._blind = [False] * count
        self._restarts = simulator.restarts.copy()
        self._futile_restarts = np.zeros(count, np.int64)  # since the robot's last step
        self._progress = -1
        self._idle_steps = 0  # since a robot was commanded to move, or placed
        self._is_paused = False
        self._make_messages()
        self._make_topics()
        self._start()

    def _make_messages(self) -> None:
        """One message of each kind and robot, filled anew each period."""
        config = self._config
        self._clock_message = Clock()
        self._scans = [
            messages.empty_scan(self._lidar, config.scan_frame_id, self._period)
            for _ in config.robots
        ]
        self._nothing_seen = np.full(self._lidar.num_beams, np.nan, np.float32)
        self._odoms = [Odometry(child_frame_id=config.base_frame_id) for _ in config.robots]
        for odom in self._odoms:
            odom.header.frame_id = config.odom_frame_id

    def _make_topics(self) -> None:
        stamped = self._config.use_stamped_cmd_vel
        kind = TwistStamped if stamped else Twist
        self._clock_out = self.create_publisher(Clock, '/clock', qos.RELIABLE)
        self._scan_out, self._odom_out, self._ready_out = [], [], []
        for row, name in enumerate(self._config.robots):
            self._scan_out.append(self.create_publisher(LaserScan, f'{name}/scan', qos.RELIABLE))
            self._odom_out.append(self.create_publisher(Odometry, f'{name}/odom', qos.COMPLETE))
            self._ready_out.append(
                self.create_publisher(Header, f'{name}/episode_ready', qos.RELIABLE)
            )
            on_command = partial(self._on_stamped if stamped else self._on_twist, row)
            self.create_subscription(kind, f'{name}/cmd_vel', on_command, qos.RELIABLE, raw=stamped)
            on_episode = partial(self._on_episode, row)
            self.create_subscription(MarkerArray, f'{name}/episode', on_episode, qos.LATCHED)

    def _start(self) -> None:
        steady = NodeClock(clock_type=ClockType.STEADY_TIME)
        factor = self._config.real_time_factor
        if factor == 0.0:
            self.create_timer(REPEAT_SEC, self._repeat, clock=steady)
        else:
            self.create_timer(self._period / factor, self._advance, clock=steady)
        self._idle_timer = self.create_timer(IDLE_SEC, self._step_idle, clock=steady)
        self._idle_timer.cancel()  # till all have rested for long
        self._poll_timer = self.create_timer(POLL_SEC, self._poll, clock=steady)
        self._poll_timer.cancel()  # till somebody is being placed

    # What comes in

    def _on_stamped(self, row: int, data: bytes) -> None:
        try:
            stamp, linear, angular = read_twist_stamped(data)
        except ValueError as error:
            self.get_logger().error(f'{self._config.robots[row]}: {error}')
        else:
            self._on_command(row, stamp, (linear, angular))

    def _on_twist(self, row: int, message: Twist) -> None:
        self._on_command(row, self._now_ns, (message.linear.x, message.angular.z))

    def _on_command(self, row: int, answers: int, command: tuple[float, float]) -> None:
        """Keep a command; in lock-step only one that answers the present scan counts."""
        if not (math.isfinite(command[0]) and math.isfinite(command[1])):
            self.get_logger().error(
                f'{self._config.robots[row]}: command must be finite, got {command}: it stops',
                throttle_duration_sec=1.0,
            )
            command = (0.0, 0.0)
        if any(command):
            # What answers a scan of the place before was not meant for this world.
            self._moved[row] |= answers > self._placed_ns[row]
            self._blind[row] |= row in self._absent
        if self._config.real_time_factor > 0.0:
            self._commands[row], self._command_ns[row] = command, self._now_ns
            return
        if answers == self._now_ns:
            self._commands[row], self._command_ns[row] = command, answers
            self._step_if_answered()

    def _on_episode(self, row: int, message: MarkerArray) -> None:
        """Put the robot into its next world; scans stamped later than the reply show that world."""
        if message == self._episodes[row]:
            if row not in self._absent:
                self._say_ready(row)
            return
        try:
            self._simulator.begin_episode(row, decode_episode(message))
        except WorldError as error:
            self.get_logger().error(f'{self._config.robots[row]}: {error}; episode refused')
            return
        self._episodes[row] = message
        self.await_placing(row)

    # Placing

    def await_placing(self, row: int) -> None:
        """The simulator has begun to put a robot elsewhere; `episode_ready` tells when it is."""
        self._await(row, blind=self._blind[row] or bool(self._commands[row].any()))

    def _await(self, row: int, blind: bool) -> None:
        """The robot is on its way to its start."""
        self._commands[row], self._placed_ns[row], self._moved[row] = 0.0, NEVER, False
        self._blind[row], self._idle_steps = blind, 0
        self._absent.add(row)
        self._welcome()
        if self._absent:
            self._poll_timer.reset()

    def _welcome(self) -> None:
        """Tell of the robots that stand at their starts by now."""
        for row in [row for row in self._absent if self._simulator.is_placed(row)]:
            self._absent.remove(row)
            self._placed_ns[row], self._blind[row] = self._now_ns, False
            self._say_ready(row)

    def _poll(self) -> None:
        self.notice_restarts()
        self._welcome()
        if not self._absent:
            self._poll_timer.cancel()
        if self._config.real_time_factor == 0.0:
            self._step_if_answered()

    def _say_ready(self, row: int) -> None:
        ready = Header(frame_id=self._config.robots[row])
        ready.stamp = messages.stamp_of(int(self._placed_ns[row]))
        self._ready_out[row].publish(ready)

    def notice_restarts(self) -> None:
        """Robots whose simulator ended are placed again.

        Raises:
            OSError: it ends again and again.
        """
        restarts = self._simulator.restarts
        for row in np.flatnonzero(restarts != self._restarts).tolist():
            self._futile_restarts[row] += restarts[row] - self._restarts[row]
            name = self._config.robots[row]
            if self._futile_restarts[row] >= RESTART_LIMIT:
                raise OSError(f'{name}: its simulator ended {RESTART_LIMIT} times without a step')
            self.get_logger().error(f'{name}: its simulator ended and is started again')
            self._restarts[row] = restarts[row]
            self._await(row, blind=True)

    # Stepping

    def present(self) -> Time:
        """The time of the newest scans."""
        return messages.stamp_of(self._now_ns)

    def pause(self, pauses: bool) -> None:
        """Hold time up, or let it go on."""
        self._is_paused = pauses
        if self._config.real_time_factor == 0.0:
            self._step_if_answered()

    def _is_answered(self) -> bool:
        """Whether every robot is commanded, and not all of them are on their way to a start."""
        if self._is_paused or len(self._absent) == len(self._scans):
            return False
        return bool((self._command_ns == self._now_ns).all())

    def _step_if_answered(self) -> None:
        if not self._is_answered():
            return
        if self._idle_steps < IDLE_STEPS or self._commands.any():
            self._step()
        elif self._idle_timer.is_canceled():
            self._idle_timer.reset()

    def _step_idle(self) -> None:
        self._idle_timer.cancel()
        if self._is_answered():
            self._step()

    def _advance(self) -> None:
        """One period of a simulation that keeps time with the wall clock."""
        if self._is_paused:
            return
        age = self._now_ns - self._command_ns
        self._commands[age > COMMAND_TIMEOUT_SEC * messages.NANOSECONDS] = 0.0
        self._step()

    def _step(self) -> None:
        self._simulator.step(self._commands, np.flatnonzero(self._moved))
        self._now_ns += self._period_ns
        self._idle_steps = 0 if self._commands.any() else self._idle_steps + 1
        self.notice_restarts()
        self._futile_restarts[self._moved] = 0
        self._publish()

    def _repeat(self) -> None:
        """Say again what nobody answered: the actor may have started later, or missed it."""
        if self._progress == self._now_ns:
            self._publish()
        self._progress = self._now_ns

    def _publish(self) -> None:
        stamp = messages.stamp_of(self._now_ns)
        self._clock_message.clock = stamp
        self._clock_out.publish(self._clock_message)
        simulator = self._simulator
        for row, (scan, odom) in enumerate(zip(self._scans, self._odoms, strict=True)):
            odom.header.stamp = scan.header.stamp = stamp
            messages.set_pose(odom.pose.pose, *simulator.odometry[row])
            twist, velocity = odom.twist.twist, simulator.measured_velocities[row].tolist()
            twist.linear.x, twist.angular.z = velocity
            self._odom_out[row].publish(odom)
            blind = self._blind[row]
            messages.set_ranges(scan, self._nothing_seen if blind else simulator.ranges[row])
            self._scan_out[row].publish(scan)

    def close(self) -> None:
        self._simulator.close()
