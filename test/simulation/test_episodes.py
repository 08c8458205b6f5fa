"""Episodes: free, connected, far enough, and drawn from seeds."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rl_planner.navigation.config import RobotConfig
from rl_planner.simulation.background_pool import CHUNK, BackgroundPool
from rl_planner.simulation.episodes import (
    START_MARGIN,
    Episode,
    moved_by,
    random_episodes,
    random_pool,
    sample_episodes,
    world_pool,
)
from rl_planner.simulation.families import FAMILIES, Family
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.random_world import Purpose, RandomWorldConfig, random_world
from rl_planner.simulation.world import World, WorldError, mover_positions

RADIUS = 0.2
ROBOT = RobotConfig(radius=RADIUS)
HALL = World(
    boxes=np.array(
        [[0, 3.1, 0, 6, 0.2], [0, -3.1, 0, 6, 0.2], [3.1, 0, 0, 0.2, 6.4], [-3.1, 0, 0, 0.2, 6.4]]
    )
)
CLOSET = World(
    boxes=np.array(
        [[0, 1.1, 0, 2, 0.2], [0, -1.1, 0, 2, 0.2], [1.1, 0, 0, 0.2, 2.4], [-1.1, 0, 0, 0.2, 2.4]]
    )
)


def clear_by(world: World, points: np.ndarray) -> float:
    space = FreeSpace(world, RADIUS)
    return min(space.clearance_at(*point) for point in points.tolist())


def _family(config: RandomWorldConfig) -> Family:
    return Family('', lambda rng: random_world(rng, config))


def test_starts_and_goals() -> None:
    starts, goals = sample_episodes(HALL, np.random.default_rng(0), ROBOT, 100)
    assert starts.shape == (100, 3)
    assert goals.shape == (100, 2)
    assert clear_by(HALL, starts[:, :2]) >= RADIUS + START_MARGIN - 1e-9
    assert clear_by(HALL, goals) >= RADIUS + START_MARGIN - 1e-9
    assert (np.hypot(*(goals - starts[:, :2]).T) >= FAMILIES['static'].min_goal_distance).all()
    assert (np.abs(starts[:, 2]) <= np.pi).all()
    assert starts[:, 2].std() == pytest.approx(np.pi / np.sqrt(3.0), rel=0.2)  # any heading


def test_a_world_without_room_for_an_episode() -> None:
    with pytest.raises(WorldError, match='start and goal must be 3 m apart, too little free space'):
        sample_episodes(CLOSET, np.random.default_rng(0), ROBOT, 1)


def test_a_random_world_without_room_is_drawn_again() -> None:
    crowded = RandomWorldConfig(min_size=5.0, max_size=5.0, boxes_per_area=0.4)
    for seed in range(5):
        world, starts, _ = random_episodes(np.random.default_rng(seed), ROBOT, 2, _family(crowded))
        assert clear_by(world, starts[:, :2]) >= RADIUS


def test_a_family_of_worlds_without_room() -> None:
    tiny = RandomWorldConfig(min_size=1.5, max_size=1.5)
    with pytest.raises(WorldError, match='100 random worlds in a row had no room'):
        random_episodes(np.random.default_rng(0), ROBOT, 1, _family(tiny))


def test_a_pool_of_random_worlds() -> None:
    seen = []
    pool = random_pool(
        Purpose.TRAINING, 3, 4, ROBOT, pairs_per_world=5, on_world=lambda: seen.append(1)
    )
    assert len(pool.worlds) == len(seen) == 4
    assert pool.starts.shape == (4, 5, 3)
    assert pool.goals.shape == (4, 5, 2)
    for world, starts, goals in zip(pool.worlds, pool.starts, pool.goals, strict=True):
        assert clear_by(world, starts[:, :2]) >= RADIUS
        assert clear_by(world, goals) >= RADIUS
        assert (np.hypot(*(goals - starts[:, :2]).T) >= FAMILIES['static'].min_goal_distance).all()


def test_a_pool_is_its_purpose_and_seed() -> None:
    pools = [
        random_pool(purpose, seed, 2, ROBOT)
        for purpose, seed in [
            (Purpose.TRAINING, 1),
            (Purpose.TRAINING, 1),
            (Purpose.TRAINING, 2),
            (Purpose.EVALUATION, 1),
        ]
    ]
    first, again, *others = pools
    np.testing.assert_array_equal(first.starts, again.starts)
    np.testing.assert_array_equal(first.goals, again.goals)
    for other in others:
        assert not np.isin(first.starts, other.starts).any()


def test_a_larger_pool_begins_with_the_smaller_one() -> None:
    small = random_pool(Purpose.EVALUATION, 0, 2, ROBOT, pairs_per_world=1)
    large = random_pool(Purpose.EVALUATION, 0, 4, ROBOT, pairs_per_world=1)
    np.testing.assert_array_equal(large.starts[:2], small.starts)
    np.testing.assert_array_equal(large.worlds[1].boxes, small.worlds[1].boxes)


def test_a_pool_of_one_given_world() -> None:
    pool = world_pool(Purpose.TRAINING, 0, HALL, ROBOT, pairs=30)
    assert pool.worlds == [HALL]
    assert pool.starts.shape == (1, 30, 3)
    assert pool.goals.shape == (1, 30, 2)
    other = world_pool(Purpose.EVALUATION, 0, HALL, ROBOT, pairs=30)
    assert not np.array_equal(pool.goals, other.goals)


def test_one_episode_of_a_pool() -> None:
    pool = random_pool(Purpose.TRAINING, 0, 2, ROBOT, pairs_per_world=3)
    episode = pool.episode(1, 2)
    assert episode.world is pool.worlds[1]
    assert episode.start == tuple(pool.starts[1, 2])
    assert episode.goal == tuple(pool.goals[1, 2])
    assert all(type(value) is float for value in (*episode.start, *episode.goal))


def test_a_pool_of_several_families() -> None:
    pool = random_pool(Purpose.TRAINING, 0, 4, ROBOT, ['static', 'dynamic-4'], pairs_per_world=1)
    assert [len(world.movers) for world in pool.worlds] == [0, 4, 0, 4]
    alone = random_pool(Purpose.TRAINING, 0, 4, ROBOT, ['static'], pairs_per_world=1)
    np.testing.assert_array_equal(pool.starts[[0, 2]], alone.starts[[0, 2]])


def test_a_rectangle_starts_where_it_can_turn_and_goes_where_it_fits() -> None:
    """A gap of 0.86 m: 0.6 m wide it fits, with 8 cm to spare; 1 m across it cannot turn there."""
    boxes = np.concatenate([HALL.boxes, [[0, 1.75, 0, 0.2, 2.64], [0, -1.75, 0, 0.2, 2.64]]])
    gap = World(boxes=boxes)
    car = RobotConfig(radius=0.5, footprint_length=0.8, footprint_width=0.6)
    starts, goals = sample_episodes(gap, np.random.default_rng(0), car, 60)
    assert clear_by(gap, starts[:, :2]) >= 0.5
    assert clear_by(gap, goals) >= 0.38 - 1e-9
    assert (starts[:, 0] * goals[:, 0] < 0.0).any()  # through the gap
    starts, goals = sample_episodes(gap, np.random.default_rng(0), RobotConfig(radius=0.4), 60)
    assert (starts[:, 0] * goals[:, 0] > 0.0).all()  # a disc of 0.8 m does not get through


def test_a_pool_made_elsewhere_is_the_same() -> None:
    families = ('static', 'dynamic-2')
    made: list[int] = []
    with BackgroundPool(Purpose.TRAINING, 5, 2 * CHUNK + 1, ROBOT, families) as pending:
        pool = pending.result(made.append)
    expected = random_pool(Purpose.TRAINING, 5, 2 * CHUNK + 1, ROBOT, families)
    assert made == [CHUNK, CHUNK, 1]
    np.testing.assert_array_equal(pool.starts, expected.starts)
    np.testing.assert_array_equal(pool.goals, expected.goals)
    for world, other in zip(pool.worlds, expected.worlds, strict=True):
        np.testing.assert_array_equal(world.segments, other.segments)
        np.testing.assert_array_equal(world.movers, other.movers)


def test_a_pool_that_nobody_waits_for_leaves_no_process() -> None:
    with BackgroundPool(Purpose.TRAINING, 0, 100 * CHUNK, ROBOT, ('static',)):
        pass
    assert not multiprocessing.active_children()


def test_an_error_elsewhere_is_told_here() -> None:
    giant = RobotConfig(radius=2.0)
    with (
        BackgroundPool(Purpose.TRAINING, 0, 1, giant, ('dense',)) as pending,
        pytest.raises(WorldError, match='no room for an episode'),
    ):
        pending.result()


KILLED = """
import os, signal
from rl_planner.navigation.config import RobotConfig
from rl_planner.simulation.background_pool import BackgroundPool
from rl_planner.simulation.random_world import Purpose

