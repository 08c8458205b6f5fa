"""Service calls in a row: replaced, and given up where no reply comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nav_msgs.msg import Odometry
from rclpy.task import Future

from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.ros.gazebo_backend import CALL_TIMEOUT_SEC, GazeboBackend
from rl_planner.ros.service_sequence import Calls, ServiceSequence
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World


class Calling:
    """Generators of calls, and what they were told."""

    def __init__(self) -> None:
        self.futures: list[Future] = []
        self.told: list[Any] = []

    def make(self, calls: int) -> Calls:
        for _ in range(calls):
            self.futures.append(Future())
            self.told.append((yield self.futures[-1]))


def test_each_call_waits_for_the_reply_to_the_one_before() -> None:
    sequence, calling = ServiceSequence(), Calling()
    sequence.replace(lambda: calling.make(2))
    assert len(calling.futures) == 1
    calling.futures[0].set_result('a')
    assert (calling.told, len(calling.futures)) == (['a'], 2)
    assert sequence.is_running
    calling.futures[1].set_result('b')
    assert (calling.told, sequence.is_running) == (['a', 'b'], False)


def test_a_replacement_waits_for_the_reply_and_drops_the_rest() -> None:
    sequence, old, new = ServiceSequence(), Calling(), Calling()
    sequence.replace(lambda: old.make(2))
    sequence.replace(lambda: new.make(1))
    assert new.futures == []
    old.futures[0].set_result('a')
    assert (old.told, len(old.futures), len(new.futures)) == ([], 1, 1)


def test_a_call_without_a_reply_is_dropped_and_its_late_reply_does_nothing() -> None:
    now = 100.0
    sequence, old, new = ServiceSequence(lambda: now), Calling(), Calling()
    assert sequence.waited_sec == 0.0
    sequence.replace(lambda: old.make(2))
    now += 7.5
    assert sequence.waited_sec == 7.5
    sequence.drop()
    assert (sequence.is_running, sequence.waited_sec) == (False, 0.0)
    assert old.futures[0].cancelled()
    sequence.replace(lambda: new.make(2))
    old.futures[0].set_result('late')
    assert (old.told, len(new.futures)) == ([], 1)
    now += 1.0
    new.futures[0].set_result('a')
    now += 2.0
    assert (new.told, sequence.waited_sec) == (['a'], 2.0)


class Deaf(GazeboBackend):
    """A Gazebo that answers a call when the test does so."""

    def __init__(self, node: Any, on_ready: Any) -> None:
        self.calls: list[tuple[str, Future]] = []
        model = RobotModel.read('default', 'gazebo_sim')
        super().__init__(node, ('robot_0',), model, 0.1, on_ready)

    def is_up(self) -> bool:
        return True

    def _spawn(self, robot: str, name: str, sdf: str, pose: Any) -> Future:
        return self._note(f'spawn {name}')

    def _delete(self, name: str) -> Future:
        return self._note(f'delete {name}')

    def _set_pose(self, name: str, x: float, y: float, yaw: float) -> Future:
        return self._note(f'place {name}')

    def _note(self, what: str) -> Future:
        self.calls.append((what, Future()))
        return self.calls[-1][1]

    def answer(self) -> str:
        """Answer the last call; what it was."""
        what, future = self.calls[-1]
        future.set_result(SimpleNamespace(success=True))
        return what


def test_a_reset_whose_service_never_answers_begins_again() -> None:
    told: list[str] = []
    ready: list[tuple[int, int]] = []
    node: Any = SimpleNamespace(
        create_subscription=lambda *_: None, get_logger=lambda: SimpleNamespace(error=told.append)
    )
    gazebo = Deaf(node, lambda robot, stamp: ready.append((robot, stamp)))
    now = 0.0
    gazebo._places[0].sequence = ServiceSequence(lambda: now)
    episode = Episode(World(circles=np.array([[2.0, 1.5, 0.3]])), (1.0, 0.0, 0.0), (3.0, 0.0))
    gazebo.reset(0, episode, 5)
    gazebo.reset(0, episode, 5)  # said again, as episode_node does
    assert [what for what, _ in gazebo.calls] == ['spawn robot_0_scenery_1']
    now = CALL_TIMEOUT_SEC - 1.0
    gazebo.reset(0, episode, 5)
    assert (len(gazebo.calls), told) == (1, [])
    now = CALL_TIMEOUT_SEC + 1.0
    gazebo.reset(0, episode, 5)
    assert told == [
        'robot_0: Gazebo has not answered a service call for 46 s: the reset begins again'
    ]
    # What may have come of the first call is taken away.
    assert gazebo.answer() == 'delete robot_0_scenery_1'
    assert gazebo.answer() == 'spawn robot_0_scenery_2'
    assert gazebo.answer() == 'place robot_0'
    message = Odometry()
    message.header.stamp.sec, message.pose.pose.position.x = 3, 1.0
    message.pose.pose.orientation.w = 1.0
    gazebo._on_odom(0, message)
    assert ready == [(0, 3_000_000_000)]


def test_moving_obstacles_go_on_when_a_reply_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr('time.monotonic', lambda: now)
    node: Any = SimpleNamespace(create_subscription=lambda *_: None)
    gazebo = Deaf(node, lambda *_: None)
    place = gazebo._places[0]
    place.world = World(movers=np.array([[1.0, -2.0, 3.0, -2.0, 0.2, 0.5, 0.0]]))
    place.movers, place.moved_ns = ['mover'], 0
    for time_sec, calls in ((1.0, 1), (2.0, 1), (CALL_TIMEOUT_SEC + 2.0, 2)):
        now = time_sec
        gazebo._move_obstacles(place)
        assert len(gazebo.calls) == calls
