"""An episode travels as markers: nothing is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from visualization_msgs.msg import Marker, MarkerArray

from rl_planner.ros.episode_message import decode_episode, encode_episode
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World, WorldError

NUMBER = st.floats(-100.0, 100.0)
SIZE = st.floats(0.01, 10.0)
ANGLE = st.floats(-3.1, 3.1)


def rows(*columns: st.SearchStrategy[float]) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.tuples(*columns), max_size=4).map(
        lambda found: np.array(found).reshape(-1, len(columns))
    )


WORLDS = st.builds(
    World,
    boxes=rows(NUMBER, NUMBER, ANGLE, SIZE, SIZE),
    circles=rows(NUMBER, NUMBER, SIZE),
    walls=rows(NUMBER, NUMBER, NUMBER, NUMBER),
    movers=rows(NUMBER, NUMBER, NUMBER, NUMBER, SIZE, SIZE, SIZE),
)


@given(WORLDS, st.tuples(NUMBER, NUMBER, ANGLE), st.tuples(NUMBER, NUMBER))
def test_round_trip(world: World, start: tuple, goal: tuple) -> None:
    data = serialize_message(encode_episode(Episode(world, start, goal), 'odom'))
    arrived = decode_episode(deserialize_message(data, MarkerArray))
    assert arrived.start == pytest.approx(start, abs=1e-9)
    assert arrived.goal == pytest.approx(goal)
    for name in ('boxes', 'circles', 'walls', 'movers'):
        np.testing.assert_allclose(getattr(arrived.world, name), getattr(world, name), atol=1e-9)


def test_rviz_can_show_it() -> None:
    world = World(boxes=np.ones((2, 5)), circles=np.ones((2, 3)), walls=np.ones((1, 4)))
    markers = encode_episode(Episode(world, (0.0, 0.0, 0.0), (1.0, 0.0)), 'odom').markers
    assert markers[0].action == Marker.DELETEALL
    assert {marker.header.frame_id for marker in markers} == {'odom'}
    shown = markers[1:]
    assert len({(marker.ns, marker.id) for marker in shown}) == len(shown)
    assert all(marker.color.a == 1.0 and marker.scale.x > 0.0 for marker in shown)


@pytest.mark.parametrize(
    ('change', 'rule'),
    [
        (lambda markers: markers.pop(1), 'one start and one goal'),
        (lambda markers: setattr(markers[2].pose.position, 'x', float('nan')), 'must be finite'),
        (lambda markers: setattr(markers[3].scale, 'x', 0.0), 'must be above 0'),
        (lambda markers: setattr(markers[4], 'text', 'fast'), 'two points and the text'),
    ],
)
def test_a_broken_episode_is_refused(change, rule: str) -> None:
    world = World(boxes=np.ones((1, 5)), movers=np.ones((1, 7)))
    message = encode_episode(Episode(world, (0.0, 0.0, 0.0), (1.0, 0.0)), 'odom')
    change(message.markers)
    with pytest.raises(WorldError, match=rule):
        decode_episode(message)
