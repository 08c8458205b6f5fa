"""The planar world: edges, bounds and moving discs, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.simulation.world import World, WorldError, box_edges, mover_positions

NAN = float('nan')


def test_edges_of_a_box_run_counter_clockwise() -> None:
    edges = box_edges(np.array([[1.0, 2.0, 0.0, 4.0, 2.0]]))
    expected = [[3, 1, 3, 3], [3, 3, -1, 3], [-1, 3, -1, 1], [-1, 1, 3, 1]]
    np.testing.assert_allclose(edges, expected)


def test_edges_of_a_turned_box() -> None:
    # a quarter turn: the long side now lies along y
    edges = box_edges(np.array([[0.0, 0.0, np.pi / 2, 4.0, 2.0]]))
    expected = [[1, 2, -1, 2], [-1, 2, -1, -2], [-1, -2, 1, -2], [1, -2, 1, 2]]
    np.testing.assert_allclose(edges, expected, atol=1e-12)


@given(
    x=st.floats(-10, 10),
    y=st.floats(-10, 10),
    yaw=st.floats(-10, 10),
    length=st.floats(0.01, 10),
    width=st.floats(0.01, 10),
)
def test_the_solid_is_on_the_left_of_every_edge(
    x: float, y: float, yaw: float, length: float, width: float
) -> None:
    edges = box_edges(np.array([[x, y, yaw, length, width]]))
    along, to_centre = edges[:, 2:] - edges[:, :2], np.array([x, y]) - edges[:, :2]
    left = along[:, 0] * to_centre[:, 1] - along[:, 1] * to_centre[:, 0]
    assert (left > 0.0).all()
    np.testing.assert_allclose(left.sum() / 2.0, length * width, rtol=1e-6)  # four triangles


def test_segments_are_box_edges_then_walls() -> None:
    world = World(boxes=np.array([[0, 0, 0, 2, 2]]), walls=np.array([[5, 6, 7, 8]]))
    assert world.segments.shape == (5, 4)
    np.testing.assert_array_equal(world.segments[4], [5, 6, 7, 8])


def test_bounds_hold_everything_that_stands_or_moves() -> None:
    world = World(
        boxes=np.array([[0, 0, 0, 2, 4]]),  # x -1 .. 1, y -2 .. 2
        circles=np.array([[3, 0, 0.5]]),  # x up to 3.5
        walls=np.array([[0, 0, 0, -7]]),  # y down to -7
        movers=np.array([[0, 0, -4, 3, 0.25, 1, 0]]),  # x down to -4.25, y up to 3.25
    )
    assert world.bounds == (-4.25, -7.0, 3.5, 3.25)


def test_an_empty_world_has_empty_bounds() -> None:
    assert World().bounds == (0.0, 0.0, 0.0, 0.0)
    assert World().segments.shape == (0, 4)


@pytest.mark.parametrize(
    ('time', 'position'),
    [(0, (0, 0)), (2, (1, 0)), (8, (4, 0)), (10, (3, 0)), (16, (0, 0)), (17, (0.5, 0))],
)
def test_a_mover_goes_back_and_forth(time: float, position: tuple[float, float]) -> None:
    movers = np.array([[0, 0, 4, 0, 0.2, 0.5, 0]])  # 4 m at 0.5 m/s: 8 s out, 8 s back
    np.testing.assert_allclose(mover_positions(movers, time), [position], atol=1e-12)


def test_a_mover_starts_where_its_offset_says() -> None:
    # 5 m along (3, 4); 2.5 m gone is half way out, 7.5 m gone is half way back
    movers = np.array([[1, 1, 4, 5, 0.2, 1, 2.5], [1, 1, 4, 5, 0.2, 1, 7.5]])
    np.testing.assert_allclose(mover_positions(movers, 0.0), [[2.5, 3], [2.5, 3]])
    np.testing.assert_allclose(mover_positions(movers, 1.0), [[3.1, 3.8], [1.9, 2.2]])


def test_a_mover_without_a_way_stays() -> None:
    movers = np.array([[1, 2, 1, 2, 0.2, 1, 0]])
    np.testing.assert_allclose(mover_positions(movers, 7.3), [[1, 2]])


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        ({'boxes': [[0, 0, NAN, 1, 1]]}, 'cave: boxes must be finite'),
        ({'circles': [[0, float('inf'), 1]]}, 'cave: circles must be finite'),
        ({'walls': [[0, 0, 0, NAN]]}, 'cave: walls must be finite'),
        ({'boxes': [[0, 0, 0, 1, 0]]}, 'must be above 0'),
        ({'circles': [[0, 0, -1]]}, 'must be above 0'),
        ({'movers': [[0, 0, 1, 1, 0, 1, 0]]}, 'must be above 0'),
    ],
)
def test_rows_that_are_no_obstacle(rows: dict[str, list[list[float]]], message: str) -> None:
    with pytest.raises(WorldError, match=message):
        World(name='cave', **{name: np.array(values) for name, values in rows.items()})
