from __future__ import annotations

import numpy as np

from rl_planner.simulation.world import World
from rl_planner.simulation.world_map import world_map


def test_obstacles_are_where_they_are_in_the_world() -> None:
    """A box of 1 m x 0.5 m, a pillar; half a cell of 0.1 m counts as theirs."""
    world = World(boxes=[[2.0, 1.0, 0.0, 1.0, 0.5]], circles=[[0.0, 0.0, 0.3]])
    area = world_map(world, 0.1)
    centres = area.points(np.argwhere(area.occupied))
    in_box = (np.abs(centres - [2.0, 1.0]) <= [0.55, 0.3]).all(axis=1)
    in_pillar = np.hypot(*centres.T) <= 0.35
    assert (in_box | in_pillar).all()
    assert 40 <= in_box.sum() <= 77
    assert 25 <= in_pillar.sum() <= 45


def test_what_moves_is_on_no_map_but_has_room_on_it() -> None:
    world = World(circles=[[0.0, 0.0, 0.3]], movers=[[5.0, 0.0, 5.0, 3.0, 0.2, 0.3, 0.0]])
    area = world_map(world)
    _, inside = area.cells_at(np.array([[5.2, 3.2], [0.0, 0.0]]))
    assert inside.all()
    assert np.hypot(*area.points(np.argwhere(area.occupied)).T).max() < 0.4