if __name__ == '__main__':
    with BackgroundPool(Purpose.TRAINING, 0, 100000, RobotConfig(), ('static',)) as pending:
        pending._chunks[0].result()  # its workers are at work
        print(*pending._workers._processes, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_whoever_makes_worlds_ends_with_who_asked_for_them(tmp_path: Path) -> None:
    script = tmp_path / 'killed.py'
    script.write_text(KILLED)
    run = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == -signal.SIGKILL
    workers = [int(pid) for pid in run.stdout.split()]
    assert workers
    deadline = time.monotonic() + 60.0
    while any(Path(f'/proc/{pid}/exe').exists() for pid in workers):
        assert time.monotonic() < deadline, f'{workers} are still there'
        time.sleep(0.05)


def test_a_moved_episode_is_the_same_one_elsewhere() -> None:
    world = World(
        boxes=np.array([[1.0, 2.0, 0.3, 0.5, 0.6]]),
        circles=np.array([[1.0, 2.0, 0.4]]),
        walls=np.array([[0.0, 1.0, 2.0, 3.0]]),
        movers=np.array([[0.0, 0.0, 4.0, 0.0, 0.2, 0.5, 1.0]]),
    )
    moved = moved_by(Episode(world, (1.0, 2.0, 0.5), (3.0, 4.0)), 40.0, -1.0)
    assert moved.start == (41.0, 1.0, 0.5)
    assert moved.goal == (43.0, 3.0)
    assert moved.world.boxes.tolist() == [[41.0, 1.0, 0.3, 0.5, 0.6]]
    assert moved.world.circles.tolist() == [[41.0, 1.0, 0.4]]
    assert moved.world.walls.tolist() == [[40.0, 0.0, 42.0, 2.0]]
    # It has gone 1 m of its way, and goes 0.5 m in a second.
    assert mover_positions(moved.world.movers, 1.0)[0] == pytest.approx([41.5, -1.0])


def test_an_episode_that_is_moved_by_nothing_is_itself() -> None:
    episode = Episode(World(), (1.0, 2.0, 0.5), (3.0, 4.0))
    assert moved_by(episode, 0.0, 0.0) is episode
