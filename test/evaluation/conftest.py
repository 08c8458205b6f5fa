"""Scenarios and policies for the tests of evaluation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rl_planner.evaluation.scenario import Scenario
from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import Policy, PolicyMetadata
from rl_planner.simulation.sdf import read_sdf
from rl_planner.simulation.world import World

ARENA = Path(__file__).parents[2] / 'worlds' / 'arena.sdf'


@pytest.fixture(scope='session')
def arena() -> World:
    """8 x 8 m of floor around the origin, and nothing on it."""
    return read_sdf(ARENA)


@pytest.fixture
def make_scenario(arena: World) -> Callable[..., Scenario]:
    def make(
        start: tuple[float, float, float] = (0.0, 0.0, 0.0),
        goal: tuple[float, float] = (3.0, 0.0),
        tolerance: float = 0.25,
        time_limit: float = 40.0,
        shortest_path: float = 3.0,
        world: World = arena,
    ) -> Scenario:
        return Scenario(world, start, goal, tolerance, time_limit, shortest_path)

    return make


@pytest.fixture
def make_policy() -> Callable[..., Policy]:
    """Any policy for the default robot: it drives, but to nowhere in particular."""

    def make(scale: float = 0.5, period: float = 0.1) -> Policy:
        rng, size = np.random.default_rng(3), observation_size(ObservationConfig())
        tensors = {
            'actor.0.weight': scale * rng.standard_normal((16, size)),
            'actor.0.bias': scale * rng.standard_normal(16),
            'actor.1.weight': scale * rng.standard_normal((2, 16)),
            'actor.1.bias': np.zeros(2),
        }
        robot, observation = RobotConfig(), ObservationConfig()
        return Policy(tensors, PolicyMetadata.for_robot(robot, observation, period, 'none'))

    return make
