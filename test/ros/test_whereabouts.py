"""Where a robot is on a map; no node, and a map in the frame of odometry or beside it."""

from __future__ import annotations

from typing import Any

import pytest
from support.odometry import odometry

from rl_planner.navigation.frames import Transform
from rl_planner.ros.whereabouts import Whereabouts

MS = 10**6


class Tree:
    """In place of TF: odometry begins at (10, 0) of the map; a camera is 0.5 m ahead of the base.

    It is so for the time 100 ms; for all others, the camera looks to the left.
    """

    def __init__(self) -> None:
        self.forgotten = 0

    def planar(self, target: str, source: str, stamp_ns: int) -> Transform:
        assert (target, source) == ('map', 'odom')
        return Transform(10.0, 0.0, 0.0)

    def to_base(self, frame: str, base: str, odom: str, stamp_ns: int) -> Transform | None:
        assert (base, odom) == ('base', 'odom')
        return {
            'base': Transform(0.0, 0.0, 0.0),
            'camera': Transform(0.5, 0.0, 0.0 if stamp_ns == 100 * MS else 1.5708),
        }.get(frame)

    def forget(self) -> None:
        self.forgotten += 1


def robot(map_frame: str = 'map') -> tuple[Whereabouts, Tree]:
    """It went from x = 1 m to 2 m within 100 ms."""
    tree: Any = Tree()
    there = Whereabouts(tree, '')
    there.map_frame = map_frame
    for time, x in ((50, 1.0), (150, 2.0)):
        assert there.take(odometry('odom', 'base', time * MS, x)) is False
    return there, tree


def test_the_robot_is_on_the_map_where_it_was_at_the_time_asked_for() -> None:
    there, _ = robot()
    assert there.stamp == 150 * MS
    assert there.base_frame == 'base'
    assert there.pose(100 * MS) == pytest.approx([11.5, 0.0, 0.0])
    assert there.pose(160 * MS) is None
    assert robot('odom')[0].pose(150 * MS) == pytest.approx([2.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ('frame', 'place'),
    [('', 1.0), ('map', 1.0), ('odom', 11.0), ('base', 12.5), ('camera', 13.0)],
)
def test_a_goal_in_any_frame_is_a_place_on_the_map(frame: str, place: float) -> None:
    """Ahead by 1 m; on the robot, from where that was after 100 ms."""
    there, _ = robot()
    assert there.place(frame, 1.0, 0.0, 100 * MS) == pytest.approx((place, 0.0))


def test_what_is_asked_of_a_time_that_is_not_known_is_of_now() -> None:
    there, _ = robot()
    assert there.place('base', 1.0, 0.0, 10 * MS) == pytest.approx((13.0, 0.0))


def test_odometry_that_is_not_finite_is_refused_and_time_that_goes_back_is_another() -> None:
    there, tree = robot()
    with pytest.raises(ValueError, match='it must be finite'):
        there.take(odometry('odom', 'base', 200 * MS, float('nan')))
    assert there.take(odometry('odom', 'base', 149 * MS, 7.0)) is False  # it was overtaken
    assert there.pose(150 * MS) == pytest.approx([12.0, 0.0, 0.0])
    assert there.take(odometry('odom', 'base', 5000 * MS, 3.0)) is False
    assert there.take(odometry('odom', 'base', 10 * MS, 4.0)) is True
    assert tree.forgotten == 1
    assert there.pose(150 * MS) is None
