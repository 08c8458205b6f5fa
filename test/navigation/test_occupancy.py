from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.navigation.occupancy import MapError, OccupancyMap

CELLS = np.array([[0, 100, -1], [64, 65, 0]], np.int8)


def test_what_is_occupied_and_what_unknown() -> None:
    area = OccupancyMap(CELLS, 0.5)
    assert area.occupied.tolist() == [[False, True, False], [False, True, False]]
    assert area.unknown.tolist() == [[False, False, True], [False, False, False]]


def test_cells_of_places() -> None:
    area = OccupancyMap(CELLS, 0.5, (10.0, 20.0, 0.0))
    places = np.array([[10.1, 20.1], [11.4, 20.6], [9.9, 20.1], [11.6, 20.1], [10.1, 21.1]])
    cells, inside = area.cells_at(places)
    assert cells[inside].tolist() == [[0, 0], [1, 2]]
    assert inside.tolist() == [True, True, False, False, False]


def test_a_map_that_lies_on_its_side() -> None:
    """Turned left by a right angle, columns lead along y and rows along -x."""
    area = OccupancyMap(CELLS, 0.5, (1.0, 0.0, math.pi / 2.0))
    np.testing.assert_allclose(
        area.points(np.array([[0, 2], [1, 0]])), [[0.75, 1.25], [0.25, 0.25]]
    )


@given(st.floats(-9.0, 9.0), st.floats(-9.0, 9.0), st.floats(-4.0, 4.0), st.floats(0.01, 2.0))
def test_the_middle_of_a_cell_is_in_it(x: float, y: float, yaw: float, resolution: float) -> None:
    area = OccupancyMap(CELLS, resolution, (x, y, yaw))
    every = np.argwhere(np.ones_like(CELLS))
    cells, inside = area.cells_at(area.points(every))
    assert inside.all()
    np.testing.assert_array_equal(cells, every)


def test_far_places_are_off_the_map() -> None:
    _, inside = OccupancyMap(CELLS, 0.05).cells_at(np.array([[1e30, 0.0], [0.0, -1e30]]))
    assert not inside.any()


@pytest.mark.parametrize(
    ('cells', 'resolution', 'origin', 'message'),
    [
        (np.empty((0, 3), np.int8), 0.1, (0.0, 0.0, 0.0), r'must have 1 to \d+ cells'),
        (CELLS, 0.0, (0.0, 0.0, 0.0), 'resolution of a map must be 0.001 to 10 m, got 0'),
        (CELLS, math.nan, (0.0, 0.0, 0.0), 'resolution of a map must be 0.001 to 10 m, got nan'),
        (CELLS, 1e-6, (0.0, 0.0, 0.0), 'resolution of a map must be 0.001 to 10 m, got 1e-06'),
        (CELLS, 1e20, (0.0, 0.0, 0.0), 'resolution of a map must be 0.001 to 10 m, got 1e'),
        (CELLS, 0.1, (0.0, math.inf, 0.0), 'origin of a map must be finite'),
    ],
)
def test_bad_maps_are_refused(
    cells: np.ndarray, resolution: float, origin: tuple[float, float, float], message: str
) -> None:
    with pytest.raises(MapError, match=message):
        OccupancyMap(cells, resolution, origin)
