"""Episodes: a world, where the robot starts in it, and where it is to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import RobotConfig
from rl_planner.simulation.families import FAMILIES, Family
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.random_world import Purpose, generator
from rl_planner.simulation.world import FloatArray, World, WorldError, mover_positions

START_MARGIN = 0.08  # beyond the robot's edge: room to turn away from what is next to the start
MOVER_MARGIN = 0.5  # a moving obstacle begins so far from the robot: it cannot be there at once
RANDOM = FAMILIES['static']


@dataclass(frozen=True)
class Episode:
    """One task: start (x, y, yaw) and goal (x, y) in the world frame (m, rad)."""

    world: World
    start: tuple[float, float, float]
    goal: tuple[float, float]


def moved_by(episode: Episode, x: float, y: float) -> Episode:
    """The same episode elsewhere, (x, y) further on (m)."""
    if not x and not y:
        return episode
    world, (start_x, start_y, yaw) = episode.world, episode.start
    offset = np.array([x, y])
    moved = World(
        world.boxes + np.array([x, y, 0.0, 0.0, 0.0]),
        world.circles + np.array([x, y, 0.0]),
        world.walls + np.tile(offset, 2),
        world.movers + np.array([x, y, x, y, 0.0, 0.0, 0.0]),
        world.name,
    )
    return Episode(
        moved, (start_x + x, start_y + y, yaw), (episode.goal[0] + x, episode.goal[1] + y)
    )


@dataclass(frozen=True)
class EpisodePool:
    """Many tasks: P pairs of start (W, P, 3) and goal (W, P, 2) in each of W worlds.

    `families` (W,) are the numbers of the families that the worlds are of: of their `names`.
    """

    worlds: Sequence[World]
    starts: FloatArray
    goals: FloatArray
    families: NDArray[np.int64]
    names: tuple[str, ...] = ('world',)

    def episode(self, world: int, pair: int) -> Episode:
        x, y, yaw = self.starts[world, pair].tolist()
        goal_x, goal_y = self.goals[world, pair].tolist()
        return Episode(self.worlds[world], (x, y, yaw), (goal_x, goal_y))

    @classmethod
    def joined(cls, pools: Sequence[EpisodePool]) -> EpisodePool:
        """One pool of all worlds, in order, of pools of the same families."""
        return cls(
            [world for pool in pools for world in pool.worlds],
            np.concatenate([pool.starts for pool in pools]),
            np.concatenate([pool.goals for pool in pools]),
            np.concatenate([pool.families for pool in pools]),
            pools[0].names,
        )


def sample_episodes(
    world: World, rng: np.random.Generator, robot: RobotConfig, count: int, family: Family = RANDOM
) -> tuple[FloatArray, FloatArray]:
    """(count, 3) starts and (count, 2) goals that are free, connected and as `family` wants them.

    Raises:
        WorldError: there is no room for that.
    """
    space = FreeSpace(world, robot.inscribed_radius + START_MARGIN)
    movers = mover_positions(world.movers, 0.0)

    def may_start(places: FloatArray) -> NDArray[np.bool_]:
        away = np.hypot(*(places[:, None] - movers).transpose(2, 0, 1)) - world.movers[:, 4]
        room = np.array([space.clearance_at(*place) for place in places.tolist()])
        return np.asarray((away >= robot.radius + MOVER_MARGIN).all(axis=1) & (room > robot.radius))

    starts, goals = space.sample_pairs(
        rng, count, family.min_goal_distance, family.min_detour, may_start
    )
    return np.column_stack([starts, rng.uniform(-np.pi, np.pi, count)]), goals


def random_episodes(
    rng: np.random.Generator, robot: RobotConfig, count: int, family: Family = RANDOM
) -> tuple[World, FloatArray, FloatArray]:
    """A random world and `count` episodes in it; a world without room for them is drawn again."""
    for _ in range(100):
        world = family.make(rng)
        try:
            return world, *sample_episodes(world, rng, robot, count, family)
        except WorldError:
            continue
    raise WorldError('100 random worlds in a row had no room for an episode: too many obstacles')


def random_pool(
    purpose: Purpose,
    seed: int,
    indices: int | range,
    robot: RobotConfig,
    families: Sequence[str] = ('static',),
    pairs_per_world: int = 16,
    on_world: Callable[[], None] | None = None,
) -> EpisodePool:
    """Random worlds of one purpose and seed, of the families in turn.

    Each world has a generator of its own: it depends on nothing but purpose, seed, index and
    family.

    Args:
        indices: of the worlds; a number stands for so many, from 0 on.
    """
    worlds, starts, goals, numbers = [], [], [], []
    for index in range(indices) if isinstance(indices, int) else indices:
        number = index % len(families)
        family = families[number]
        rng = generator(purpose, seed, index, family)
        world, world_starts, world_goals = random_episodes(
            rng, robot, pairs_per_world, FAMILIES[family]
        )
        worlds.append(world)
        starts.append(world_starts)
        goals.append(world_goals)
        numbers.append(number)
        if on_world:
            on_world()
    return EpisodePool(
        worlds, np.stack(starts), np.stack(goals), np.array(numbers), tuple(families)
    )


def world_pool(
    purpose: Purpose, seed: int, world: World, robot: RobotConfig, pairs: int = 512
) -> EpisodePool:
    """Episodes in one given world."""
    starts, goals = sample_episodes(world, generator(purpose, seed), robot, pairs)
    return EpisodePool([world], starts[None], goals[None], np.zeros(1, np.int64))
