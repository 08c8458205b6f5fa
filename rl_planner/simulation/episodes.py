"""Episodes: a world, where the robot starts in it, and where it is to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.random_world import (
    Purpose,
    RandomWorldConfig,
    generator,
    random_world,
)
from rl_planner.simulation.world import FloatArray, World, WorldError

MIN_GOAL_DISTANCE = 3.0
START_MARGIN = 0.08  # beyond the robot's radius: room to turn away from what is next to the start


@dataclass(frozen=True)
class Episode:
    """One task: start (x, y, yaw) and goal (x, y) in the world frame (m, rad)."""

    world: World
    start: tuple[float, float, float]
    goal: tuple[float, float]


@dataclass(frozen=True)
class EpisodePool:
    """Many tasks: P pairs of start (W, P, 3) and goal (W, P, 2) in each of W worlds."""

    worlds: Sequence[World]
    starts: FloatArray
    goals: FloatArray

    def episode(self, world: int, pair: int) -> Episode:
        x, y, yaw = self.starts[world, pair].tolist()
        goal_x, goal_y = self.goals[world, pair].tolist()
        return Episode(self.worlds[world], (x, y, yaw), (goal_x, goal_y))


def sample_episodes(
    world: World, rng: np.random.Generator, robot_radius: float, count: int
) -> tuple[FloatArray, FloatArray]:
    """(count, 3) starts and (count, 2) goals that are free, connected and 3 m or more apart."""
    space = FreeSpace(world, robot_radius + START_MARGIN)
    starts, goals = space.sample_pairs(rng, count, MIN_GOAL_DISTANCE)
    return np.column_stack([starts, rng.uniform(-np.pi, np.pi, count)]), goals


def random_episodes(
    rng: np.random.Generator,
    robot_radius: float,
    count: int,
    config: RandomWorldConfig | None = None,
) -> tuple[World, FloatArray, FloatArray]:
    """A random world and `count` episodes in it; a world without room for them is drawn again."""
    for _ in range(100):
        world = random_world(rng, config)
        try:
            return world, *sample_episodes(world, rng, robot_radius, count)
        except WorldError:
            continue
    raise WorldError('100 random worlds in a row had no room for an episode: too many obstacles')


def random_pool(
    purpose: Purpose,
    seed: int,
    num_worlds: int,
    robot_radius: float,
    pairs_per_world: int = 16,
    config: RandomWorldConfig | None = None,
    on_world: Callable[[], None] | None = None,
) -> EpisodePool:
    """Random worlds of one purpose and seed, each from a generator of its own."""
    worlds, starts, goals = [], [], []
    for index in range(num_worlds):
        rng = generator(purpose, seed, index)
        world, world_starts, world_goals = random_episodes(
            rng, robot_radius, pairs_per_world, config
        )
        worlds.append(world)
        starts.append(world_starts)
        goals.append(world_goals)
        if on_world:
            on_world()
    return EpisodePool(worlds, np.stack(starts), np.stack(goals))


def world_pool(
    purpose: Purpose, seed: int, world: World, robot_radius: float, pairs: int = 512
) -> EpisodePool:
    """Episodes in one given world."""
    starts, goals = sample_episodes(world, generator(purpose, seed), robot_radius, pairs)
    return EpisodePool([world], starts[None], goals[None])
