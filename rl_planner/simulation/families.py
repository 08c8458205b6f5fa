"""Families of random worlds, and how tasks are chosen in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from rl_planner.simulation.random_world import RandomWorldConfig, random_world
from rl_planner.simulation.structured_worlds import clutter, rooms, traps
from rl_planner.simulation.world import World


@dataclass(frozen=True)
class Family:
    """Random worlds of one kind.

    Attributes:
        description: for help texts and reports.
        make: a world from a generator.
        min_goal_distance: from start to goal, in a straight line (m).
        min_detour: the shortest way is so many times as long as the straight line, or longer.
    """

    description: str
    make: Callable[[np.random.Generator], World]
    min_goal_distance: float = 3.0
    min_detour: float = 1.0


def _moving(movers: int) -> Family:
    config = RandomWorldConfig(movers=movers)
    text = f'the arenas of static with {movers} discs that move at 0.1 to 0.4 m/s and do not react'
    return Family(text, partial(random_world, config=config))


DENSE = RandomWorldConfig(min_size=4.0, max_size=6.0, boxes_per_area=0.16, circles_per_area=0.32)

FAMILIES = {
    'static': Family('arenas of 5 to 10 m with boxes and pillars', random_world),
    'dynamic-2': _moving(2),
    'dynamic-4': _moving(4),
    'dynamic-6': _moving(6),
    'dense': Family(
        'arenas of 4 to 6 m, 2.7 times as full as static ones',
        partial(random_world, config=DENSE),
        min_goal_distance=2.5,
    ),
    'rooms': Family('rooms with doors, and the goal in another one', rooms, min_detour=1.1),
    'traps': Family('U-shaped dead ends on the way to the goal', traps, min_detour=1.3),
    'clutter': Family(
        'a corridor through a field of pillars, made as the worlds of BARN are',
        clutter,
        min_goal_distance=6.0,
    ),
}
