"""What the backends of Gazebo with ROS services have in common: both ask for the same things.

A robot has an arena of its own in the one world; its obstacles are models that are inserted anew
when its world changes. Moving obstacles are put where they belong each control period, so that they
move as in every other simulator. A robot is ready when its odometry says so.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.task import Future

from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.scenery import scenery_sdf
from rl_planner.gazebo.world_file import arena_poses
from rl_planner.ros import messages, qos
from rl_planner.ros.service_sequence import Calls, ServiceSequence
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World, mover_positions

OnReady = Callable[[int, int], None]
Pose = tuple[float, float, float]  # x, y (m), yaw (rad)
CALL_TIMEOUT_SEC = 45.0  # gazebo_ros gives up after 10 s itself, and the bridge after 30 s
NEAR, NEAR_ANGLE = 0.05, 0.1  # m, rad: from the start, as odometry tells it, once it is there


def interfaces(package: str, apt_name: str) -> ModuleType:
    """The services of an interface package that not every ROS has.

    Raises:
        RuntimeError: it is missing; names the apt package.
    """
    try:
        return import_module(f'{package}.srv')
    except ImportError as error:
        raise RuntimeError(
            f'{package} is missing: apt install ros-$ROS_DISTRO-{apt_name}'
        ) from error


@dataclass
class Place:
    """What one robot's arena holds, and what is under way there."""

    sequence: ServiceSequence = field(default_factory=ServiceSequence)
    episode: Episode | None = None
    asked_ns: int | None = None
    world: World | None = None  # what stands there
    models: list[str] = field(default_factory=list)
    movers: list[str] = field(default_factory=list)
    is_expected: bool = False  # at the start, by odometry
    ready_ns: int | None = None
    now_ns: int = 0  # of the newest odometry
    moved_ns: int | None = None  # first commanded to move at
    pending: list[Future] = field(default_factory=list)
    moved_at: float = 0.0  # when those were asked for, by the wall
    due_ns: int = 0  # when moving obstacles are to be put elsewhere


