"""Sets the stage: places robots, obstacles and goals, episode after episode.

Per robot: reset the simulator to the next episode; when it is ready, publish its goal; wait for the
outcome; again. What is lost on the way is said again, so nodes may start in any order.

Robot k of K has the episodes k, k + K, ... of a file (`scenarios`), or of an endless row of random
ones; the log names each by that number.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import OccupancyGrid, Odometry
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from visualization_msgs.msg import Marker

from rl_planner.evaluation.episode_file import plain, read_episodes
from rl_planner.navigation.config import Config, ConfigError, RobotConfig, TaskConfig, parameter
from rl_planner.ros import messages, parameters, qos
from rl_planner.ros.backend import EmbeddedBackend, SimulatorBackend
from rl_planner.ros.process import RunnableNode
from rl_planner.ros.stage import Stage
from rl_planner.simulation.episodes import (
    Episode,
    moved_by,
    random_episodes,
    sample_episodes,
)
from rl_planner.simulation.random_world import Purpose, generator
from rl_planner.simulation.sdf import read_sdf
from rl_planner.simulation.world import World
from rl_planner.simulation.world_map import world_map

EPISODES_PER_WORLD = 16
REPEAT_SEC = 0.25  # wall time after which what had no effect is said again
OVERTIME = 1.5  # an episode without an outcome is begun again after this many time limits


@dataclass(frozen=True)
class EpisodeConfig(Config):
    """What the episode node itself needs to know."""

    robots: tuple[str, ...] = parameter(('robot_0',), 'namespaces of the robots')
    backend: str = parameter(
        'embedded',
        'the simulator; embedded: simulator_node or gazebo_bridge_node',
        choices=('embedded', 'gazebo_classic', 'gazebo_sim'),
    )
    robot_model: str = parameter(
        'default', 'robot of worlds/robots, or an SDF file, for a Gazebo where it is not yet'
    )
    world: str = parameter('random', 'random, or a world file (.sdf, .world)')
    scenarios: str = parameter(
        '', 'instead: file of episodes, one line of JSON each, to run once each'
    )
    purpose: str = parameter(
        'training',
        'which random worlds: those of evaluation never occur in training',
        choices=('training', 'evaluation'),
    )
    seed: int = parameter(0, 'seed of worlds, starts and goals', at_least=0)
    max_episodes: int = parameter(0, 'end after that many; 0: never', at_least=0)
    episode_log: str = parameter('', 'file for one line of JSON per finished episode')
    odom_frame_id: str = parameter('odom', 'frame of goals and obstacles')
    publish_map: bool = parameter(
        False, 'publish the map of what stands in each world, as a robot with a map has it'
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scenarios and self.world != 'random':
            raise ConfigError(f'world must not come with scenarios, got {self.world}')


class EpisodeNode(RunnableNode):
    """Runs one episode after the other for every robot."""

    def __init__(self) -> None:
        super().__init__('episode_node')
        self._config = parameters.declare(self, '', EpisodeConfig)
        self._robot = parameters.declare(self, 'robot', RobotConfig)
        task = parameters.declare(self, 'task', TaskConfig)
        self._time_limit = task.time_limit
        parameters.refuse_unknown(self)
        names = self._config.robots
        self._stages = self._make_stages()
        self._finished = 0
        self.done = False
        self._log: TextIO | None = None
        self._silent: set[int] = set()  # robots whose odometry is waited for
        self._backend = self._make_backend(task.control_period)
        self._goal_out = [
            self.create_publisher(PoseStamped, f'{name}/goal_pose', qos.RELIABLE) for name in names
        ]
        self._map_out = [
            self.create_publisher(OccupancyGrid, f'{name}/map', qos.LATCHED)
            for name in (names if self._config.publish_map else ())
        ]
        for robot, name in enumerate(names):
            callback = partial(self._on_outcome, robot)
            self.create_subscription(Marker, f'{name}/outcome', callback, qos.RELIABLE)
        if self._config.episode_log:
            self._open_log()
        self.create_timer(REPEAT_SEC, self._repeat, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _make_backend(self, control_period: float) -> SimulatorBackend:
        config = self._config
        if config.backend == 'embedded':
            return EmbeddedBackend(self, config.robots, config.odom_frame_id, self._on_ready)
        from rl_planner.gazebo.robot_model import RobotModel

        model = RobotModel.read(config.robot_model, config.backend)
        arguments = (self, config.robots, model, control_period, self._on_ready)
        if config.backend == 'gazebo_classic':
            from rl_planner.ros.gazebo_classic_backend import GazeboClassicBackend

            return GazeboClassicBackend(*arguments)
        from rl_planner.ros.gazebo_sim_backend import GazeboSimBackend

        return GazeboSimBackend(*arguments)

    def _make_stages(self) -> list[Stage]:
        """Every robot's row of episodes: its own, whatever the other robots do."""
        config, count = self._config, len(self._config.robots)
        if config.scenarios:
            given = list(enumerate(read_episodes(Path(config.scenarios))))
            return [Stage(iter(given[robot::count])) for robot in range(count)]
        world = None if config.world == 'random' else read_sdf(Path(config.world))
        return [
            Stage(zip(itertools.count(robot, count), self._random(robot, world), strict=False))
            for robot in range(count)
        ]

    def _random(self, robot: int, world: World | None) -> Iterator[Episode]:
        """The robot's random episodes, for ever."""
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
        self._silent = set(range(len(self._config.robots)))
        for robot, name in enumerate(self._config.robots):
            callback = partial(self._on_odom, robot)
            self.create_subscription(Odometry, f'{name}/odom', callback, qos.COMPLETE)

    def _begin_next(self, robot: int) -> None:
        stage = self._stages[robot]
        stage.number, stage.episode = next(stage.episodes, (-1, None))
        if stage.episode is not None:
            stage.episode = moved_by(stage.episode, *self._backend.origin(robot))
            self._begin(robot, stage.episode)
            return
        stage.is_over = True
        self.done = all(each.is_over for each in self._stages)

    def _begin(self, robot: int, episode: Episode) -> None:
        stage = self._stages[robot]
        stage.begin(self.get_clock().now().nanoseconds)
        if self._map_out:
            area = world_map(episode.world, places=[episode.start[:2], episode.goal])
            map_message = messages.map_message(area, self._config.odom_frame_id)
            self._map_out[robot].publish(map_message)
        self._backend.reset(robot, episode, stage.asked_ns)

    def _on_ready(self, robot: int, stamp_ns: int) -> None:
        """The robot stands at its start: say where it is to go.

        If it stands there once more, its simulator had to begin the episode again.
        """
        stage = self._stages[robot]
        if stage.episode is None or stage.outcome:
            return
        if stage.began_ns is not None:
            if stamp_ns <= stage.began_ns:
                return
            self.get_logger().warning(f'{self._config.robots[robot]}: the episode began again')
        stage.began_ns = stamp_ns
        # What was stamped later may have been heard before, on a busy machine.
        later = [state for state in stage.states if state[0] > stamp_ns]
        stage.states = [(stamp_ns, _rounded((*stage.episode.start, 0.0, 0.0))), *later]
        goal = PoseStamped()
        goal.header.frame_id = self._config.odom_frame_id
        # 0 would be no stamp at all, and a late repetition after the drive another goal.
        goal.header.stamp = messages.stamp_of(max(stamp_ns, 1))
        messages.set_pose(goal.pose, *stage.episode.goal, 0.0)
        stage.await_hearing(goal)
        self._goal_out[robot].publish(goal)

    def _on_odom(self, robot: int, message: Odometry) -> None:
        self._silent.discard(robot)
        stage, stamp = self._stages[robot], messages.stamp_ns(message.header.stamp)
        if stage.episode is None:
            return
        if stage.began_ns is None and stage.states and stamp < stage.states[-1][0]:
            stage.states.clear()  # time itself has begun again
        if not stage.states or stamp > stage.states[-1][0]:
            stage.states.append((stamp, _rounded(messages.planar_odometry(message))))
            self._end_if_complete(robot)

    def _on_outcome(self, robot: int, message: Marker) -> None:
        """Take an outcome; one from before the start is of a drive that was taken for lost."""
        stage, stamp = self._stages[robot], messages.stamp_ns(message.header.stamp)
        if stage.began_ns is not None and not stage.outcome and stamp >= stage.began_ns:
            stage.outcome, stage.ended_ns = message.text, stamp
            self._end_if_complete(robot)

    def _end_if_complete(self, robot: int) -> None:
        """Go on to the next episode, once outcome and, for the log, all odometry are there."""
        stage = self._stages[robot]
        if self.done or stage.episode is None or not stage.outcome:
            return
        if self._log is not None:
            if stage.states[-1][0] < stage.ended_ns:
                return
            self._record(robot, stage.episode, self._log)
        self._finished += 1
        if self._finished == self._config.max_episodes:
            self.done = True
        else:
            self._begin_next(robot)

    def _record(self, robot: int, episode: Episode, log: TextIO) -> None:
        stage = self._stages[robot]
        states = [state for stamp, state in stage.states if stamp <= stage.ended_ns]
        row = {
            'robot': self._config.robots[robot],
            'episode': self._finished,
            'scenario': stage.number,
            'outcome': stage.outcome,
            'time_sec': round((stage.ended_ns - (stage.began_ns or 0)) / messages.NANOSECONDS, 3),
            **plain(episode),
            'states': states,
        }
        log.write(json.dumps(row) + '\n')
        log.flush()

    def _repeat(self) -> None:
        """Say again what nothing came of: a request, a goal, an episode that does not end."""
        # Who has been heard once is heard from then on; before, a log would have gaps.
        if self._silent or not (self._backend.is_up() and self._actor_is_up()):
            self.get_logger().info('waiting for simulator and actor', throttle_duration_sec=5.0)
            return
        for robot, stage in enumerate(self._stages):
            if stage.is_over:
                continue
            if stage.episode is None:
                self._begin_next(robot)
            elif stage.began_ns is None:
                self._backend.reset(robot, stage.episode, stage.asked_ns)
            elif stage.goal is not None:
                self._repeat_goal(robot, stage, stage.episode, stage.goal)

    def _actor_is_up(self) -> bool:
        """Whether somebody takes goals and maps; lock-step runs fast past idle robots."""
        publishers = [*self._goal_out, *self._map_out]
        return all(publisher.get_subscription_count() > 0 for publisher in publishers)

    def _repeat_goal(self, robot: int, stage: Stage, episode: Episode, goal: PoseStamped) -> None:
        """Say a goal again; where its drive has no outcome for long, it has been lost."""
        now, out = self.get_clock().now().nanoseconds, self._goal_out[robot]
        if out.wait_for_all_acked(Duration()):
            stage.acknowledged(now)
        out.publish(goal)
        elapsed = stage.underway_ns(now) / messages.NANOSECONDS
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
