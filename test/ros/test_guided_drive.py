"""Simulator, global planner and actor as processes: a robot with a map drives to another room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import OccupancyGrid, Odometry
from nav_msgs.msg import Path as PathMessage
from numpy.typing import NDArray
from support.nodes import Nodes, Peer
from visualization_msgs.msg import Marker, MarkerArray

from rl_planner.ros import messages, qos
from rl_planner.ros.cdr import read_path
from rl_planner.ros.episode_message import encode_episode
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World
from rl_planner.simulation.world_map import world_map

POLICY = Path(__file__).parents[2] / 'config' / 'policies' / 'default.safetensors'

# 6 m x 5 m; a wall at x = 0 with doors of 1 m around y = -1.5 and y = 1.5.
OUTER = [[0, 2.5, 0, 6, 0.1], [0, -2.5, 0, 6, 0.1], [3, 0, 0, 0.1, 5], [-3, 0, 0, 0.1, 5]]
WALL = [[0, 0, 0, 0.1, 2.0], [0, 2.25, 0, 0.1, 0.5], [0, -2.25, 0, 0.1, 0.5]]
ROOMS = World(boxes=[*OUTER, *WALL])
IN_DOOR = [0.0, -1.5, 0.0, 0.3, 0.8]
START, GOAL = (-1.5, -1.5, 0.0), (1.5, -1.5)


class Onlooker:
    """Tells what is to be done, and keeps what comes of it."""

    def __init__(self, peer: Peer) -> None:
        create, subscribe = peer.node.create_publisher, peer.node.create_subscription
        self.episode_out = create(MarkerArray, 'robot_0/episode', qos.LATCHED)
        self.map_out = create(OccupancyGrid, 'map', qos.LATCHED)
        self.goal_out = create(PoseStamped, 'robot_0/goal_pose', qos.RELIABLE)
        self.plans: list[NDArray[np.float64]] = []
        self.outcomes: list[str] = []
        self.way: list[tuple[float, float]] = []
        subscribe(PathMessage, 'robot_0/plan', self._on_plan, qos.RELIABLE, raw=True)
        subscribe(Odometry, 'robot_0/odom', self._on_odometry, qos.SENSOR)
        subscribe(Marker, 'robot_0/outcome', self._on_outcome, qos.RELIABLE)

    def _on_plan(self, data: bytes) -> None:
        self.plans.append(read_path(data)[1])

    def _on_odometry(self, message: Odometry) -> None:
        self.way.append((message.pose.pose.position.x, message.pose.pose.position.y))

    def _on_outcome(self, message: Marker) -> None:
        self.outcomes.append(message.text)


def door(way: NDArray[np.float64]) -> float:
    """y where a way goes through the wall (m)."""
    return float(way[np.abs(way[:, 0]).argmin(), 1])


@pytest.mark.parametrize('is_blocked', [False, True])
def test_a_robot_with_a_map_drives_to_another_room(nodes: Nodes, peer: Peer, is_blocked) -> None:
    """What stands in the door is not in the map: the robot sees it, and takes the other door."""
    look = Onlooker(peer)
    world = World(boxes=[*OUTER, *WALL, IN_DOOR]) if is_blocked else ROOMS
    episode = encode_episode(Episode(world, START, GOAL), 'odom', 1)
    look.map_out.publish(messages.map_message(world_map(ROOMS), 'odom'))
    # Simulated time goes twice as fast as ours: nobody is late who is late by our clock.
    patient = {'use_sim_time': True, 'odom_timeout': 5.0, 'scan_timeout': 5.0}
    drive = {'follow_plan': True, 'use_stamped_cmd_vel': True, 'future_tolerance': 9.0}
    nodes.start('simulator_node', real_time_factor=2.0)
    nodes.start('actor_node', robots=['robot_0'], policy_file=str(POLICY), **drive, **patient)
    places = ['-r', '__ns:=/robot_0', '-r', 'map:=/map']
    times = ['-p', 'use_sim_time:=true', '-p', 'odom_timeout:=9.0']
    sight = ['-p', 'obstacle_layer.obstacle_max_range:=1.2']  # less far than the door
    nodes.start_raw('global_planner_node', [*places, *times, *sight])
    goal = PoseStamped(pose=messages.pose_of(*GOAL, 0.0))
    goal.header.frame_id = 'odom'
    peer.until(
        lambda: look.way and np.hypot(*np.subtract(look.way[-1], START[:2])) < 0.1,
        repeat=lambda: look.episode_out.publish(episode),  # as episode_node does
    )
    look.way.clear()  # the robot was elsewhere before the episode
    peer.until(lambda: look.plans, repeat=lambda: look.goal_out.publish(goal))
    peer.until(lambda: look.outcomes)
    assert look.outcomes == ['goal']
    assert look.way[-1] == pytest.approx(GOAL, abs=0.35)
    assert door(look.plans[0]) == pytest.approx(-1.5, abs=0.4)
    assert door(np.array(look.way)) == pytest.approx(1.5 if is_blocked else -1.5, abs=0.4)
