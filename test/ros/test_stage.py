"""When a drive without an outcome is taken for lost, without DDS."""

from __future__ import annotations

from geometry_msgs.msg import PoseStamped

from rl_planner.ros.stage import Stage


def with_goal() -> Stage:
    stage = Stage(iter([]))
    stage.begin(0)
    stage.await_hearing(PoseStamped())
    return stage


def test_time_counts_from_when_the_goal_was_heard() -> None:
    stage = with_goal()
    assert stage.underway_ns(700) == 0
    stage.acknowledged(1000)  # perhaps by one who came too late for it
    assert stage.underway_ns(1700) == 0
    for now in (2000, 2500):
        stage.acknowledged(now)
    assert stage.underway_ns(2700) == 700


def test_another_goal_has_to_be_heard_anew() -> None:
    stage = with_goal()
    for now in (1000, 2000):
        stage.acknowledged(now)
    stage.await_hearing(PoseStamped())
    stage.acknowledged(3000)
    assert stage.underway_ns(9000) == 0
    stage.acknowledged(4000)
    assert stage.underway_ns(9000) == 5000
    stage.begin(9000)
    assert stage.underway_ns(9500) == 0


def test_a_drive_whose_outcome_is_known_is_not_lost() -> None:
    """Only its odometry may still be on its way to the log."""
    stage = with_goal()
    for now in (1000, 2000):
        stage.acknowledged(now)
    stage.outcome = 'goal'
    assert stage.underway_ns(9000) == 0
