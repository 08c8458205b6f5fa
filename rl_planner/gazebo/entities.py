"""What a user has in a simulator's gzservers, by name: the robots, and what was spawned.

Gazebo handles edits and questions about five times a second. So what takes that long is a
generator: it is done when it ends, and is not to be held up for; time may go on meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from rl_planner.gazebo.arena import OWN_NAMES
from rl_planner.gazebo.entity_sdf import EntityError, read_entity
from rl_planner.gazebo.pose import Floats, Pose, inverse, rotate
from rl_planner.gazebo.simulator import GazeboSimulator
from rl_planner.gazebo.stage import Stage
from rl_planner.navigation.geometry import yaw_from_quaternion

TIMEOUT_SEC = 30.0  # for all that one generator does
WORLD_FRAMES = ('', 'world', 'map', '/map')

T = TypeVar('T')
Steps = Generator[None, None, T]


class Motion(NamedTuple):
    """Linear (m/s) and angular (rad/s) velocity, (3,) each."""

    linear: Floats
    angular: Floats


@dataclass(eq=False)
class Spawned:
    """A model that a user has inserted, and where; it ends with its server, `stage`.

    Attributes:
        own: its name there; '' before it is asked for.
    """

    stage: Stage
    xml: str
    pose: Pose
    own: str = ''


@dataclass(eq=False)
class _Wait:
    """For a server to do something."""

    stages: Sequence[Stage]
    deadline: float = field(default_factory=lambda: time.monotonic() + TIMEOUT_SEC)

    def until(self, stage: Stage, condition: Callable[[], bool], what: str) -> Steps[None]:
        while not condition():
            if stage not in self.stages or not stage.is_alive():
                raise EntityError(f'{what}: its gzserver has ended')
            if time.monotonic() > self.deadline:
                raise EntityError(f'{what}: Gazebo has not done it within {TIMEOUT_SEC:g} s')
            yield


class Entities:
    """Models by name, in the frame of the world of their server, or of another of its models.

    Names are models, or links as MODEL::LINK. Whatever cannot be done raises EntityError.
    """

    def __init__(
        self,
        simulator: GazeboSimulator,
        robots: Sequence[str],
        on_placing: Callable[[int], None],
    ) -> None:
        """
        Args:
            robots: what the robots of the simulator are called here.
            on_placing: told when a robot is on its way to another place.
        """
        self._simulator, self._on_placing = simulator, on_placing
        self._rows = {name: row for row, name in enumerate(robots)}
        self._spawned: dict[str, Spawned] = {}
        self._uses = Counter[str]()

    def spawn(self, name: str, xml: str, pose: Pose, robot: str, frame: str) -> Steps[str]:
        """Insert a model, or a URDF robot; its name.

        Args:
            name: '' takes that of the XML, with a number where there is one of that name.
            pose: comes before that of the XML.
            robot: whose world it belongs to; if that is no robot, to that of `frame`, or else to
                the first.
        """
        own, _, own_pose = read_entity(xml, name)
        if not name:
            name = self._free_name(own)
        elif not self._is_free(name):
            raise EntityError(f'entity {name!r} is there already')
        stage = self._stage_for(robot, frame)
        wait = _Wait(self._simulator.stages)
        self._spawned[name] = spawned = Spawned(stage, xml, pose.compose(own_pose))  # taken now
        try:
            if frame not in WORLD_FRAMES:
                spawned.pose = (yield from self._frame(wait, frame, stage)).compose(spawned.pose)
            self._insert(name, spawned)
            yield from wait.until(stage, lambda: spawned.own in stage.heard, f'spawn {name!r}')
        except BaseException:
            del self._spawned[name]
            raise
        return name

    def delete(self, name: str) -> Steps[None]:
        """Take a model away."""
        if name in self._rows:
            raise EntityError(f'robot {name!r} must stay, as long as the simulator')
        stage, own = self._find(name)
        yield from self._remove(_Wait(self._simulator.stages), [(own, stage)])
        self._spawned.pop(name, None)

    def set_pose(self, name: str, pose: Pose, frame: str) -> Steps[None]:
        """Put a model elsewhere. A robot stays on the floor, level, and comes to rest."""
        stage, own = self._find(name)
        wait = _Wait(self._simulator.stages)
        if frame not in WORLD_FRAMES:
            pose = (yield from self._frame(wait, frame, stage)).compose(pose)
        if name not in self._rows:
            stage.move_to(own, pose)
            yield from wait.until(stage, lambda: own in stage.heard, f'move {name!r}')
            return
        row = self._rows[name]
        yield from wait.until(
            stage, lambda: self._simulator.is_settled(row), f'place {name!r} before'
        )
        x, y, _ = pose.position.tolist()
        self._simulator.place(row, x, y, yaw_from_quaternion(*pose.orientation.tolist()))
        self._on_placing(row)
        yield from wait.until(stage, lambda: self._simulator.is_placed(row), f'place {name!r}')

    def state(self, name: str, frame: str) -> Steps[tuple[Pose, Motion]]:
        """Where a model or link is, and how a robot moves; of other models Gazebo tells not."""
        stage, _ = self._find(name)
        wait = _Wait(self._simulator.stages)
        pose = yield from self._pose(wait, name)
        motion = self._motion(name, pose)
        if frame in WORLD_FRAMES:
            return pose, motion
        origin = yield from self._frame(wait, frame, stage)
        moved = self._motion(frame, origin)
        back = inverse(origin.orientation)
        linear = rotate(back, motion.linear - moved.linear)
        angular = rotate(back, motion.angular - moved.angular)
        return origin.relative(pose), Motion(linear, angular)

    def reset(self) -> Steps[None]:
        """Robots back to where their episodes begin, and what was spawned to where it was.

        As Gazebo does it, what was spawned stays, and time goes on.
        """
        wait, stages = _Wait(self._simulator.stages), self._simulator.stages
        for row in self._rows.values():
            self._simulator.restart(row)
            self._on_placing(row)
        spawned = {name: each for name, each in self._spawned.items() if self._is_there(each)}
        yield from self._remove(wait, [(each.own, each.stage) for each in spawned.values()])
        for name, each in spawned.items():
            self._insert(name, each)
        for name, each in spawned.items():
            heard = partial(each.stage.heard.__contains__, each.own)
            yield from wait.until(each.stage, heard, f'reset {name!r}')
        for name, row in self._rows.items():
            stage = stages[self._simulator.whereabouts(row)[0]]
            placed = partial(self._simulator.is_placed, row)
            yield from wait.until(stage, placed, f'reset {name!r}')

    def _insert(self, name: str, spawned: Spawned) -> None:
        """Ask for it, by a name that was never there: Gazebo may delete a model a second time."""
        self._uses[name] += 1
        uses = self._uses[name]
        spawned.own = name if uses == 1 else f'{name}#{uses}'
        _, sdf, _ = read_entity(spawned.xml, spawned.own)
        spawned.stage.insert(spawned.own, sdf, spawned.pose)

    def _is_there(self, spawned: Spawned) -> bool:
        return bool(spawned.own) and spawned.stage in self._simulator.stages

    def _is_free(self, name: str) -> bool:
        spawned = self._spawned.get(name)
        is_there = spawned is not None and spawned.stage in self._simulator.stages
        return not (is_there or name in self._rows or OWN_NAMES.fullmatch(name))

    def _free_name(self, wish: str) -> str:
        name, number = wish, 0
        while not self._is_free(name):
            name, number = f'{wish}_{number}', number + 1
        return name

    def _stage_for(self, robot: str, frame: str) -> Stage:
        if robot.strip('/') in self._rows:
            return self._find(robot.strip('/'))[0]
        return self._simulator.stages[0] if frame in WORLD_FRAMES else self._frame_stage(frame)

    def _find(self, name: str) -> tuple[Stage, str]:
        """A model, or that of a link: its server, and what it is called there."""
        model = name.partition('::')[0]
        if model in self._rows:
            server, own = self._simulator.whereabouts(self._rows[model])
            return self._simulator.stages[server], own
        spawned = self._spawned.get(model)
        if spawned is None or not self._is_there(spawned):
            raise EntityError(f'entity {name!r} does not exist')
        return spawned.stage, spawned.own

    def _frame_stage(self, frame: str) -> Stage:
        try:
            return self._find(frame)[0]
        except EntityError as error:
            raise EntityError(f'reference_frame: {error}') from error

    def _frame(self, wait: _Wait, name: str, stage: Stage) -> Steps[Pose]:
        if self._frame_stage(name) is not stage:
            raise EntityError(f'reference_frame: {name!r} is in the world of another gzserver')
        return (yield from self._pose(wait, name))

    def _pose(self, wait: _Wait, name: str) -> Steps[Pose]:
        """Where a model or link is in the world."""
        stage, own = self._find(name)
        model = yield from _ask(wait, stage, own)
        link = name.partition('::')[2]
        if model is not None and not link:
            return Pose.of(model.pose)
        for each in [] if model is None else model.link:
            if each.name == f'{own}::{link}':
                return Pose.of(model.pose).compose(Pose.of(each.pose))
        raise EntityError(f'entity {name!r} does not exist')

    def _motion(self, name: str, pose: Pose) -> Motion:
        v = w = 0.0
        if name in self._rows:
            v, w = self._simulator.measured_velocities[self._rows[name]].tolist()
        return Motion(rotate(pose.orientation, np.array([v, 0.0, 0.0])), np.array([0.0, 0.0, w]))

    @staticmethod
    def _remove(wait: _Wait, models: list[tuple[str, Stage]]) -> Steps[None]:
        for name, stage in models:
            stage.remove(name)
        for name, stage in models:
            while (yield from _ask(wait, stage, name)) is not None:
                yield


def _ask(wait: _Wait, stage: Stage, name: str) -> Steps[Any]:
    """Gazebo's own words on a model of its world; None if there is none."""
    number = stage.ask(name)
    yield from wait.until(stage, lambda: number in stage.answers, f'find {name!r}')
    return stage.answers.pop(number)
