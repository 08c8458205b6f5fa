"""Families of random worlds: what they promise, over many seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_planner.simulation.families import FAMILIES
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.world import World

SEEDS = st.integers(0, 2**32)


def make(name: str, seed: int) -> World:
    return FAMILIES[name].make(np.random.default_rng(seed))


@pytest.mark.parametrize('name', FAMILIES)
def test_a_seed_names_a_world(name: str) -> None:
    one, same, other = make(name, 3), make(name, 3), make(name, 4)
    np.testing.assert_array_equal(one.segments, same.segments)
    np.testing.assert_array_equal(one.circles, same.circles)
    assert not np.array_equal(one.segments, other.segments) or not np.array_equal(
        one.circles, other.circles
    )


@given(SEEDS)
@settings(deadline=None)
def test_rooms_are_connected_for_a_small_robot(seed: int) -> None:
    """Half of the floor at least, without furniture: a later wall may end in a door."""
    world = make('rooms', seed)
    space = FreeSpace(World(boxes=world.boxes), 0.1)
    floor = world.boxes[0, 3] * (world.boxes[2, 4] - 0.2)
    assert len(space.cells) * space.resolution**2 >= 0.5 * floor
    assert np.abs(world.boxes[:, 0]).max() <= 5.6
    np.testing.assert_allclose(world.boxes[4:, 3:].min(axis=1), 0.1)  # walls are 10 cm thick


@given(SEEDS)
def test_a_dead_end_is_a_back_and_two_sides(seed: int) -> None:
    world = make('traps', seed)
    dead_ends = world.boxes[4:].reshape(-1, 3, 5)
    assert 3 <= len(dead_ends) <= 5
    for back, left, right in dead_ends:
        heading = np.array([np.cos(back[2]), np.sin(back[2])])
        assert back[2] == left[2] == right[2]
        middle = 0.5 * (left[:2] + right[:2])
        depth, width = left[3], back[4] - 0.1
        np.testing.assert_allclose(middle - back[:2], 0.5 * depth * heading, atol=1e-9)
        assert np.hypot(*(left[:2] - right[:2])) == pytest.approx(width)
        assert 1.2 <= width <= 2.4
        assert 0.8 <= depth <= 1.8


@given(SEEDS)
def test_clutter_is_in_the_frame_of_barn(seed: int) -> None:
    world = make('clutter', seed)
    assert set(world.circles[:, 2]) <= {0.075}
    x, y = world.circles[:, 0], world.circles[:, 1]
    assert ((x >= -4.425 - 1e-9) & (x <= -0.075 + 1e-9)).all()
    assert ((y >= 5.075 - 1e-9) & (y <= 9.425 + 1e-9)).all()
    grid = np.column_stack([(x + 4.425) / 0.15, (y - 5.075) / 0.15])
    np.testing.assert_allclose(grid, np.round(grid), atol=1e-6)
    ground = FreeSpace(World(boxes=world.boxes), 0.2)
    assert ground.clearance_at(-2.25, 3.0) == pytest.approx(2.1)  # 4.2 m wide
    assert ground.clearance_at(-0.14, 3.0) < 0.0


def test_how_full_clutter_is() -> None:
    """From nearly free to nearly blocked."""
    counts = np.array([len(make('clutter', seed).circles) for seed in range(300)])
    assert counts.min() < 40
    assert counts.max() > 250
    assert 100 < counts.mean() < 220
