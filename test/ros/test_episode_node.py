"""The episode node as a process; the test plays simulator and actor."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import OccupancyGrid, Odometry
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header
from support.nodes import Nodes, Peer
from visualization_msgs.msg import Marker, MarkerArray

from rl_planner.evaluation.episode_file import write_episodes
from rl_planner.ros import messages, qos
from rl_planner.ros.episode_message import decode_episode
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.world import World

WORLDS = Path(__file__).parents[2] / 'worlds'


def ended(outcome: str, stamp_ns: int) -> Marker:
    marker = Marker(text=outcome)
    marker.header.stamp = messages.stamp_of(stamp_ns)
    return marker


class Stage:
    """Simulator and actor of one robot, as far as the episode node sees them."""

    def __init__(self, peer: Peer, name: str = 'robot_0') -> None:
        self.episodes: list[Episode] = []
        self.goals: list[PoseStamped] = []
        node = peer.node
        self.ready_out = node.create_publisher(Header, f'{name}/episode_ready', qos.RELIABLE)
        self.odom_out = node.create_publisher(Odometry, f'{name}/odom', qos.COMPLETE)
        self.outcome_out = node.create_publisher(Marker, f'{name}/outcome', qos.RELIABLE)
        node.create_subscription(MarkerArray, f'{name}/episode', self._on_episode, qos.LATCHED)
        node.create_subscription(PoseStamped, f'{name}/goal_pose', self.goals.append, qos.RELIABLE)
        self.is_silent = False
        node.create_timer(0.1, self._idle)

    def _idle(self) -> None:
        """As a simulator does, tell where the robot is before the first episode."""
        if not self.episodes and not self.is_silent:
            self.say_odometry(0, x=0.0)

    def _on_episode(self, message: MarkerArray) -> None:
        self.episodes.append(decode_episode(message))

    def say_ready(self, stamp_ns: int) -> None:
        self.ready_out.publish(Header(stamp=messages.stamp_of(stamp_ns)))

    def say_odometry(self, stamp_ns: int, x: float) -> None:
        message = Odometry()
        message.header.stamp = messages.stamp_of(stamp_ns)
        messages.set_pose(message.pose.pose, x, 0.0, 0.0)
        self.odom_out.publish(message)

    def goal(self) -> tuple[int, float, float]:
        """Stamp and place of the newest goal."""
        goal = self.goals[-1]
        x, y, _ = messages.planar_pose(goal.pose)
        return messages.stamp_ns(goal.header.stamp), x, y


def test_one_episode_after_the_other(nodes: Nodes, peer: Peer) -> None:
    stage = Stage(peer)
    # On simulated time, which nobody publishes here: no episode is ever late.
    node = nodes.start('episode_node', max_episodes=2, use_sim_time=True)
    peer.until(lambda: stage.episodes)
    peer.spin(0.5)
    assert not stage.goals  # nobody is told to drive before all is in place
    for number in (1, 2):
        stamp = number * 10**9
        peer.until(
            lambda stamp=stamp: stage.goals and stage.goal()[0] == stamp,
            repeat=lambda stamp=stamp: stage.say_ready(stamp),
        )
        assert stage.goal()[1:] == pytest.approx(stage.episodes[-1].goal)
        assert stage.goals[-1].header.frame_id == 'odom'
        count = len(stage.episodes)
        stage.outcome_out.publish(ended('collision', stamp - 10**8))  # of a drive before
        peer.spin(0.3)
        assert len(stage.episodes) == count
        stage.outcome_out.publish(ended('goal', stamp))
        if number == 1:
            peer.until(lambda count=count: len(stage.episodes) > count)
    peer.until(lambda: node.poll() is not None)
    assert node.returncode == 0


def test_a_log_waits_until_odometry_is_heard(nodes: Nodes, peer: Peer, tmp_path: Path) -> None:
    """What a simulator says before its words arrive would be missing in the log."""
    stage = Stage(peer)
    stage.is_silent = True
    nodes.start('episode_node', episode_log=str(tmp_path / 'log.jsonl'), use_sim_time=True)
    peer.until(lambda: stage.odom_out.get_subscription_count())
    peer.spin(1.0)
    assert not stage.episodes
    stage.is_silent = False
    peer.until(lambda: stage.episodes)


def test_runs_the_episodes_of_a_file_once_each(nodes: Nodes, peer: Peer, tmp_path: Path) -> None:
    path, log = tmp_path / 'tasks.jsonl', tmp_path / 'log.jsonl'
    write_episodes(path, [Episode(World(), (float(x), 0.0, 0.0), (9.0, 0.0)) for x in range(3)])
    robots = ['robot_0', 'robot_1']
    stages = [Stage(peer, name) for name in robots]
    node = nodes.start(
        'episode_node',
        robots=robots,
        scenarios=str(path),
        episode_log=str(log),
        use_sim_time=True,
    )
    for stage, number in ((stages[0], 0), (stages[1], 1), (stages[0], 2)):
        begin = (number + 1) * 10**9

        def has_goal(stage: Stage = stage, begin: int = begin) -> bool:
            return bool(stage.goals) and stage.goal()[0] == begin

        if number == 1:  # odometry overtakes the word that the robot is there
            peer.until(lambda s=stage: s.episodes)
            for step in (-2, 0, 1):
                stage.say_odometry(begin + step * 10**8, x=number + step)
            peer.spin(0.3)
        peer.until(has_goal, repeat=lambda s=stage, b=begin: s.say_ready(b))
        assert stage.episodes[-1].start[0] == number
        # The outcome overtakes the odometry that belongs to it; what comes later does not belong.
        stage.outcome_out.publish(ended('timeout', begin + 2 * 10**8))
        peer.spin(0.3)
        assert len(log.read_text().splitlines()) == number
        for step in (2, 3) if number == 1 else (1, 2, 3):
            stage.say_odometry(begin + step * 10**8, x=number + step)
        peer.until(lambda n=number: len(log.read_text().splitlines()) == n + 1)
    peer.until(lambda: node.poll() is not None)
    assert node.returncode == 0
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(row['robot'], row['scenario']) for row in rows] == [
        ('robot_0', 0),
        ('robot_1', 1),
        ('robot_0', 2),
    ]
    for row in rows:
        assert (row['outcome'], row['time_sec']) == ('timeout', 0.2)
        assert [state[0] for state in row['states']] == [
            row['scenario'] + step for step in range(3)
        ]


def test_a_file_of_episodes_stands_alone_and_is_whole(nodes: Nodes, tmp_path: Path) -> None:
    path = tmp_path / 'tasks.jsonl'
    path.write_text('{}\n')
    assert 'tasks.jsonl, line 1: start is missing' in nodes.refuse(
        'episode_node', scenarios=str(path)
    )
    world = str(WORLDS / 'arena.sdf')
    assert 'world must not come with scenarios' in nodes.refuse(
        'episode_node', scenarios=str(path), world=world
    )


def test_begins_again_what_has_no_outcome(nodes: Nodes, peer: Peer) -> None:
    stage = Stage(peer)
    nodes.start('episode_node', task__time_limit=1.0, use_sim_time=False)
    long_ago = time.time_ns() - 60 * 10**9
    peer.until(lambda: stage.goals, repeat=lambda: stage.say_ready(long_ago))
    count = len(stage.episodes)
    peer.until(lambda: len(stage.episodes) > count)
    assert stage.episodes[-1].start == stage.episodes[0].start


def test_time_that_ran_past_a_robot_without_its_goal_ends_no_drive(
    nodes: Nodes, peer: Peer
) -> None:
    """Else a robot that has just set out would lead on to the old goal in a new episode."""
    stage = Stage(peer)
    clock_out = peer.node.create_publisher(Clock, '/clock', qos.RELIABLE)

    def run_ahead() -> None:
        clock_out.publish(Clock(clock=messages.stamp_of(1000 * 10**9)))
        if not stage.goals:
            stage.say_ready(10**9)

    nodes.start('episode_node', task__time_limit=1.0, use_sim_time=True)
    # The goal of an episode that begins again is not repeated: the simulator has to be ready first.
    peer.until(lambda: len(stage.goals) >= 8, repeat=run_ahead)
    assert stage.goal()[0] == 10**9


def test_an_episode_that_the_simulator_begins_again(
    nodes: Nodes, peer: Peer, tmp_path: Path
) -> None:
    log = tmp_path / 'log.jsonl'
    stage = Stage(peer)
    node = nodes.start('episode_node', max_episodes=1, episode_log=str(log), use_sim_time=True)

    def goal_of(stamp: int) -> bool:
        return bool(stage.goals) and stage.goal()[0] == stamp

    peer.until(lambda: goal_of(10**9), repeat=lambda: stage.say_ready(10**9))
    stage.say_odometry(2 * 10**9, x=7.0)
    peer.spin(0.3)
    place = stage.goal()[1:]
    stage.say_ready(5 * 10**9)
    peer.until(lambda: goal_of(5 * 10**9))
    assert stage.goal()[1:] == place
    stage.say_ready(10**9)  # a late repetition
    stage.outcome_out.publish(ended('collision', 4 * 10**9))  # of the first attempt
    for step in (1, 2):
        stage.say_odometry(5 * 10**9 + step * 10**8, x=float(step))
    peer.spin(0.3)
    assert goal_of(5 * 10**9)
    assert node.poll() is None
    stage.outcome_out.publish(ended('goal', 5 * 10**9 + 2 * 10**8))
    peer.until(lambda: node.poll() is not None)
    (row,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert (row['outcome'], row['time_sec']) == ('goal', 0.2)
    places = [state[0] for state in row['states']]
    assert places == pytest.approx([row['start'][0], 1.0, 2.0], abs=1e-6)


def test_says_again_what_had_no_effect(nodes: Nodes, peer: Peer) -> None:
    stage = Stage(peer)
    nodes.start('episode_node')
    peer.until(lambda: len(stage.episodes) >= 2)  # the simulator did not answer the first
    assert stage.episodes[0].start == stage.episodes[1].start
    peer.until(lambda: stage.goals, repeat=lambda: stage.say_ready(0))
    peer.until(lambda: len(stage.goals) >= 2)  # the actor may have started later
    assert stage.goals[0] == stage.goals[1]
    assert stage.goal()[0] > 0  # without a stamp it would be a new goal after the drive


def test_seed_and_purpose_decide_the_worlds(nodes: Nodes, peer: Peer) -> None:
    starts = []
    for parameters in (
        {'seed': 1},
        {'seed': 1},
        {'seed': 2},
        {'seed': 1, 'purpose': 'evaluation'},
    ):
        stage = Stage(peer)
        node = nodes.start('episode_node', **parameters)
        # The latched episode of a node that has ended may still come: take the newest.
        peer.until(lambda stage=stage: len(stage.episodes) >= 2)
        starts.append(stage.episodes[-1].start)
        nodes.end(node)
    assert starts[0] == starts[1]
    assert len(set(starts)) == 3


def test_a_world_file_is_the_world(nodes: Nodes, peer: Peer) -> None:
    stage = Stage(peer)
    nodes.start('episode_node', world=str(WORLDS / 'moving.sdf'))
    peer.until(lambda: stage.episodes)
    world = stage.episodes[-1].world
    assert len(world.movers) == 4
    assert np.hypot(*np.subtract(stage.episodes[-1].start[:2], stage.episodes[-1].goal)) >= 3.0


def test_publishes_the_map_of_each_world_where_that_is_asked_for(nodes: Nodes, peer: Peer) -> None:
    """A robot with a map does not see what moves on it."""
    stage, maps = Stage(peer), []
    nodes.start('episode_node', publish_map=True, world=str(WORLDS / 'moving.sdf'))
    peer.node.create_subscription(OccupancyGrid, 'robot_0/map', maps.append, qos.LATCHED)
    peer.until(lambda: maps and stage.episodes)
    area = messages.occupancy_map(maps[-1])
    assert maps[-1].header.frame_id == 'odom'
    still = replace(stage.episodes[-1].world, movers=np.empty((0, 7)))
    occupied = area.points(np.argwhere(area.occupied))
    space = FreeSpace(still, 0.1)
    assert all(space.clearance_at(x, y) <= 0.026 for x, y in occupied[::50].tolist())
