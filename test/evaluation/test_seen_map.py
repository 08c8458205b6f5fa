from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_planner.evaluation.seen_map import FREE, OCCUPIED, UNKNOWN, Floats, SeenMap
from rl_planner.navigation.config import LidarConfig
from rl_planner.navigation.observation import ScanGeometry

AHEAD = ScanGeometry(1, 0.0, 0.01, range_min=0.12, range_max=2.0)  # one beam
AROUND = ScanGeometry.of(LidarConfig(num_beams=36, range_min=0.12))
FIRST = np.zeros(1, np.int64)
MIDDLE = (0.05, 0.05, 0.0)  # of cell 0, 0


def see(
    *readings: float,
    seen: SeenMap | None = None,
    pose: tuple[float, float, float] = MIDDLE,
    scan: ScanGeometry = AHEAD,
) -> SeenMap:
    """One robot's map, with a scan of these readings added."""
    seen = seen or SeenMap(scan, 1, 0.1, 8.0)
    seen.update(FIRST, np.array([pose]), np.array([readings], np.float32))
    return seen


def cell(seen: SeenMap, x: float, y: float) -> int:
    row, column = seen.cells_of(FIRST, np.array([[x, y]]))[0]
    return int(seen.grids[0, row, column])


def occupied(seen: SeenMap, robot: int = 0) -> set[tuple[int, int]]:
    """(x, y) of the occupied cells, in cells of the frame."""
    rows, columns = np.nonzero(seen.grids[robot] > FREE)
    x, y = seen.corners[robot]
    return set(zip((columns + x).tolist(), (rows + y).tolist(), strict=True))


def test_a_beam_frees_what_it_passes_and_its_return_occupies() -> None:
    seen = see(1.0)
    assert [cell(seen, 0.05 + 0.1 * k, 0.05) for k in range(10)] == [FREE] * 10
    assert occupied(seen) == {(10, 0)}
    assert cell(seen, 1.15, 0.05) == UNKNOWN
    assert np.count_nonzero(seen.grids != UNKNOWN) == 11


def test_a_clear_beam_frees_as_far_as_the_lidar_sees() -> None:
    seen = see(math.inf)
    assert occupied(seen) == set()
    assert cell(seen, 1.95, 0.05) == FREE
    assert cell(seen, 2.15, 0.05) == UNKNOWN


@pytest.mark.parametrize('reading', [math.nan, 0.0, 0.01, 99.0])
def test_what_is_no_measurement_says_nothing(reading: float) -> None:
    assert (see(reading).grids == UNKNOWN).all()


def test_something_too_close_to_measure_is_at_the_least_range() -> None:
    """0.05 + 0.12 m is in cell 1."""
    assert occupied(see(-math.inf)) == {(1, 0)}


def test_the_map_knows_where_robot_and_lidar_are() -> None:
    """A robot that looks along y, its lidar 0.2 m ahead of it and looking to its right: along x."""
    scan = ScanGeometry(
        1, 0.0, 0.01, range_min=0.1, range_max=2.0, mount_x=0.2, mount_yaw=-math.pi / 2.0
    )
    seen = see(0.5, pose=(1.05, -2.05, math.pi / 2.0), scan=scan)
    assert occupied(seen) == {(15, -19)}
    assert cell(seen, 1.25, -1.85) == FREE
    assert cell(seen, 1.05, -2.05) == UNKNOWN


def test_what_has_moved_on_is_freed_by_the_beams_that_pass() -> None:
    seen = see(1.0)
    for _ in range(int(OCCUPIED) - 1):
        see(math.inf, seen=seen)
    assert occupied(seen) == {(10, 0)}
    see(math.inf, seen=seen)
    assert occupied(seen) == set()
    assert cell(seen, 1.05, 0.05) == FREE


def test_what_is_seen_again_stays() -> None:
    seen = see(1.0)
    for _ in range(20):
        see(1.5, seen=seen)
        see(1.0, seen=seen)
    assert (10, 0) in occupied(seen)


