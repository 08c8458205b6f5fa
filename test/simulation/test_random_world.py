"""Random worlds and their seeds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.navigation.config import ConfigError
from rl_planner.simulation.random_world import (
    Purpose,
    RandomWorldConfig,
    generator,
    random_world,
)
from rl_planner.simulation.world import World

BUSY = RandomWorldConfig(min_size=6.0, max_size=8.0, movers=4)
SEEDS = st.integers(0, 2**32)


def same(one: World, other: World) -> bool:
    return all(
        np.array_equal(getattr(one, part), getattr(other, part))
        for part in ('boxes', 'circles', 'walls', 'movers')
    )


@given(SEEDS, st.sampled_from(Purpose), st.integers(0, 10000))
def test_a_seed_names_a_world(seed: int, purpose: Purpose, index: int) -> None:
    first = random_world(generator(purpose, seed, index), BUSY)
    assert same(first, random_world(generator(purpose, seed, index), BUSY))


def test_no_two_seeds_purposes_or_indices_give_the_same_world() -> None:
    sizes = [
        random_world(generator(purpose, seed, index)).bounds
        for purpose, seed, index in itertools.product(Purpose, range(40), range(25))
    ]
    assert len(set(sizes)) == len(sizes) == 2000


@given(SEEDS, SEEDS)
def test_worlds_of_evaluation_are_never_those_of_training(one: int, other: int) -> None:
    training = generator(Purpose.TRAINING, one).random(4)
    evaluation = generator(Purpose.EVALUATION, other).random(4)
    assert not np.isin(training, evaluation).any()


@given(SEEDS)
def test_everything_is_within_four_walls(seed: int) -> None:
    world = random_world(np.random.default_rng(seed), BUSY)
    top, bottom, right, left = world.boxes[:4]
    length, width = top[3], right[4] - 0.2
    assert 6.0 <= length <= 8.0
    assert 6.0 <= width <= 8.0
    # the inner faces enclose length x width metres, and the corners are closed
    assert top[1] - 0.05 == pytest.approx(width / 2.0)
    assert bottom[1] + 0.05 == pytest.approx(-width / 2.0)
    assert right[0] - 0.05 == pytest.approx(length / 2.0)
    assert left[0] + 0.05 == pytest.approx(-length / 2.0)
    places = np.concatenate(
        [world.boxes[4:, :2], world.circles[:, :2], world.movers[:, :2], world.movers[:, 2:4]]
    )
    assert (np.abs(places) <= [length / 2.0, width / 2.0]).all()
    assert len(world.movers) == 4
    assert not len(world.walls)


def test_how_much_stands_in_a_world() -> None:
    config = RandomWorldConfig(
        min_size=10.0, max_size=10.0, boxes_per_area=0.05, circles_per_area=0.1
    )
    worlds = [random_world(np.random.default_rng(seed), config) for seed in range(400)]
    boxes = np.array([len(world.boxes) - 4 for world in worlds])
    circles = np.array([len(world.circles) for world in worlds])
    # 100 m2: 5 and 10 on average. The share, uniform in [0.5, 1.5], and Poisson's law give
    # variances of 5 + 25 / 12 and 10 + 100 / 12: standard errors of 0.13 and 0.21.
    assert boxes.mean() == pytest.approx(5.0, abs=4 * 0.13)
    assert circles.mean() == pytest.approx(10.0, abs=4 * 0.21)


def test_an_empty_family() -> None:
    config = RandomWorldConfig(boxes_per_area=0.0, circles_per_area=0.0)
    world = random_world(np.random.default_rng(0), config)
    assert len(world.boxes) == 4
    assert not len(world.circles)
    assert not len(world.movers)


@pytest.mark.parametrize('name', ['min_size', 'max_size'])
def test_sizes_have_bounds(name: str) -> None:
    with pytest.raises(ConfigError, match=f'{name} must be above 1 and at most 100, got 0.5'):
        RandomWorldConfig(**{name: 0.5})


def test_the_shortest_side_is_at_most_the_longest() -> None:
    with pytest.raises(ConfigError, match='min_size must be at most max_size 10, got 12'):
        RandomWorldConfig(min_size=12.0)
