"""Ray casting and clearances against an independent tracer in double precision, beam by beam."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import LidarConfig
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.beams import Beams
from rl_planner.simulation.clearance import Shape, measure, move
from rl_planner.simulation.compiled import F32
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.raycast import sense
from rl_planner.simulation.world import FloatArray, World, mover_positions

INF = float('inf')
TOLERANCE = 5e-4  # of a range (m): single precision, and walls seen at a grazing angle
WOBBLE = 1e-4  # of a beam (rad): at an obstacle's edge a beam may hit it or pass it


def scan_world(
    world: World, pose: tuple[float, float, float], scan: ScanGeometry, time: float = 0.0
) -> tuple[NDArray[np.float32], float]:
    """Ranges (num_beams,) of one robot in one world, and the clearance of its centre."""
    ranges, clearances = np.zeros((1, scan.num_beams), np.float32), np.zeros(1)
    rows = np.zeros(1, np.int64)
    obstacles, beams = pack_worlds([world]), Beams.of(scan)
    moving = np.zeros((1, obstacles.movers.shape[2], 3), np.float32)
    move(rows, np.array([time]), rows, obstacles, moving)
    scene = (np.array([pose]), rows, obstacles, moving)
    sense(rows, *scene, beams, ranges)
    measure(rows, *scene, Shape(F32(0.0), F32(0.0), F32(0.0)), clearances)
    return ranges[0], float(clearances[0])


def discs(world: World, time: float) -> FloatArray:
    moving = np.column_stack([mover_positions(world.movers, time), world.movers[:, 4]])
    return np.concatenate([world.circles, moving])


def trace(world: World, time: float, x: float, y: float, angle: float) -> float:
    """Distance from (x, y) to what a ray meets first, by solving for each obstacle in turn."""
    direction = np.array([math.cos(angle), math.sin(angle)])
    hits = [INF]
    for x0, y0, x1, y1 in world.segments:
        start, along = np.array([x0 - x, y0 - y]), np.array([x1 - x0, y1 - y0])
        matrix = np.column_stack([direction, -along])
        front = along[0] * start[1] - along[1] * start[0] > 0.0  # the origin is on the right
        if front and abs(np.linalg.det(matrix)) > 1e-12:
            distance, share = np.linalg.solve(matrix, start)
            if distance > 0.0 and 0.0 <= share <= 1.0:
                hits.append(float(distance))
    for centre_x, centre_y, radius in discs(world, time):
        centre = np.array([centre_x - x, centre_y - y])
        half, rest = float(direction @ centre), float(centre @ centre) - radius**2
        if rest < 0.0:
            hits.append(0.0)  # inside
        elif half > 0.0 and half * half >= rest:  # t^2 - 2 half t + rest = 0
            hits.append(half - math.sqrt(half * half - rest))
    return min(hits)


def segment_distances(world: World, x: float, y: float) -> FloatArray:
    starts, ends = world.segments[:, :2], world.segments[:, 2:]
    shares = np.linspace(0.0, 1.0, 2001)[:, None, None]
    points = starts + shares * (ends - starts)
    return np.hypot(points[..., 0] - x, points[..., 1] - y).min(axis=0)


def check_reading(reading: float, low: float, high: float, scan: ScanGeometry) -> None:
    """`reading` must be right for some distance in [low, high], give or take the tolerance."""
    if reading == INF:
        assert high >= scan.range_max - TOLERANCE
    elif reading == -INF:
        assert low <= scan.range_min + TOLERANCE
    else:
        assert scan.range_min <= reading <= scan.range_max * (1.0 + 1e-6)
        assert low - TOLERANCE <= reading <= high + TOLERANCE


PLACE = st.floats(-4.0, 4.0)
TURN = st.floats(-3.2, 3.2)
BOXES = st.lists(st.tuples(PLACE, PLACE, TURN, st.floats(0.05, 3.0), st.floats(0.05, 3.0)))
CIRCLES = st.lists(st.tuples(PLACE, PLACE, st.floats(0.05, 1.0)))
MOVERS = st.lists(
    st.tuples(
        PLACE, PLACE, PLACE, PLACE, st.floats(0.1, 0.5), st.floats(0.0, 1.0), st.floats(0.0, 9.0)
    ),
    max_size=3,
)
WORLDS = st.builds(
    lambda boxes, circles, movers: World(
        boxes=np.array(boxes), circles=np.array(circles), movers=np.array(movers)
    ),
    BOXES,
    CIRCLES,
    MOVERS,
)
SCANS = st.builds(
    ScanGeometry,
    num_beams=st.integers(1, 24),
    angle_min=st.floats(-3.5, 3.5),
    angle_increment=st.floats(0.01, 0.5) | st.floats(-0.5, -0.01),
    range_min=st.sampled_from([0.0, 0.1]),
    range_max=st.sampled_from([2.0, 5.0, 20.0]),
    mount_x=st.floats(-0.3, 0.3),
    mount_y=st.floats(-0.3, 0.3),
    mount_yaw=TURN,
    mount_inverted=st.booleans(),
)


@settings(deadline=None)
@given(world=WORLDS, x=PLACE, y=PLACE, yaw=TURN, time=st.floats(0.0, 50.0), scan=SCANS)
def test_scans_of_random_worlds(
    world: World, x: float, y: float, yaw: float, time: float, scan: ScanGeometry
) -> None:
    lidar_x = x + math.cos(yaw) * scan.mount_x - math.sin(yaw) * scan.mount_y
    lidar_y = y + math.sin(yaw) * scan.mount_x + math.cos(yaw) * scan.mount_y
    # on a surface, single precision may see it from either side
    assume((segment_distances(world, lidar_x, lidar_y) > 1e-2).all())
    centres = discs(world, time)
    off = np.hypot(centres[:, 0] - lidar_x, centres[:, 1] - lidar_y) - centres[:, 2]
    assume((np.abs(off) > 1e-2).all())
    ranges, _ = scan_world(world, (x, y, yaw), scan, time)
    turn = -1.0 if scan.mount_inverted else 1.0
    for beam, reading in enumerate(ranges.tolist()):
        angle = scan.angle_min + beam * scan.angle_increment
        angle = yaw + scan.mount_yaw + turn * angle
        near = [
            trace(world, time, lidar_x, lidar_y, angle + shift) for shift in (-WOBBLE, 0.0, WOBBLE)
        ]
        check_reading(reading, min(near), max(near), scan)


def disc_distances(
    centres: FloatArray, x: float, y: float, angles: NDArray[np.float64]
) -> FloatArray:
    """(num_beams,) to the nearest disc (x, y, radius), for rays from outside all of them."""
    dx, dy = centres[:, 0, None] - x, centres[:, 1, None] - y
    half = dx * np.cos(angles) + dy * np.sin(angles)
    rest = dx * dx + dy * dy - centres[:, 2, None] ** 2
    hit = (half > 0.0) & (half * half >= rest)  # t^2 - 2 half t + rest = 0
    distances = half - np.sqrt(np.maximum(half * half - rest, 0.0))
    return np.asarray(np.where(hit, distances, INF).min(axis=0, initial=INF))


@settings(deadline=None)
@given(
    seed=st.integers(0, 10000),
    scan=st.builds(
        ScanGeometry,
        num_beams=st.integers(65, 800),
        angle_min=st.floats(-3.5, 3.5),
        angle_increment=st.sampled_from([math.radians(1.0), math.radians(-0.5)])
        | st.floats(0.002, 0.1)
        | st.floats(-0.1, -0.002),
        range_min=st.just(0.1),
        range_max=st.sampled_from([2.0, 8.0]),
        mount_yaw=TURN,
        mount_inverted=st.booleans(),
    ),
)
def test_many_beams_meet_the_discs_that_are_there(seed: int, scan: ScanGeometry) -> None:
    """Discs are cast on the beams that meet them only, wherever the scan begins and ends."""
    rng = np.random.default_rng(seed)
    pose = (0.3, -0.2, rng.uniform(-7.0, 7.0))
    bearings, far = rng.uniform(-np.pi, np.pi, 40), rng.uniform(0.3, 9.0, 40)
    radii = np.minimum(rng.uniform(0.02, 1.5, 40), 0.9 * far)
    places = np.array(pose[:2]) + far[:, None] * np.stack([np.cos(bearings), np.sin(bearings)], 1)
    circles = np.column_stack([places, radii])
    still = np.column_stack([circles[:7, :2], circles[:7, :2], radii[:7], np.zeros((7, 2))])
    world = World(circles=circles[7:], movers=still)
    ranges, _ = scan_world(world, pose, scan)
    angles = pose[2] + scan.beam_angles()
    near = np.stack(
        [disc_distances(circles, *pose[:2], angles + shift) for shift in (-WOBBLE, 0.0, WOBBLE)]
    )
    for reading, low, high in zip(ranges.tolist(), near.min(axis=0), near.max(axis=0), strict=True):
        check_reading(reading, low, high, scan)


@settings(deadline=None)
@given(world=WORLDS, x=PLACE, y=PLACE, time=st.floats(0.0, 50.0))
def test_clearances_of_random_worlds(world: World, x: float, y: float, time: float) -> None:
    assume(len(world.segments) or len(discs(world, time)))
    centres = discs(world, time)
    to_discs = np.hypot(centres[:, 0] - x, centres[:, 1] - y) - centres[:, 2]
    expected = np.concatenate([segment_distances(world, x, y), to_discs]).min()
    _, clearance = scan_world(world, (x, y, 0.0), ScanGeometry(1, 0.0, 1.0, 0.1, 3.0), time)
    assert clearance == pytest.approx(expected, abs=1e-4)


FOUR = ScanGeometry(4, 0.0, math.pi / 2.0, 0.1, 3.0)  # ahead, left, behind, right


def box_around(x: float, y: float) -> World:
    return World(boxes=np.array([[x, y, 0.0, 1.0, 1.0]]))


@pytest.mark.parametrize(
    ('x', 'reading'),
    [
        (2.0, 1.5),  # its face is half a metre nearer than its centre
        (3.49, 2.99),
        (3.51, INF),  # beyond range_max
        (0.61, 0.11),
        (0.59, -INF),  # nearer than range_min
    ],
)
def test_a_box_ahead(x: float, reading: float) -> None:
    ranges, clearance = scan_world(box_around(x, 0.0), (0.0, 0.0, 0.0), FOUR)
    np.testing.assert_allclose(ranges, [reading, INF, INF, INF], rtol=1e-5)
    assert clearance == pytest.approx(x - 0.5, rel=1e-5)


def test_the_robot_turns_the_lidar() -> None:
    ranges, _ = scan_world(box_around(0.0, 2.0), (0.0, 0.0, math.pi / 2.0), FOUR)
    np.testing.assert_allclose(ranges, [1.5, INF, INF, INF], rtol=1e-5)
    ranges, _ = scan_world(box_around(0.0, 2.0), (0.0, 0.0, math.pi), FOUR)
    np.testing.assert_allclose(ranges, [INF, INF, INF, 1.5], rtol=1e-5)


def test_the_mounting_moves_and_turns_it_too() -> None:
    # on a robot that looks along y, the lidar is 0.5 m ahead of the base and looks to its left
    scan = replace(FOUR, mount_x=0.5, mount_yaw=math.pi / 2.0)
    ranges, clearance = scan_world(box_around(-2.0, 0.5), (0.0, 0.0, math.pi / 2.0), scan)
    np.testing.assert_allclose(ranges, [1.5, INF, INF, INF], rtol=1e-5)
    assert clearance == pytest.approx(1.5, rel=1e-5)


def test_upside_down_left_is_right() -> None:
    scan = replace(FOUR, mount_inverted=True)
    ranges, _ = scan_world(box_around(0.0, 2.0), (0.0, 0.0, 0.0), scan)
    np.testing.assert_allclose(ranges, [INF, INF, INF, 1.5], rtol=1e-5)


def test_a_pillar_is_round() -> None:
    world = World(circles=np.array([[2.0, 0.0, 0.5]]))
    scan = ScanGeometry(3, -0.2, 0.2, 0.1, 3.0)
    slanted = 2.0 * math.cos(0.2) - math.sqrt(0.25 - (2.0 * math.sin(0.2)) ** 2)
    ranges, clearance = scan_world(world, (0.0, 0.0, 0.0), scan)
    np.testing.assert_allclose(ranges, [slanted, 1.5, slanted], rtol=1e-5)
    assert clearance == pytest.approx(1.5)


def test_the_nearest_of_several_counts() -> None:
    world = World(boxes=np.array([[2.0, 0.0, 0.0, 1.0, 1.0]]), circles=np.array([[1.0, 0.0, 0.25]]))
    ranges, clearance = scan_world(world, (0.0, 0.0, 0.0), FOUR)
    assert ranges[0] == pytest.approx(0.75)
    assert clearance == pytest.approx(0.75)


def test_a_mover_is_where_its_time_puts_it() -> None:
    # from x = 1 to x = 2 and back at 0.5 m/s
    world = World(movers=np.array([[1.0, 0.0, 2.0, 0.0, 0.25, 0.5, 0.0]]))
    for time, place in ((0.0, 1.0), (1.0, 1.5), (2.0, 2.0), (3.0, 1.5), (4.0, 1.0)):
        ranges, clearance = scan_world(world, (0.0, 0.0, 0.0), FOUR, time)
        assert ranges[0] == pytest.approx(place - 0.25)
        assert clearance == pytest.approx(place - 0.25)


def test_a_wall_is_seen_from_its_right_only() -> None:
    world = World(walls=np.array([[1.0, 1.0, 1.0, -1.0]]))  # down: its right is towards x = 0
    assert scan_world(world, (0.0, 0.0, 0.0), FOUR)[0][0] == pytest.approx(1.0)
    assert scan_world(world, (2.0, 0.0, 0.0), FOUR)[0][2] == INF
    assert scan_world(world, (2.0, 0.0, 0.0), FOUR)[1] == pytest.approx(1.0)


def test_inside_a_disc_everything_is_too_close() -> None:
    world = World(circles=np.array([[0.0, 0.0, 1.0]]))
    ranges, clearance = scan_world(world, (0.2, 0.0, 0.0), FOUR)
    assert (ranges == -INF).all()
    assert clearance == pytest.approx(-0.8)


def test_an_empty_world_is_clear() -> None:
    ranges, clearance = scan_world(World(), (0.0, 0.0, 0.0), FOUR)
    assert (ranges == INF).all()
    assert clearance > 1e5


@pytest.mark.parametrize('num_beams', [1, 7, 8, 9, 36, 3600])
def test_no_beam_slips_through_the_corners_of_a_room(num_beams: int) -> None:
    room = World(
        boxes=np.array(
            [[3, 0, 0, 1, 8], [-3, 0, 0, 1, 8], [0, 3, 0, 8, 1], [0, -3, 0, 8, 1]], np.float64
        ),
        walls=np.array([[1, 0, 0, 1], [0, 1, -1, 0], [-1, 0, 0, -1], [0, -1, 1, 0]], np.float64),
    )
    scan = ScanGeometry.of(LidarConfig(num_beams=num_beams, range_max=10.0))
    rng = np.random.default_rng(0)
    for _ in range(50):
        pose = (*rng.uniform(1.1, 2.4, 2), rng.uniform(-math.pi, math.pi))
        ranges, _ = scan_world(room, pose, scan)
        assert np.isfinite(ranges).all()
    # at each corner exactly: a quarter turn apart, and on the diagonals
    for pose in ((1.5, 1.5, math.pi / 4.0), (2.0, 0.0, math.pi), (0.0, 1.75, -math.pi / 2.0)):
        assert np.isfinite(scan_world(room, pose, scan)[0]).all()


def test_only_the_rows_asked_for_are_written() -> None:
    worlds = pack_worlds([box_around(2.0, 0.0), box_around(3.0, 0.0)])
    ranges, clearances = np.full((3, 4), 9.0, np.float32), np.full(3, 9.0)
    rows, of_worlds = np.array([2, 0]), np.array([1, 0, 0])
    scene = (np.zeros((3, 3)), of_worlds, worlds, np.zeros((3, 1, 3), np.float32))
    sense(rows, *scene, Beams.of(FOUR), ranges)
    measure(rows, *scene, Shape(F32(0.0), F32(0.0), F32(0.0)), clearances)
    np.testing.assert_allclose(ranges[:, 0], [2.5, 9.0, 1.5], rtol=1e-5)
    np.testing.assert_allclose(clearances, [2.5, 9.0, 1.5], rtol=1e-5)