def test_the_map_moves_along_and_forgets_what_is_far_behind() -> None:
    """A grid of 8 m moves when its robot is more than 2 m off its middle."""
    seen = see(1.0)
    corner = seen.corners[0].copy()
    see(math.nan, seen=seen, pose=(1.95, 0.05, 0.0))
    np.testing.assert_array_equal(seen.corners[0], corner)
    see(math.nan, seen=seen, pose=(3.05, -2.95, 0.0))
    np.testing.assert_array_equal(seen.corners[0] - corner, [30, -30])
    assert occupied(seen) == {(10, 0)}
    see(math.nan, seen=seen, pose=(100.0, 0.0, 0.0))
    assert occupied(seen) == set()


@given(
    st.lists(st.floats(0.2, 3.4), min_size=36, max_size=36),
    st.floats(-3.0, 3.0),
    st.integers(0, 35),
)
@settings(max_examples=50, deadline=None)
def test_the_occupied_cells_are_those_of_the_returns(
    readings: list[float], yaw: float, beam: int
) -> None:
    """And none of them is left on a beam's way after as many beams as it takes."""
    x, y = 0.033, 0.047
    seen = see(*readings, pose=(x, y, yaw), scan=AROUND)
    angles = yaw + AROUND.beam_angles()
    ranges = np.array(readings, np.float32).astype(np.float64)
    hits = np.stack([x + ranges * np.cos(angles), y + ranges * np.sin(angles)], axis=-1)
    assert occupied(seen) == set(map(tuple, np.floor(hits / 0.1).astype(int).tolist()))
    one = np.full(36, math.nan)
    one[beam] = math.inf
    for _ in range(int(OCCUPIED)):
        see(*one, seen=seen, pose=(x, y, yaw))
    along = np.arange(0.0, AROUND.range_max - 0.01, 0.01)[:, None]
    passed = ([x, y] + along * [np.cos(angles[beam]), np.sin(angles[beam])]) / 0.1
    inside = np.abs(passed - np.round(passed)).min(axis=1) > 1e-6  # on a border it is in neither
    assert not set(map(tuple, np.floor(passed[inside]).astype(int).tolist())) & occupied(seen)


def random_scans(count: int) -> tuple[Floats, np.ndarray]:
    rng = np.random.default_rng(5)
    poses = rng.uniform(-1.0, 1.0, (count, 3))
    return poses, rng.uniform(0.1, 3.5, (count, 36)).astype(np.float32)


def test_each_robot_has_a_map_of_its_own() -> None:
    poses, ranges = random_scans(4)
    together = SeenMap(AROUND, 6, 0.1, 8.0)
    robots = np.array([0, 2, 3, 5])
    together.update(robots, poses, ranges)
    for row, robot in enumerate(robots):
        alone = SeenMap(AROUND, 1, 0.1, 8.0)
        alone.update(FIRST, poses[[row]], ranges[[row]])
        np.testing.assert_array_equal(together.grids[robot], alone.grids[0])
    assert (together.grids[[1, 4]] == UNKNOWN).all()


def points_of(seen: SeenMap, reading: float, pose: tuple[float, float, float]) -> Floats:
    ranges = np.array([[reading]], np.float32)
    points, counts = seen.obstacle_points(FIRST, np.array([pose]), ranges, 1.5, 0.5)
    return points[0, : counts[0]]


def test_obstacles_are_where_the_scan_shows_them_now() -> None:
    seen = see(1.02)
    np.testing.assert_allclose(points_of(seen, 1.02, MIDDLE), [[1.02, 0.0]], atol=1e-6)
    assert len(points_of(seen, 1.6, MIDDLE)) == 0
    assert len(points_of(seen, math.nan, MIDDLE)) == 0


def test_obstacles_that_no_beam_looks_at_are_remembered() -> None:
    """Past the return in cell 10, 0, and turned about: 0.3 m behind, as long as it is near."""
    seen = see(1.0)
    np.testing.assert_allclose(points_of(seen, 9.0, (1.35, 0.05, 0.0)), [[-0.3, 0.0]], atol=1e-9)
    np.testing.assert_allclose(
        points_of(seen, 9.0, (0.75, 0.05, 3.0)), [[0.3 * math.cos(3.0), -0.3 * math.sin(3.0)]]
    )
    assert len(points_of(seen, 9.0, (1.75, 0.05, 0.0))) == 0
    assert len(points_of(seen, 9.0, (0.75, 0.05, 0.0))) == 0  # a beam looks there, and sees nothing
