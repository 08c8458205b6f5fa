"""Free space of worlds made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.world import World, WorldError

# 6 x 4 m of floor inside walls of 0.2 m, centred on the origin.
ARENA = [
    [0.0, 2.1, 0.0, 6.4, 0.2],
    [0.0, -2.1, 0.0, 6.4, 0.2],
    [3.1, 0.0, 0.0, 0.2, 4.0],
    [-3.1, 0.0, 0.0, 0.2, 4.0],
]


def arena(*boxes: list[float], circles: list[list[float]] | None = None) -> World:
    return World(boxes=np.array([*ARENA, *boxes]), circles=np.array(circles or []), name='hall')


def test_the_floor_but_for_the_margin_is_free() -> None:
    space = FreeSpace(arena(), 0.25, resolution=0.05)
    points = space.points(space.cells)
    np.testing.assert_allclose(points.min(axis=0), [-2.75, -1.75], atol=0.05)
    np.testing.assert_allclose(points.max(axis=0), [2.75, 1.75], atol=0.05)
    assert len(points) * 0.05**2 == pytest.approx(5.5 * 3.5, rel=0.03)


def test_what_a_wall_cuts_off_is_left_out() -> None:
    # a wall across the hall at x = 1: 4 m on its left are more than 2 m on its right
    space = FreeSpace(arena([1.0, 0.0, 0.0, 0.1, 4.0]), 0.25)
    points = space.points(space.cells)
    assert points[:, 0].max() <= 0.7
    assert points[:, 0].min() < -2.5


def test_a_gap_narrower_than_the_robot_is_a_wall() -> None:
    def room(gap: float) -> float:
        length = 4.0 - gap
        box = [1.0, -gap / 2.0, 0.0, 0.1, length]
        space = FreeSpace(arena(box), 0.2, resolution=0.05)
        return float(space.points(space.cells)[:, 0].max())

    assert room(0.3) < 1.0
    assert room(0.6) > 2.5


def test_outside_the_walls_is_nowhere_to_be() -> None:
    # a closet: there would be more space around it than in it
    closet = World(
        boxes=np.array(
            [
                [0.0, 0.55, 0, 1.2, 0.1],
                [0.0, -0.55, 0, 1.2, 0.1],
                [0.55, 0, 0, 0.1, 1.0],
                [-0.55, 0, 0, 0.1, 1.0],
            ]
        )
    )
    space = FreeSpace(closet, 0.2)
    assert np.abs(space.points(space.cells)).max() <= 0.3


def test_without_walls_the_robot_can_drive_around() -> None:
    two = World(boxes=np.array([[0.0, 0.0, 0.0, 2.0, 2.0], [0.0, 5.0, 0.0, 2.0, 2.0]]))
    space = FreeSpace(two, 0.2)
    # past two corners, 0.2 m away from the box: about 0.2 + 2.4 + 0.2 m
    length = space.path_length((0.0, 1.3), (0.0, -1.3))
    assert 1.2 + 2.4 + 1.2 - 0.3 < length < 1.2 + 2.6 + 1.2 + 0.1


@pytest.mark.parametrize(
    ('x', 'y', 'clearance'),
    [
        (0.0, 0.0, 2.0),
        (2.5, 0.0, 0.5),
        (2.7, 1.6, 0.3),
        (-2.0, -1.5, 0.5),
        (3.1, 0.0, -0.1),  # in the middle of a wall
        (0.0, 2.15, -0.05),
    ],
)
def test_clearance_in_an_empty_hall(x: float, y: float, clearance: float) -> None:
    assert FreeSpace(arena(), 0.2).clearance_at(x, y) == pytest.approx(clearance)


def test_clearance_from_a_box_and_a_pillar() -> None:
    world = arena([1.0, 0.0, math.pi / 4.0, 1.0, 1.0], circles=[[-1.0, 0.0, 0.5]])
    space = FreeSpace(world, 0.2)
    corner = 1.0 - math.sqrt(0.5)
    assert space.clearance_at(corner - 0.1, 0.0) == pytest.approx(0.1)
    assert space.clearance_at(1.0, 0.0) == pytest.approx(-0.5)
    assert space.clearance_at(-1.0, 0.7) == pytest.approx(0.2)
    assert space.clearance_at(-1.0, 0.1) == pytest.approx(-0.4)


def test_inside_one_box_is_inside_even_next_to_the_face_of_another() -> None:
    # the small box ends in the middle of the large one: its face looks into solid
    world = arena([0.0, 0.0, 0.0, 3.0, 3.0], [-1.0, 0.0, 0.0, 2.0, 0.5])
    space = FreeSpace(world, 0.2)
    assert space.clearance_at(0.3, 0.0) < 0.0
    points = space.points(space.cells)
    assert (np.abs(points).max(axis=1) > 1.6).all()


def test_where_boxes_touch_is_inside_too() -> None:
    space = FreeSpace(arena([0.0, 0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0, 1.0]), 0.2)
    for x in (0.45, 0.5 - 1e-9, 0.5 + 1e-9, 0.55):
        assert space.clearance_at(x, 0.1) <= 0.0


def test_the_two_sides_of_a_plane_hold_nothing() -> None:
    plane = World(
        boxes=np.array(ARENA), walls=np.array([[0.0, -1.0, 0.0, 1.0], [0.0, 1.0, 0.0, -1.0]])
    )
    space = FreeSpace(plane, 0.2)
    assert space.clearance_at(-0.3, 0.0) == pytest.approx(0.3)
    assert space.clearance_at(0.3, 0.0) == pytest.approx(0.3)


def test_a_polygon_of_walls_is_solid() -> None:
    triangle = np.array([[-1.0, -1.0], [1.0, -1.0], [0.0, 1.0]])
    walls = np.hstack([triangle, np.roll(triangle, -1, axis=0)])
    space = FreeSpace(World(boxes=np.array(ARENA), walls=walls), 0.1)
    assert space.clearance_at(0.0, -0.5) == pytest.approx(-0.5)
    assert space.clearance_at(0.0, -1.2) == pytest.approx(0.2)
    points = space.points(space.cells)
    inside = (points[:, 1] > -1.0) & (points[:, 1] < 1.0 - 2.0 * np.abs(points[:, 0]))
    assert not inside.any()


BOX = st.tuples(
    st.floats(-2.5, 2.5),
    st.floats(-1.5, 1.5),
    st.floats(-3.2, 3.2),
    st.floats(0.2, 2.0),
    st.floats(0.2, 2.0),
)
DISC = st.tuples(st.floats(-2.5, 2.5), st.floats(-1.5, 1.5), st.floats(0.1, 0.5))


@settings(deadline=None)
@given(st.lists(BOX, max_size=4), st.lists(DISC, max_size=4), st.integers(0, 1000))
def test_free_cells_are_clear_and_the_others_are_not(
    boxes: list[tuple[float, ...]], circles: list[tuple[float, ...]], seed: int
) -> None:
    world = World(boxes=np.array([*ARENA, *boxes]), circles=np.array(circles))
    try:
        space = FreeSpace(world, 0.2)
    except WorldError:
        return
    rng = np.random.default_rng(seed)
    for x, y in space.points(rng.choice(space.cells, 10)):
        offsets = np.array([x, y]) - world.boxes[:, :2]
        c, s = np.cos(world.boxes[:, 2]), np.sin(world.boxes[:, 2])
        local = np.stack(
            [c * offsets[:, 0] + s * offsets[:, 1], c * offsets[:, 1] - s * offsets[:, 0]]
        )
        beyond = np.maximum(np.abs(local) - world.boxes[:, 3:].T / 2.0, 0.0)
        assert np.hypot(*beyond).min() >= 0.2 - 1e-9
        to_discs = np.hypot(*(world.circles[:, :2] - [x, y]).T) - world.circles[:, 2]
        assert (to_discs >= 0.2 - 1e-9).all()
    free = set(space.cells.tolist())
    for cell in space.cells[:: max(len(space.cells) // 20, 1)].tolist():
        # a neighbour that is clear is of the same region
        x, y = space.points(np.array([cell + 1]))[0]
        assert (cell + 1 in free) == (space.clearance_at(x, y) >= 0.2)


def test_pairs_are_free_connected_and_apart() -> None:
    space = FreeSpace(arena([0.0, -0.5, 0.0, 0.2, 3.0]), 0.25)
    starts, goals = space.sample_pairs(np.random.default_rng(0), 200, 3.0)
    assert starts.shape == goals.shape == (200, 2)
    assert (np.hypot(*(goals - starts).T) >= 3.0).all()
    for start, goal in zip(starts[:20], goals[:20], strict=True):
        assert space.clearance_at(*start) >= 0.25 - 1e-9
        assert space.clearance_at(*goal) >= 0.25 - 1e-9
        assert space.path_length(tuple(start), tuple(goal)) >= 3.0


def test_pairs_too_far_apart_for_the_world() -> None:
    space = FreeSpace(arena(), 0.25)
    message = 'hall: start and goal must be 9 m apart, too little free space'
    with pytest.raises(WorldError, match=message):
        space.sample_pairs(np.random.default_rng(0), 4, 9.0)


def test_straight_ways() -> None:
    space = FreeSpace(arena(), 0.2, resolution=0.1)
    assert space.path_length((-2.0, 0.0), (2.0, 0.0)) == pytest.approx(4.0, abs=0.11)
    assert space.path_length((-1.0, -1.0), (1.0, 1.0)) == pytest.approx(math.sqrt(8.0), abs=0.15)
    assert space.path_length((0.0, 0.0), (0.0, 0.0)) == 0.0
    # along the grid's eight directions this would be 7 % longer
    oblique = math.hypot(5.0, 1.6)
    assert space.path_length((-2.5, -0.8), (2.5, 0.8)) == pytest.approx(oblique, rel=0.02)


def test_the_way_around_a_wall() -> None:
    # it ends at y = 1: a tangent to the margin around its corner at (-0.1, 1), an arc, and back
    space = FreeSpace(arena([0.0, -0.5, 0.0, 0.2, 3.0]), 0.2, resolution=0.02)
    to_corner = math.hypot(0.9, 1.0)
    tangent = math.sqrt(to_corner**2 - 0.2**2)
    arc = 0.2 * (math.atan2(1.0, 0.9) + math.asin(0.2 / to_corner))
    length = 2.0 * (tangent + arc) + 0.2
    assert 0.99 * length < space.path_length((-1.0, 0.0), (1.0, 0.0)) < 1.02 * length


def test_a_point_between_cells_still_counts() -> None:
    space = FreeSpace(arena(), 0.2)
    assert space.path_length((-2.79, 0.0), (2.79, 0.0)) == pytest.approx(5.6, abs=0.25)


@pytest.mark.parametrize(
    ('start', 'goal', 'message'),
    [
        ((0.0, 0.0), (3.1, 0.0), r'goal \(3.1, 0.0\) is inside an obstacle'),
        ((1.0, 0.0), (-2.0, 0.0), r'start \(1.0, 0.0\) is inside an obstacle'),
        ((2.95, 0.0), (2.0, 0.0), r'start \(2.95, 0.0\) must be 0.3 m clear of obstacles'),
        ((-2.0, 0.0), (2.0, 0.0), r'goal \(2.0, 0.0\) cannot be reached from \(-2.0, 0.0\)'),
        ((-2.0, 0.0), (9.0, 9.0), r'goal \(9.0, 9.0\) must be 0.3 m clear of obstacles'),
        ((-2.0, 0.0), (float('nan'), 0.0), r'goal must be finite, got \(nan, 0.0\)'),
        ((float('inf'), 0.0), (0.0, 0.0), r'start must be finite, got \(inf, 0.0\)'),
    ],
)
def test_ways_that_do_not_exist(
    start: tuple[float, float], goal: tuple[float, float], message: str
) -> None:
    space = FreeSpace(arena([1.0, 0.0, 0.0, 0.5, 4.0]), 0.3)
    with pytest.raises(WorldError, match=f'hall: {message}'):
        space.path_length(start, goal)


def test_a_world_without_room() -> None:
    with pytest.raises(WorldError, match='hall: no place is 2 m clear of obstacles'):
        FreeSpace(arena(), 2.0)


def test_an_empty_world_is_free_around_its_origin() -> None:
    space = FreeSpace(World(), 0.2)
    assert space.path_length((-4.0, 0.0), (4.0, 3.0)) == pytest.approx(math.hypot(8.0, 3.0), 0.01)
    starts, goals = space.sample_pairs(np.random.default_rng(0), 20, 3.0)
    assert np.abs([starts, goals]).max() <= 5.6


def test_places_beyond_all_obstacles_belong_to_the_grid() -> None:
    world = World(boxes=np.array([[0.0, 0.0, 0.0, 1.0, 1.0]]))
    with pytest.raises(WorldError, match=r'no place is 0\.2 m clear'):
        FreeSpace(world, 0.2)
    space = FreeSpace(world, 0.2, places=[(-3.0, 0.0), (9.0, 0.0), (float('nan'), 0.0)])
    assert 12.0 < space.path_length((-3.0, 0.0), (9.0, 0.0)) < 12.5
    with pytest.raises(WorldError, match=r'goal \(0.2, 0.0\) is inside an obstacle'):
        space.path_length((-3.0, 0.0), (0.2, 0.0))


def test_movers_are_not_in_the_way() -> None:
    world = World(boxes=np.array(ARENA), movers=np.array([[0.0, -1.5, 0.0, 1.5, 0.5, 0.3, 0.0]]))
    assert FreeSpace(world, 0.2).clearance_at(0.0, 0.0) == pytest.approx(2.0)
