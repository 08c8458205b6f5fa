"""Sets the stage: places robots, obstacles and goals, episode after episode.

Per robot: reset the simulator to the next episode; when it is ready, publish its goal; wait for the
outcome; again. What is lost on the way is said again, so nodes may start in any order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from std_msgs.msg import String

from rl_planner.navigation.config import Config, RobotConfig, TaskConfig, parameter
from rl_planner.ros import messages, parameters, qos
from rl_planner.ros.backend import EmbeddedBackend, SimulatorBackend
from rl_planner.ros.process import RunnableNode
from rl_planner.simulation.episodes import Episode, random_episodes, sample_episodes
from rl_planner.simulation.random_world import Purpose, generator
from rl_planner.simulation.sdf import read_sdf
from rl_planner.simulation.world import World

EPISODES_PER_WORLD = 16
REPEAT_SEC = 0.25  # wall time after which what had no effect is said again
OVERTIME = 1.5  # an episode without an outcome is begun again after this many time limits


@dataclass(frozen=True)
class EpisodeConfig(Config):
    """What the episode node itself needs to know."""

    robots: tuple[str, ...] = parameter(('robot_0',), 'namespaces of the robots')
    backend: str = parameter('embedded', 'the simulator', choices=('embedded',))
    world: str = parameter('random', 'random, or a world file (.sdf, .world)')
    purpose: str = parameter(
        'training',
        'which random worlds: those of evaluation never occur in training',
        choices=('training', 'evaluation'),
    )
    seed: int = parameter(0, 'seed of worlds, starts and goals', at_least=0)
    max_episodes: int = parameter(0, 'end after that many; 0: never', at_least=0)
    episode_log: str = parameter('', 'file for one line of JSON per finished episode')
    odom_frame_id: str = parameter('odom', 'frame of goals and obstacles')


@dataclass
class Stage:
    """One robot's present episode."""

    episodes: Iterator[Episode]
    episode: Episode | None = None
    began_ns: int | None = None  # None: the simulator has not answered yet
    goal: PoseStamped | None = None
    states: list[list[float]] = field(default_factory=list)
    last_ns: int = 0


