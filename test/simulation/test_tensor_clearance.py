"""Clearances of tensors: by hand, and beside the compiled ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.footprint import Footprint
from rl_planner.simulation.episodes import random_pool
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.random_world import Purpose
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.tensor_clearance import measure
from rl_planner.simulation.tensor_worlds import TensorWorlds
from rl_planner.simulation.world import World

torch.set_num_threads(1)  # so few robots gain nothing from a second one

DISC = RobotConfig(radius=0.2)
RECTANGLE = RobotConfig(radius=0.6, footprint_length=1.0, footprint_width=0.6)


def clearances(worlds: Any, ids: Any, poses: Any, robot: RobotConfig) -> Any:
    scene = TensorWorlds.of(worlds, 'cpu').around(
        torch.as_tensor(ids), torch.zeros(len(ids), dtype=torch.float64)
    )
    return measure(torch.as_tensor(poses, dtype=torch.float64), scene, Footprint.of(robot)).numpy()


@pytest.mark.parametrize(
    ('robot', 'pose', 'clearance'),
    [
        (DISC, (0.0, 0.0, 0.0), 1.0 - 0.2),  # the wall at x = 1
        (DISC, (0.0, -3.0, 0.0), np.sqrt(2.0) - 0.2),  # its end at (1, -2)
        (DISC, (-2.0, 0.0, 0.0), 1.0 - 0.5 - 0.2),  # the disc of 0.5 at (-3, 0)
        (DISC, (0.9, 0.0, 0.0), 0.1 - 0.2),
        (RECTANGLE, (0.0, 0.0, 0.0), 1.0 - 0.5),
        (RECTANGLE, (0.0, 0.0, np.pi / 2), 1.0 - 0.3),
        (RECTANGLE, (0.8, 0.0, 0.0), 0.2 - 0.5),
        (RECTANGLE, (-2.0, 0.0, 0.0), 1.0 - 0.5 - 0.5),
    ],
)
def test_distances_to_a_wall_and_a_disc(robot: RobotConfig, pose: Any, clearance: float) -> None:
    world = World(walls=np.array([[1.0, 2.0, 1.0, -2.0]]), circles=np.array([[-3.0, 0.0, 0.5]]))
    assert clearances([world], [0], [pose], robot)[0] == pytest.approx(clearance, abs=1e-6)


def test_an_empty_world_is_far_off() -> None:
    assert clearances([World()], [0], [(0.0, 0.0, 0.0)], DISC)[0] > 1e5


@pytest.mark.parametrize('robot', [DISC, RECTANGLE])
def test_clearances_are_the_compiled_ones(robot: RobotConfig) -> None:
    worlds = random_pool(Purpose.TRAINING, 1, 8, RobotConfig(), ['dense', 'dynamic-4']).worlds
    rng = np.random.default_rng(0)
    ids, poses = rng.integers(8, size=400), rng.uniform(-4.0, 4.0, (400, 3))
    compiled = BatchSimulator(robot, LidarConfig(), pack_worlds(worlds), 400, 0.1)
    compiled.place(compiled.rows, ids, poses)
    assert (compiled.clearances < 0.0).mean() > 0.05  # those that touch are among them
    np.testing.assert_allclose(
        clearances(worlds, ids, poses, robot), compiled.clearances, atol=3e-6
    )
