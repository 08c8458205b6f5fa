"""Random arenas with boxes and pillars, and the seeds they come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from rl_planner.navigation.config import Config, ConfigError, parameter
from rl_planner.simulation.world import FloatArray, World

WALL_THICKNESS = 0.1


class Purpose(IntEnum):
    """What random worlds are for: a part of every seed, so that no world serves two purposes."""

    TRAINING = 1
    EVALUATION = 2


def generator(
    purpose: Purpose, seed: int, index: int = 0, family: str = 'static'
) -> np.random.Generator:
    """The generator of world `index` of a purpose; distinct arguments give unrelated streams."""
    key = (int(purpose), index, *(family.encode() if family != 'static' else b''))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


@dataclass(frozen=True)
class RandomWorldConfig(Config):
    """The family of random static worlds."""

    min_size: float = parameter(5.0, 'shortest side of the arena (m)', above=1.0, at_most=100.0)
    max_size: float = parameter(10.0, 'longest side of the arena (m)', above=1.0, at_most=100.0)
    boxes_per_area: float = parameter(0.06, 'boxes per square metre', at_least=0.0, at_most=1.0)
    circles_per_area: float = parameter(0.12, 'pillars per square metre', at_least=0.0, at_most=1.0)
    movers: int = parameter(0, 'moving obstacles', at_least=0, at_most=50)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_size > self.max_size:
            raise ConfigError(
                f'min_size must be at most max_size {self.max_size:g}, got {self.min_size:g}'
            )


def random_world(rng: np.random.Generator, config: RandomWorldConfig | None = None) -> World:
    """An arena centred on the origin: four walls, boxes, pillars and movers, placed anywhere."""
    config = config or RandomWorldConfig()
    size = rng.uniform(config.min_size, config.max_size, 2)
    share = rng.uniform(0.5, 1.5)  # some arenas are emptier, some fuller
    area = float(size.prod()) * share
    boxes = rng.poisson(config.boxes_per_area * area)
    circles = rng.poisson(config.circles_per_area * area)
    return World(
        boxes=np.concatenate([arena_walls(*size), _boxes(rng, boxes, size)]),
        circles=np.column_stack([_places(rng, circles, size), rng.uniform(0.1, 0.35, circles)]),
        movers=_movers(rng, config.movers, size),
        name='random world',
    )


def arena_walls(length: float, width: float) -> FloatArray:
    """(4, 5) the walls around length x width metres of floor."""
    x, y = (length + WALL_THICKNESS) / 2.0, (width + WALL_THICKNESS) / 2.0
    across = width + 2.0 * WALL_THICKNESS
    return np.array(
        [
            [0.0, y, 0.0, length, WALL_THICKNESS],
            [0.0, -y, 0.0, length, WALL_THICKNESS],
            [x, 0.0, 0.0, WALL_THICKNESS, across],
            [-x, 0.0, 0.0, WALL_THICKNESS, across],
        ]
    )


def _places(rng: np.random.Generator, count: int, size: FloatArray) -> FloatArray:
    return rng.uniform(-size / 2.0, size / 2.0, (count, 2))


def _boxes(rng: np.random.Generator, count: int, size: FloatArray) -> FloatArray:
    yaw = rng.uniform(-np.pi, np.pi, count)
    return np.column_stack([_places(rng, count, size), yaw, rng.uniform(0.2, 1.2, (count, 2))])


def _movers(rng: np.random.Generator, count: int, size: FloatArray) -> FloatArray:
    """Discs that go back and forth between two places at 0.1 to 0.4 m/s."""
    ends = np.column_stack([_places(rng, count, size), _places(rng, count, size)])
    radius = rng.uniform(0.15, 0.3, count)
    speed = rng.uniform(0.1, 0.4, count)
    return np.column_stack([ends, radius, speed, rng.uniform(0.0, 10.0, count)])
