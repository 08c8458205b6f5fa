"""The batch simulator as a gymnasium vector environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from rl_planner.navigation.config import (
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
)
from rl_planner.navigation.geometry import to_robot_frame
from rl_planner.navigation.kinematics import Limits, command_from_action
from rl_planner.navigation.observation import ObservationEncoder, ScanGeometry, observation_size
from rl_planner.navigation.policy import ACTION_SIZE
from rl_planner.navigation.task import Outcome, Terms, evaluate
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.episodes import EpisodePool
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.simulator import BatchSimulator, Rows

Floats = NDArray[np.float32]


class NavigationVectorEnv(VectorEnv[Floats, NDArray[Any], NDArray[Any]]):
    """N mobile robots with lidars, each driving to a goal through a world of its own.

    **Observation**: (N, size) float32, the parts of `navigation.observation.layout` in order:

    | part | size | range | meaning |
    |---|---|---|---|
    | sectors | 36 | [0, 1] | 1 - nearest return / range_clip, counter-clockwise from behind |
    | goal | 3 | [0, 1], [-1, 1] | distance / goal_distance_clip, cos and sin of the bearing |
    | velocity | 2 | [-1, 1] | linear and angular, by the robot's top speeds |
    | previous_command | 2 | [-1, 1] | likewise |
    | robot | 8 | [-5, 5] | radius, footprint, speed and acceleration limits, scaled |

    Linear velocities go down to min_linear_vel / max_linear_vel where that is below -1.

    **Action**: (N, 2) float32 in [-1, 1]: linear velocity from lowest to highest, angular velocity
    from full right to full left. Velocities follow within the acceleration limits.

    **Reward**: progress_reward per metre nearer to the goal, - step_penalty, - clearance_penalty
    within clearance_margin of an obstacle (linear), + goal_reward, - collision_penalty.

    **Start**: a random episode of the pool: free, connected to its goal, 3 m or more away from it,
    any heading, at rest.

    **Termination**: within xy_goal_tolerance of the goal, or touching an obstacle.
    **Truncation**: after time_limit.

    Autoreset is SAME_STEP: an episode that ends is followed by the next one's first observation in
    the same call. `infos['final_obs']` (N, size) holds the step's true next observations, of ended
    and of running episodes alike, and `infos['outcome']` (N,) how each episode ended
    (`navigation.task.Outcome`). Returned arrays are the caller's.
    """

    def __init__(
        self,
        num_envs: int,
        pool: EpisodePool,
        robot: RobotConfig | None = None,
        lidar: LidarConfig | None = None,
        task: TaskConfig | None = None,
        observation: ObservationConfig | None = None,
        seed: int = 0,
        threads: int = 1,
        disturbance: DisturbanceConfig | None = None,
    ) -> None:
        self.num_envs = num_envs
        self.robot, self.task = robot or RobotConfig(), task or TaskConfig()
        self.observation = observation or ObservationConfig()
        lidar = lidar or LidarConfig()
        self.metadata = {'autoreset_mode': AutoresetMode.SAME_STEP}
        self.pool = pool
        self.simulator = BatchSimulator(
            self.robot,
            lidar,
            pack_worlds(pool.worlds),
            num_envs,
            self.task.control_period,
            threads=threads,
            disturbance=disturbance,
        )
        self._encoder = ObservationEncoder(
            self.observation, self.robot, ScanGeometry.of(lidar), num_envs
        )
        self._terms, self._limits = Terms.of(self.task), Limits.of(self.robot)
        self._make_spaces()
        self._make_state()
        self._seed(seed)

    def _make_spaces(self) -> None:
        size, count = observation_size(self.observation), self.observation.num_sectors
        low, high = np.full(size, -1.0, np.float32), np.full(size, 1.0, np.float32)
        low[: count + 1] = 0.0
        reverse = min(self.robot.min_linear_vel / self.robot.max_linear_vel, -1.0)
        low[[count + 3, count + 5]] = reverse * (1.0 + 1e-6)  # rounding
        low[count + 7 :], high[count + 7 :] = -5.0, 5.0
        self.single_observation_space = gymnasium.spaces.Box(low, high)
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTION_SIZE,))
        batch = gymnasium.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, self.num_envs)
        self.action_space = batch(self.single_action_space, self.num_envs)

    def _make_state(self) -> None:
        n = self.num_envs
        self.goals = np.zeros((n, 2))
        self.distances = np.zeros(n)
        self.commands = np.zeros((n, 2))
        self.goal_in_robot_frame = np.zeros((n, 2))
        self._observations = np.empty((n, observation_size(self.observation)), np.float32)

    def _seed(self, seed: int) -> None:
        """Seed the draw of episodes and, apart from it, the lidar's noise."""
        episodes, noise = np.random.SeedSequence(seed).spawn(2)
        self._rng = np.random.default_rng(episodes)
        self.simulator.rng = np.random.default_rng(noise)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Start a new episode in every environment."""
        if seed is not None:
            self._seed(seed)
        self._start(self.simulator.rows)
        self._observe(self.simulator.rows)
        return self._observations.copy(), {}

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Floats, NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One control period of every robot; see the class for what comes back."""
        actions = np.clip(actions, -1.0, 1.0)
        self.commands[:, 0], self.commands[:, 1] = command_from_action(actions, self._limits)
        self.simulator.step(self.commands)
        previous = self.distances.copy()
        self._observe(self.simulator.rows)
        final = self._observations.copy()
        rewards, outcomes = evaluate(
            previous,
            self.distances,
            self.simulator.clearances,
            self.simulator.times,
            self._terms,
        )
        truncated = outcomes == Outcome.TIMEOUT
        terminated = (outcomes != Outcome.RUNNING) & ~truncated
        infos = {'final_obs': final, '_final_obs': terminated | truncated, 'outcome': outcomes}
        ended = np.flatnonzero(infos['_final_obs'])
        if len(ended):
            self._start(ended)
            self._observe(ended)
        return self._observations.copy(), rewards, terminated, truncated, infos

    def _start(self, rows: Rows) -> None:
        worlds = self._rng.integers(len(self.pool.worlds), size=len(rows))
        pairs = self._rng.integers(self.pool.starts.shape[1], size=len(rows))
        self.goals[rows] = self.pool.goals[worlds, pairs]
        self.commands[rows] = 0.0
        self.simulator.place(rows, worlds, self.pool.starts[worlds, pairs])

    def _observe(self, rows: Rows) -> None:
        """Observations and goal distances of `rows`, from their scans and poses."""
        everyone = len(rows) == self.num_envs
        index: Any = slice(None) if everyone else rows
        simulator = self.simulator
        odometry, goals = simulator.odometry[index], self.goals[index]
        goal = np.stack(to_robot_frame(*odometry.T, *goals.T), axis=-1)
        self.goal_in_robot_frame[index] = goal
        self.distances[index] = np.hypot(*(goals - simulator.poses[index, :2]).T)
        out = self._observations if everyone else np.empty_like(self._observations[index])
        self._encoder.encode(
            simulator.ranges[index],
            goal,
            simulator.measured_velocities[index],
            self.commands[index],
            out,
        )
        if not everyone:
            self._observations[index] = out
