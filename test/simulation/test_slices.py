"""Solids cut at a height, against areas and corners worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.simulation import slices
from rl_planner.simulation.world import FloatArray, World

UP = np.array([0.0, 0.0, 1.0])


def pose(x: float = 0, y: float = 0, z: float = 0, *turns: tuple[str, float]) -> FloatArray:
    """A frame at (x, y, z) turned about its own axes, one turn after the other (degrees)."""
    result = np.eye(4)
    result[:3, 3] = x, y, z
    for axis, angle in turns:
        i, j = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
        turn = np.eye(4)
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
        result = result @ turn
    return result


def area(world: World) -> float:
    """Of one polygon of walls; positive if they run counter-clockwise."""
    x0, y0, x1, y1 = world.walls.T
    return float((x0 * y1 - x1 * y0).sum() / 2.0)


def is_empty(world: World) -> bool:
    return not (len(world.segments) + len(world.circles))


def test_an_upright_box_is_a_box() -> None:
    world = slices.cut_box(pose(1, 2, 0.5, ('z', 30)), np.array([3.0, 2.0, 1.0]), 0.2)
    np.testing.assert_allclose(world.boxes, [[1, 2, np.pi / 6, 3, 2]])


def test_an_upside_down_box_is_a_box() -> None:
    world = slices.cut_box(pose(0, 0, 0, ('x', 180), ('z', 30)), np.array([3.0, 2.0, 1.0]), 0.2)
    np.testing.assert_allclose(world.boxes, [[0, 0, -np.pi / 6, 3, 2]], atol=1e-12)


@pytest.mark.parametrize(
    ('z', 'stands'), [(0.2, True), (0.69, True), (0.71, False), (-0.31, False)]
)
def test_what_is_wholly_above_or_below_is_not_there(z: float, stands: bool) -> None:
    box = slices.cut_box(pose(0, 0, z), np.ones(3), 0.2)
    cylinder = slices.cut_cylinder(pose(0, 0, z), 1.0, 1.0, 0.2)
    assert (len(box.boxes), len(cylinder.circles)) == (stands, stands)


def test_a_tilted_box_wholly_above_or_below_is_not_there() -> None:
    # a cube of 1 m on its edge reaches 0.707 m up and down
    for z, stands in ((-0.71, False), (-0.70, True), (0.70, True), (0.71, False)):
        world = slices.cut_box(pose(0, 0, z, ('x', 45)), np.ones(3), 0.0)
        assert is_empty(world) != stands


def test_a_box_stands_on_the_plane_but_does_not_hang_from_it() -> None:
    assert not is_empty(slices.cut_box(pose(0, 0, 0.5), np.ones(3), 0.0))
    assert is_empty(slices.cut_box(pose(0, 0, -0.5), np.ones(3), 0.0))


def test_a_box_rolled_by_45_degrees() -> None:
    # through its axis: 2 m long, as wide as the diagonal of a square of 1 m
    world = slices.cut_box(pose(0, 0, 0, ('x', 45)), np.array([2.0, 1.0, 1.0]), 0.0)
    assert len(world.boxes) == 0
    corners = sorted(map(tuple, np.round(world.walls[:, :2], 6)))
    half = round(np.sqrt(0.5), 6)
    assert corners == [(-1, -half), (-1, half), (1, -half), (1, half)]
    np.testing.assert_allclose(area(world), 2.0 * np.sqrt(2.0))


def test_a_slanted_slab() -> None:
    # 0.2 m thick at 30 degrees: 0.4 m along x; 0.1 m up is 0.1 / tan(30 deg) back along x
    world = slices.cut_box(pose(0, 0, 0, ('y', 30)), np.array([4.0, 1.0, 0.2]), 0.1)
    np.testing.assert_allclose(area(world), 0.4)
    x = world.walls[:, 0]
    np.testing.assert_allclose([x.min(), x.max()], [-0.1732051 - 0.2, -0.1732051 + 0.2], atol=1e-6)


def test_a_cube_on_its_corner_is_cut_in_a_regular_hexagon() -> None:
    upright_diagonal = np.degrees(np.arctan(np.sqrt(0.5)))
    tilted = pose(3, 4, 0, ('y', upright_diagonal), ('x', 45))
    world = slices.cut_box(tilted, np.ones(3), 0.0)
    lengths = np.hypot(*(world.walls[:, 2:] - world.walls[:, :2]).T)
    np.testing.assert_allclose(lengths, np.full(6, np.sqrt(0.5)))
    np.testing.assert_allclose(world.walls[:, :2].mean(axis=0), [3, 4])
    np.testing.assert_allclose(area(world), 0.75 * np.sqrt(3.0))


@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    size=st.tuples(*[st.floats(0.05, 5)] * 3),
    height=st.floats(-3, 3),
)
def test_the_slice_of_a_box_is_closed_convex_and_on_its_surface(
    angles: tuple[float, ...], size: tuple[float, ...], height: float
) -> None:
    frame = pose(1, -2, 0.3, *zip('zyx', angles, strict=True))
    walls = slices.cut_box(frame, np.array(size), height).segments
    if not len(walls):
        return
    np.testing.assert_allclose(walls[:, 2:], np.roll(walls[:, :2], -1, axis=0), atol=1e-8)
    along, following = walls[:, 2:] - walls[:, :2], np.roll(walls[:, 2:] - walls[:, :2], -1, 0)
    assert (along[:, 0] * following[:, 1] - along[:, 1] * following[:, 0] > -1e-8).all()
    ends = np.hstack([walls[:, :2], np.full((len(walls), 1), height)])
    own = np.abs((ends - frame[:3, 3]) @ frame[:3, :3]) / (np.array(size) / 2.0)
    if not slices.is_vertical(frame[:3, 2]):
        np.testing.assert_allclose(own.max(axis=1), 1.0, atol=1e-6)


def test_an_upright_cylinder_is_a_disc() -> None:
    world = slices.cut_cylinder(pose(1, 2, 0.4, ('z', 70)), 0.3, 1.0, 0.2)
    np.testing.assert_allclose(world.circles, [[1, 2, 0.3]])


def test_a_lying_cylinder_is_cut_in_a_rectangle_around_it() -> None:
    # 0.3 above the axis of a pipe of radius 0.5: 0.8 wide; 2 m long
    world = slices.cut_cylinder(pose(0, 0, 0, ('y', 90)), 0.5, 2.0, 0.3)
    assert 1.6 <= area(world) <= 1.6 * 1.01
    np.testing.assert_allclose(np.abs(world.walls[:, 0]).max(), 1.0)


def test_a_tilted_cylinder_is_cut_in_a_polygon_around_the_ellipse() -> None:
    # at 60 degrees the ellipse has the half axes r / cos(60) = 2 r and r
    world = slices.cut_cylinder(pose(0, 0, 0, ('y', 60)), 0.5, 10.0, 0.0)
    ellipse = np.pi * 1.0 * 0.5
    assert ellipse <= area(world) <= 1.004 * ellipse
    angles = np.linspace(0.0, 2.0 * np.pi, 500)
    points = np.stack([1.0 * np.cos(angles), 0.5 * np.sin(angles)], axis=-1)
    to_points = points[:, None] - world.walls[:, :2]
    along = world.walls[:, 2:] - world.walls[:, :2]
    assert (along[:, 0] * to_points[..., 1] - along[:, 1] * to_points[..., 0] > -1e-9).all()


def test_a_sphere() -> None:
    # 0.3 above the centre of a sphere of radius 0.5: a disc of radius 0.4
    world = slices.cut_sphere(pose(1, 2, -0.1), 0.5, 0.2)
    np.testing.assert_allclose(world.circles, [[1, 2, 0.4]])
    assert is_empty(slices.cut_sphere(pose(0, 0, 0), 0.5, 0.5))
    assert is_empty(slices.cut_sphere(pose(0, 0, 0), 0.5, -0.6))


def sorted_ends(world: World) -> list[tuple[float, ...]]:
    return sorted(tuple(row) for row in np.round(world.walls, 9) + 0.0)


@pytest.mark.parametrize(
    ('normal', 'ends'),
    [((1, 0, 0), (0, -2, 0, 2)), ((0, 1, 0), (-2, 0, 2, 0)), ((0, -3, 0), (-2, 0, 2, 0))],
)
def test_a_vertical_plane_is_a_wall_with_two_sides(
    normal: tuple[float, ...], ends: tuple[float, ...]
) -> None:
    world = slices.cut_plane(pose(), np.array(normal, float), np.array([4.0, 1.0]), 0.2)
    assert sorted_ends(world) == sorted([ends, (*ends[2:], *ends[:2])])
    assert is_empty(slices.cut_plane(pose(), np.array(normal, float), np.array([4.0, 1.0]), 0.6))


def test_a_plane_turned_upright_by_its_pose() -> None:
    # the plane's y axis now points up: 4 m long, 1 m high
    world = slices.cut_plane(pose(1, 0, 0, ('x', 90)), UP, np.array([4.0, 1.0]), 0.2)
    assert sorted_ends(world) == [(-1, 0, 3, 0), (3, 0, -1, 0)]


def test_a_level_plane_is_not_cut() -> None:
    assert is_empty(slices.cut_plane(pose(), UP, np.array([4.0, 4.0]), 0.2))
    assert slices.is_vertical(np.array([1e-4, 0.0, -2.0]))
    assert not slices.is_vertical(np.array([0.01, 0.0, 1.0]))
