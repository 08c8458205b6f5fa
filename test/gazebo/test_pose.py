"""Frames within frames, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rl_planner.gazebo.pose import Pose, rotate

LEFT = Pose.from_euler(np.array([1.0, 2.0, 0.5, 0.0, 0.0, np.pi / 2.0]))


def message(position: tuple[float, ...], orientation: tuple[float, ...]) -> SimpleNamespace:
    return SimpleNamespace(
        position=SimpleNamespace(**dict(zip('xyz', position, strict=True))),
        orientation=SimpleNamespace(**dict(zip('xyzw', orientation, strict=True))),
    )


def test_what_is_ahead_of_a_frame_that_looks_left() -> None:
    ahead = LEFT.compose(Pose.from_euler(np.array([3.0, 0.0, 0.0, 0.0, 0.0, np.pi / 2.0])))
    assert ahead.position == pytest.approx([1.0, 5.0, 0.5])
    assert ahead.orientation == pytest.approx([0.0, 0.0, 1.0, 0.0])  # backwards
    back = LEFT.relative(ahead)
    assert back.position == pytest.approx([3.0, 0.0, 0.0])
    assert back.orientation == pytest.approx([0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)])


def test_roll_comes_before_yaw() -> None:
    turned = Pose.from_euler(np.array([0.0, 0.0, 0.0, np.pi / 2.0, 0.0, np.pi / 2.0]))
    # y goes up by the roll, and stays there; x goes to the left by the yaw.
    assert rotate(turned.orientation, np.array([0.0, 1.0, 0.0])) == pytest.approx([0.0, 0.0, 1.0])
    assert rotate(turned.orientation, np.array([1.0, 0.0, 0.0])) == pytest.approx([0.0, 1.0, 0.0])


def test_a_message_is_normalised() -> None:
    assert Pose.of(message((1, 2, 3), (0, 0, 2, 0))).orientation == pytest.approx([0, 0, 1, 0])
    assert Pose.of(message((1, 2, 3), (0, 0, 0, 0))).orientation == pytest.approx([0, 0, 0, 1])


@pytest.mark.parametrize('place', [(np.nan, 0.0, 0.0), (0.0, np.inf, 0.0)])
def test_a_message_must_be_finite(place: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match='pose must be finite'):
        Pose.of(message(place, (0, 0, 0, 1)))
    with pytest.raises(ValueError, match='pose must be finite'):
        Pose.of(message((0, 0, 0), (*place, 1)))
