"""The compiled history is that of `ScanHistory`, for robots that drive and begin anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.observer import Observer
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.environment import NavigationVectorEnv
from rl_planner.simulation.episodes import random_pool
from rl_planner.simulation.random_world import Purpose

N = 24
ROBOT = RobotConfig()


@pytest.mark.parametrize('history_steps', [1, 5])
@pytest.mark.parametrize('odometry_error', [0.0, 0.2])
def test_the_environment_remembers_as_the_observer_does(
    history_steps: int, odometry_error: float
) -> None:
    config = ObservationConfig(num_sectors=20, history_steps=history_steps)
    lidar = LidarConfig(num_beams=60)
    env = NavigationVectorEnv(
        N,
        random_pool(Purpose.TRAINING, 3, 4, ROBOT, ('dynamic-6',)),
        lidar=lidar,
        observation=config,
        seed=1,
        disturbance=DisturbanceConfig(odometry_error=odometry_error),
    )
    observer = Observer(config, ROBOT, ScanGeometry.of(lidar), N)
    rng = np.random.default_rng(0)

    def expected(rows: NDArray[np.int64]) -> Any:
        simulator, out = env.simulator, np.empty((len(rows), observer.size), np.float32)
        goals = np.ones((len(rows), 2))
        velocities = simulator.measured_velocities[rows]
        odometry = simulator.odometry[rows]
        observer.observe(rows, simulator.ranges[rows], goals, velocities, velocities, odometry, out)
        return out[:, -config.num_sectors :]

    obs, _ = env.reset(seed=2)
    np.testing.assert_allclose(obs[:, -config.num_sectors :], expected(np.arange(N)), atol=1e-5)
    ends = 0
    for _ in range(150):
        obs, _, terminated, truncated, _ = env.step(rng.uniform(-0.5, 1.0, (N, 2)))
        running = np.flatnonzero(~(terminated | truncated))
        begun = np.flatnonzero(terminated | truncated)
        observer.restart(begun)
        for rows in (running, begun):
            np.testing.assert_allclose(obs[rows, -config.num_sectors :], expected(rows), atol=1e-5)
        ends += len(begun)
    assert ends > N  # what a drive saw before is forgotten, and that has been seen


def test_a_moving_obstacle_is_seen_where_it_was() -> None:
    env = NavigationVectorEnv(
        N,
        random_pool(Purpose.TRAINING, 3, 8, ROBOT, ('dynamic-6',)),
        observation=ObservationConfig(history_steps=5),
        seed=1,
    )
    env.reset(seed=0)
    for _ in range(6):
        obs, *_ = env.step(np.tile([-1.0, 0.0], (N, 1)))  # nobody moves but the obstacles
    moved = np.abs(obs[:, :36] - obs[:, -36:]).max(axis=1)
    assert np.count_nonzero(moved > 0.02) > N // 2