class EpisodeNode(RunnableNode):
    """Runs one episode after the other for every robot."""

    def __init__(self) -> None:
        super().__init__('episode_node')
        self._config = parameters.declare(self, '', EpisodeConfig)
        self._robot = parameters.declare(self, 'robot', RobotConfig)
        self._time_limit = parameters.declare(self, 'task', TaskConfig).time_limit
        parameters.refuse_unknown(self)
        names = self._config.robots
        world = None if self._config.world == 'random' else read_sdf(Path(self._config.world))
        self._stages = [Stage(self._episodes(robot, world)) for robot in range(len(names))]
        self._finished = 0
        self.done = False
        self._log: TextIO | None = None
        self._backend: SimulatorBackend = EmbeddedBackend(
            self, names, self._config.odom_frame_id, self._on_ready
        )
        self._goal_out = [
            self.create_publisher(PoseStamped, f'{name}/goal_pose', qos.RELIABLE) for name in names
        ]
        for robot, name in enumerate(names):
            callback = partial(self._on_outcome, robot)
            self.create_subscription(String, f'{name}/outcome', callback, qos.RELIABLE)
        if self._config.episode_log:
            self._open_log()
        self.create_timer(REPEAT_SEC, self._repeat, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _episodes(self, robot: int, world: World | None) -> Iterator[Episode]:
        """The robot's episodes, for ever: its own worlds, whatever the other robots do."""
        purpose, count = Purpose[self._config.purpose.upper()], len(self._config.robots)
        index = robot
        while True:
            rng = generator(purpose, self._config.seed, index)
            if world is None:
                place, starts, goals = random_episodes(rng, self._robot, EPISODES_PER_WORLD)
            else:
                place, (starts, goals) = (
                    world,
                    sample_episodes(world, rng, self._robot, EPISODES_PER_WORLD),
                )
            for (x, y, yaw), (goal_x, goal_y) in zip(starts.tolist(), goals.tolist(), strict=True):
                yield Episode(place, (x, y, yaw), (goal_x, goal_y))
            index += count

    def _open_log(self) -> None:
        path = Path(self._config.episode_log)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._log = path.open('a', encoding='utf-8')
        for robot, name in enumerate(self._config.robots):
            callback = partial(self._on_odom, robot)
            self.create_subscription(Odometry, f'{name}/odom', callback, qos.COMPLETE)

    def _begin(self, robot: int, episode: Episode) -> None:
        stage = self._stages[robot]
        stage.episode, stage.began_ns, stage.goal = episode, None, None
        self._backend.reset(robot, episode)

    def _on_ready(self, robot: int, stamp_ns: int) -> None:
        """The robot stands at its start: say where it is to go."""
        stage = self._stages[robot]
        if stage.episode is None or stage.began_ns is not None:
            return
        stage.began_ns = stage.last_ns = stamp_ns
        stage.states = [_rounded((*stage.episode.start, 0.0, 0.0))]
        goal = PoseStamped()
        goal.header.frame_id = self._config.odom_frame_id
        goal.header.stamp = messages.stamp_of(stamp_ns)
        messages.set_pose(goal.pose, *stage.episode.goal, 0.0)
        stage.goal = goal
        self._goal_out[robot].publish(goal)

    def _on_odom(self, robot: int, message: Odometry) -> None:
        stage, stamp = self._stages[robot], messages.stamp_ns(message.header.stamp)
        if stage.began_ns is not None and stamp > stage.last_ns:
            stage.states.append(_rounded(messages.planar_odometry(message)))
            stage.last_ns = stamp

    def _on_outcome(self, robot: int, message: String) -> None:
        stage = self._stages[robot]
        if self.done or stage.episode is None or stage.began_ns is None:
            return
        self._record(robot, stage.episode, message.data)
        self._finished += 1
        if self._finished == self._config.max_episodes:
            self.done = True
        else:
            self._begin(robot, next(stage.episodes))

    def _record(self, robot: int, episode: Episode, outcome: str) -> None:
        if self._log is None:
            return
        stage, world = self._stages[robot], episode.world
        row = {
            'robot': self._config.robots[robot],
            'episode': self._finished,
            'outcome': outcome,
            'time_sec': round((stage.last_ns - (stage.began_ns or 0)) / messages.NANOSECONDS, 3),
            'start': episode.start,
            'goal': episode.goal,
            'world': {
                name: getattr(world, name).tolist()
                for name in ('boxes', 'circles', 'walls', 'movers')
            },
            'states': stage.states,
        }
        self._log.write(json.dumps(row) + '\n')
        self._log.flush()

    def _repeat(self) -> None:
        """Say again what nothing came of: a request, a goal, an episode that does not end."""
        if not (self._backend.is_up() and self._actor_is_up()):
            self.get_logger().info('waiting for simulator and actor', throttle_duration_sec=5.0)
            return
        for robot, stage in enumerate(self._stages):
            if stage.episode is None:
                self._begin(robot, next(stage.episodes))
            elif stage.began_ns is None:
                self._backend.reset(robot, stage.episode)
            elif stage.goal is not None:
                self._goal_out[robot].publish(stage.goal)
                self._begin_again_when_late(robot, stage.episode, stage.began_ns)

    def _actor_is_up(self) -> bool:
        """Whether somebody takes the goals; lock-step runs fast past idle robots."""
        return all(publisher.get_subscription_count() > 0 for publisher in self._goal_out)

    def _begin_again_when_late(self, robot: int, episode: Episode, began_ns: int) -> None:
        elapsed = (self.get_clock().now().nanoseconds - began_ns) / messages.NANOSECONDS
        if elapsed > OVERTIME * self._time_limit:
            name = self._config.robots[robot]
            self.get_logger().warning(f'{name}: no outcome after {elapsed:.0f} s: begins again')
            self._begin(robot, episode)

    def close(self) -> None:
        if self._log is not None:
            self._log.close()


def _rounded(state: tuple[float, ...]) -> list[float]:
    """x, y, yaw, v, w to a micrometre: a third of the digits of a float."""
    return [round(number, 6) for number in state]
