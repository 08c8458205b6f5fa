"""What is asked of TF, and what is made of the answer; tf2_ros is a stand-in."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from geometry_msgs.msg import TransformStamped
from support.nodes import Peer
from support.transforms import STANDIN, TransformSource

from rl_planner.navigation.frames import Transform
from rl_planner.ros.messages import NANOSECONDS
from rl_planner.ros.transforms import NoTransformsError, TransformError, Transforms


@pytest.fixture
def transforms(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Transforms]:
    """What the node of `peer` hears of TF; its tolerance is 0.5 s."""
    monkeypatch.syspath_prepend(STANDIN)
    transforms = Transforms(peer.node, 0.5)
    yield transforms
    transforms.close()
    sys.modules.pop('tf2_ros', None)


@pytest.fixture
def source(peer: Peer) -> TransformSource:
    return TransformSource(peer)


def hears(peer: Peer, transforms: Transforms, publish: Any, target: str, source: str) -> None:
    """Publish until TF knows the latest transform."""

    def known() -> bool:
        try:
            transforms.fixed(target, source)
        except TransformError:
            return False
        return True

    peer.until(known, repeat=publish)


def seconds(time: float) -> int:
    return round(time * NANOSECONDS)


def test_a_transform_is_that_of_the_time_asked_for(peer, transforms, source):
    """map -> odom moves by 1 m within 1 s: halfway it is in between."""

    def publish() -> None:
        source.send('map', 'odom', (0.0, 0.0), stamp_ns=seconds(100.0))
        source.send('map', 'odom', (1.0, 0.0), stamp_ns=seconds(101.0))

    hears(peer, transforms, publish, 'map', 'odom')
    peer.until(lambda: transforms.fixed('map', 'odom')[0][0] == 1.0, repeat=publish)
    assert transforms.planar('map', 'odom', seconds(100.5)) == pytest.approx((0.5, 0.0, 0.0))
    # a point of the map in odometry: the other way round
    assert transforms.planar('odom', 'map', seconds(100.5)).apply(5.0, 1.0) == pytest.approx(
        (4.5, 1.0)
    )


def test_the_latest_counts_as_long_as_it_is_recent(peer, transforms, source):
    def publish() -> None:
        source.send('map', 'odom', (2.0, 1.0), yaw=math.pi / 2.0, stamp_ns=seconds(100.0))

    hears(peer, transforms, publish, 'map', 'odom')
    for stamp in (99.6, 100.0, 100.4):
        found = transforms.planar('map', 'odom', seconds(stamp))
        assert found == pytest.approx((2.0, 1.0, math.pi / 2.0))
    with pytest.raises(TransformError, match=r'from odom to map is 0\.60 s older.*0\.5 s'):
        transforms.planar('map', 'odom', seconds(100.6))
    with pytest.raises(TransformError, match=r'is 0\.60 s newer than the scan'):
        transforms.planar('map', 'odom', seconds(99.4))


def test_what_is_static_never_grows_old(peer, transforms, source):
    hears(peer, transforms, lambda: source.send_static('map', 'odom', (3.0, 0.0)), 'map', 'odom')
    assert transforms.planar('map', 'odom', seconds(1e6)).x == 3.0


def test_what_hangs_on_the_base_is_on_the_robot_and_what_odometry_hangs_on_is_not(
    peer, transforms, source
):
    """The camera looks to the left, 0.1 m ahead, and turns ahead within a second."""

    def publish() -> None:
        source.send('map', 'odom', (5.0, 0.0), stamp_ns=seconds(100.0))
        source.send('odom', 'footprint', (1.0, 0.0), stamp_ns=seconds(100.0))
        source.send_static('footprint', 'base')
        source.send('base', 'camera', (0.1, 0.0), math.pi / 2.0, stamp_ns=seconds(100.0))
        source.send('base', 'camera', (0.1, 0.0), stamp_ns=seconds(101.0))
        source.send_static('map', 'dock', (9.0, 9.0))

    for frame in ('odom', 'dock'):
        hears(peer, transforms, publish, frame, 'camera')

    def to_base(frame: str, time: float = 100.0) -> Transform | None:
        return transforms.to_base(frame, 'base', 'odom', seconds(time))

    assert to_base('base') == (0.0, 0.0, 0.0)
    assert to_base('footprint') == pytest.approx((0.0, 0.0, 0.0))
    assert to_base('camera') == pytest.approx((0.1, 0.0, math.pi / 2.0))
    peer.until(lambda: to_base('camera', 101.0) == pytest.approx((0.1, 0.0, 0.0)), repeat=publish)
    for frame in ('odom', 'map', 'dock', 'nowhere'):
        assert to_base(frame) is None
    with pytest.raises(TransformError, match='from camera to base'):
        to_base('camera', 105.0)


def test_frames_that_hang_on_each_other_are_on_no_robot(peer, transforms, source):
    def publish() -> None:
        source.send_static('one', 'other')
        source.send_static('other', 'one')
        source.send_static('odom', 'base')

    hears(peer, transforms, publish, 'odom', 'base')
    for frame in ('one', 'other'):
        assert transforms.to_base(frame, 'base', 'odom', 0) is None


def test_a_chain_is_followed_through_frames_between(peer, transforms, source):
    """The lidar is 0.1 m ahead of a plate that is turned by half a turn and 0.2 m ahead."""

    def publish() -> None:
        source.send_static('base_link', 'plate', (0.2, 0.0), yaw=math.pi)
        source.send_static('plate', 'scan', (0.1, 0.0))

    hears(peer, transforms, publish, 'base_link', 'scan')
    translation, rotation = transforms.fixed('base_link', 'scan')
    assert translation == pytest.approx((0.1, 0.0, 0.0))
    assert [abs(part) for part in rotation] == pytest.approx([0.0, 0.0, 1.0, 0.0], abs=1e-9)


@pytest.mark.parametrize('frame', ['nowhere', '', '/map'])
def test_what_tf_does_not_know_is_said_with_both_frames(peer, transforms, source, frame):
    hears(peer, transforms, lambda: source.send_static('map', 'odom'), 'map', 'odom')
    with pytest.raises(TransformError, match=f'no transform from {frame} to odom: '):
        transforms.planar('odom', frame, seconds(100.0))


def test_trees_that_do_not_meet(peer, transforms, source):
    def publish() -> None:
        source.send_static('map', 'odom')
        source.send_static('other_map', 'other_odom')

    hears(peer, transforms, publish, 'map', 'odom')
    hears(peer, transforms, publish, 'other_map', 'other_odom')
    with pytest.raises(TransformError, match=r'from other_map to odom: .*unconnected'):
        transforms.planar('odom', 'other_map', seconds(100.0))


def test_what_was_heard_before_time_began_anew_is_forgotten(peer, transforms, source):
    hears(
        peer, transforms, lambda: source.send('map', 'odom', stamp_ns=seconds(9.0)), 'map', 'odom'
    )
    transforms.forget()
    with pytest.raises(TransformError):
        transforms.fixed('map', 'odom')


def test_nobody_listens_before_something_is_asked_for_nor_after(peer, transforms):
    def listeners() -> int:
        return int(peer.node.count_subscribers('/tf'))

    assert listeners() == 0
    transforms.forget()
    transforms.listen()
    peer.until(lambda: listeners() == 1)
    transforms.close()
    peer.until(lambda: listeners() == 0)


def test_without_tf2_ros_it_says_what_to_install(peer, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tf2_ros', None)  # as if it were not there
    monkeypatch.setenv('ROS_DISTRO', 'humble')
    with pytest.raises(NoTransformsError, match='apt install ros-humble-tf2-ros-py'):
        Transforms(peer.node, 0.5).planar('odom', 'map', 0)


def test_the_stand_in_answers_with_the_frames_asked_for(peer, transforms, source):
    hears(peer, transforms, lambda: source.send_static('map', 'odom'), 'map', 'odom')
    message: TransformStamped = transforms._buffer.lookup_transform(
        'map', 'odom', peer.node.get_clock().now()
    )
    assert (message.header.frame_id, message.child_frame_id) == ('map', 'odom')