class GazeboBackend(ABC):
    """A `SimulatorBackend` by services to spawn, to delete and to set a pose."""

    def __init__(
        self,
        node: Node,
        robots: tuple[str, ...],
        model: RobotModel,
        control_period: float,
        on_ready: OnReady,
    ) -> None:
        self._node, self._robots, self._model = node, robots, model
        self._period, self._on_ready = control_period, on_ready
        self._places = [Place() for _ in robots]
        self._count = 0
        for robot, name in enumerate(robots):
            on_odom, on_command = partial(self._on_odom, robot), partial(self._on_command, robot)
            node.create_subscription(Odometry, f'{name}/odom', on_odom, qos.SENSOR)
            node.create_subscription(Twist, f'{name}/cmd_vel', on_command, qos.RELIABLE)

    @abstractmethod
    def is_up(self) -> bool: ...

    @abstractmethod
    def _spawn(self, robot: str, name: str, sdf: str, pose: Pose) -> Future:
        """Insert a model for a robot, or itself, that stands at `pose` by its SDF too."""
        ...

    @abstractmethod
    def _delete(self, name: str) -> Future: ...

    @abstractmethod
    def _set_pose(self, name: str, x: float, y: float, yaw: float) -> Future: ...

    def origin(self, robot: int) -> tuple[float, float]:
        """The middle of the robot's arena; odometry is in the frame of the world."""
        x, y, _ = arena_poses(robot + 1)[robot].tolist()
        return x, y

    def reset(self, robot: int, episode: Episode, asked_ns: int) -> None:
        place = self._places[robot]
        if place.asked_ns == asked_ns:
            if place.ready_ns is not None:
                self._on_ready(robot, place.ready_ns)
                return
            if place.sequence.is_running and not self._gives_up(robot):
                return
        place.asked_ns, place.episode, place.ready_ns = asked_ns, episode, None
        place.is_expected, place.moved_ns = False, None
        place.sequence.replace(partial(self._placing, robot, episode))

    def _gives_up(self, robot: int) -> bool:
        """Whether the present call has had its time; then nothing is under way any more."""
        sequence = self._places[robot].sequence
        waited = sequence.waited_sec
        if waited < CALL_TIMEOUT_SEC:
            return False
        sequence.drop()
        self._node.get_logger().error(
            f'{self._robots[robot]}: Gazebo has not answered a service call for {waited:.0f} s: '
            'the reset begins again'
        )
        return True

    def _placing(self, robot: int, episode: Episode) -> Calls:
        place, name = self._places[robot], self._robots[robot]
        if place.world is None or not place.world.is_like(episode.world):
            place.world = None
            while place.models:
                yield self._delete(place.models[-1])
                place.models.pop()
            place.movers = []
            if not (yield from self._build(place, name, episode.world)):
                return  # a drive among a part of the obstacles is none: it is asked for again
        starts = mover_positions(episode.world.movers, 0.0).tolist()
        for model, (x, y) in zip(place.movers, starts, strict=True):
            yield self._set_pose(model, x, y, 0.0)  # they have moved in the drive before
        if not (yield from self._put(name, episode.start)):
            self._node.get_logger().error(f'{name}: Gazebo does not spawn it')
            return
        place.is_expected = True

    def _put(self, name: str, start: Pose) -> Generator[Future, Any, bool]:
        """Put a robot at its start, and spawn it where it is not yet; whether that is done."""
        if (yield self._set_pose(name, *start)).success:
            return True
        return bool((yield self._spawn_robot(name, start)).success)

    def _spawn_robot(self, name: str, start: Pose) -> Future:
        return self._spawn(name, name, self._model.sdf(name, *start, namespace=name), start)

    def _build(self, place: Place, name: str, world: World) -> Generator[Future, Any, bool]:
        """Spawn all that stands and moves in a world; whether that is done."""
        self._count += 1
        for part, solids, origin in _parts(world):
            model = f'{name}_{part}_{self._count}'
            place.models.append(model)
            if part != 'scenery':
                place.movers.append(model)
            sdf = scenery_sdf(solids, model, *origin)
            if not (yield self._spawn(name, model, sdf, (*origin, 0.0))).success:
                self._node.get_logger().error(f'{name}: Gazebo does not spawn {model}')
                return False
        place.world = world
        return True

    def _on_odom(self, robot: int, message: Odometry) -> None:
        place = self._places[robot]
        place.now_ns = messages.stamp_ns(message.header.stamp)
        if place.is_expected and place.episode is not None and _is_at(message, place.episode):
            place.is_expected, place.ready_ns = False, place.now_ns
            self._on_ready(robot, place.now_ns)

    def _on_command(self, robot: int, message: Twist) -> None:
        place = self._places[robot]
        if place.ready_ns is None or place.moved_ns is not None:
            return
        if (message.linear.x or message.angular.z) and place.now_ns > place.ready_ns:
            place.moved_ns = place.now_ns

    def _move_obstacles(self, place: Place) -> None:
        """Put moving obstacles where they are a control period from now."""
        if time.monotonic() - place.moved_at > CALL_TIMEOUT_SEC:
            while place.pending:
                place.pending.pop().cancel()
        place.pending = [future for future in place.pending if not future.done()]
        if place.world is None or place.moved_ns is None or place.pending:
            return
        elapsed = (place.now_ns - place.moved_ns) / messages.NANOSECONDS + self._period
        where = mover_positions(place.world.movers, elapsed).tolist()
        place.moved_at = time.monotonic()
        for name, (x, y) in zip(place.movers, where, strict=True):
            place.pending.append(self._set_pose(name, x, y, 0.0))


def _parts(world: World) -> Iterator[tuple[str, World, tuple[float, float]]]:
    """Name, solids and origin: all that stands as one model, each moving obstacle as another."""
    if len(world.boxes) + len(world.circles) + len(world.walls):
        yield 'scenery', World(world.boxes, world.circles, world.walls), (0.0, 0.0)
    places = mover_positions(world.movers, 0.0).tolist()
    for number, (x, y) in enumerate(places):
        disc = World(circles=np.array([[0.0, 0.0, world.movers[number, 4]]]))
        yield f'mover_{number}', disc, (x, y)


def _is_at(message: Odometry, episode: Episode) -> bool:
    x, y, yaw = messages.planar_pose(message.pose.pose)
    turned = abs(math.remainder(yaw - episode.start[2], 2.0 * math.pi))
    return math.hypot(x - episode.start[0], y - episode.start[1]) < NEAR and turned < NEAR_ANGLE
