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
from rl_planner.navigation.kinematics import Limits
from rl_planner.navigation.observation import (
    ROBOT_SCALES,
    ObservationEncoder,
    ScanGeometry,
    observation_size,
)
from rl_planner.navigation.policy import ACTION_SIZE
from rl_planner.navigation.task import Outcome, Terms
from rl_planner.simulation.compiled import Floats
from rl_planner.simulation.curriculum import Curriculum
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.episodes import EpisodePool
from rl_planner.simulation.experience import Results, begin, command, conclude, make_results
from rl_planner.simulation.history import Past
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.perception import Scales, Sectors
from rl_planner.simulation.simulator import BatchSimulator, Rows


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
    | earlier_sectors | 0 or 36 | [0, 1] | with history_steps: an earlier scan, seen from here |

    Linear velocities go down to min_linear_vel / max_linear_vel where that is below -1.

    **Action**: (N, 2) float32 in [-1, 1]: linear velocity from lowest to highest, angular velocity
    from full right to full left. Velocities follow within the acceleration limits.

    **Reward**: progress_reward per metre nearer to the goal, - step_penalty, - clearance_penalty
    within clearance_margin of an obstacle (linear), + goal_reward, - collision_penalty. Of the
    clearances within the step the least counts.

    **Start**: a random episode of the pool: free, connected to its goal, 3 m or more away from it,
    any heading, at rest. Of several families of worlds, `curriculum` chooses.

    **Termination**: within xy_goal_tolerance of the goal, or touching an obstacle.
    **Truncation**: after time_limit.

    Autoreset is SAME_STEP: an episode that ends is followed by the next one's first observation in
    the same call. `infos['final_obs']` (N, size) holds the step's true next observations, of ended
    and of running episodes alike, and `infos['outcome']` (N,) how each episode ended
    (`navigation.task.Outcome`).

    Returned arrays are the caller's. With `copy=False` they are the environment's own, made once
    and valid until the step after the next.
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
        copy: bool = True,
    ) -> None:
        self.num_envs = num_envs
        self.robot, self.task = robot or RobotConfig(), task or TaskConfig()
        self.observation = observation or ObservationConfig()
        lidar = lidar or LidarConfig()
        self.metadata = {'autoreset_mode': AutoresetMode.SAME_STEP}
        self.pool, self.curriculum = pool, Curriculum(pool.families)
        self.simulator = BatchSimulator(
            self.robot,
            lidar,
            pack_worlds(pool.worlds),
            num_envs,
            self.task.control_period,
            threads=threads,
            disturbance=disturbance,
        )
        self._copy = copy
        encoder = ObservationEncoder(self.observation, self.robot, ScanGeometry.of(lidar), num_envs)
        self._sectors, self._scales = Sectors.of(encoder), Scales.of(encoder)
        self._past = Past.of(self.observation, num_envs)
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
        robot = slice(count + 7, count + 7 + len(ROBOT_SCALES))
        low[robot], high[robot] = -5.0, 5.0
        low[robot.stop :] = 0.0
        self.single_observation_space = gymnasium.spaces.Box(low, high)
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTION_SIZE,))
        batch = gymnasium.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, self.num_envs)
        self.action_space = batch(self.single_action_space, self.num_envs)

    def _make_state(self) -> None:
        n, size = self.num_envs, observation_size(self.observation)
        self.goals, self.commands = np.zeros((n, 2)), np.zeros((n, 2))
        self.distances = np.zeros(n)
        self._newer, self._older = make_results(n, size), make_results(n, size)

    def _seed(self, seed: int) -> None:
        """Seed the draw of episodes and, apart from it, the lidar's noise."""
        episodes, noise = np.random.SeedSequence(seed).spawn(2)
        self._rng = np.random.default_rng(episodes)
        self.simulator.rng = np.random.default_rng(noise)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Start a new episode in every environment.

        The curriculum begins anew, or with the `success_rates` of the options: a training goes on.
        """
        if seed is not None:
            self._seed(seed)
        self.curriculum = Curriculum(self.pool.families)
        if known := (options or {}).get('success_rates'):
            self.curriculum.success_rates[:] = [known[name] for name in self.pool.names]
        self._newer, self._older = self._older, self._newer
        self._start(self.simulator.rows)
        observations = self._newer.observations
        return observations.copy() if self._copy else observations, {}

    def success_rates(self) -> dict[str, float]:
        """The share of recent episodes in each family of worlds that reached the goal."""
        return dict(zip(self.pool.names, self.curriculum.success_rates.tolist(), strict=True))

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Floats, NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One control period of every robot; see the class for what comes back.

        Raises:
            ValueError: the actions are not (N, 2), or one is not finite; nothing has moved.
        """
        actions = np.asarray(actions)
        if actions.shape != self.commands.shape:
            raise ValueError(f'actions must be {self.commands.shape}, got {actions.shape}')
        if not np.isfinite(actions).all():
            row = int(np.flatnonzero(~np.isfinite(actions).all(axis=1))[0])
            raise ValueError(f'action of robot {row} must be finite, got {actions[row]}')
        command(actions, self._limits, self.commands)
        results = self._older
        judged = (self._sectors, self._scales, self._past, self._terms, results)
        goals, distances, commands = self.goals, self.distances, self.commands
        self.simulator.step(
            commands,
            then=lambda rows, robots: conclude(rows, robots, goals, distances, commands, *judged),
        )
        self._newer, self._older = results, self._newer
        ended = np.flatnonzero(results.ended)
        if len(ended):
            succeeded = results.outcomes[ended] == Outcome.GOAL
            self.curriculum.add(self.simulator.worlds[ended], succeeded)
            self._start(ended)
        if self._copy:
            results = Results._make(each.copy() for each in results)
        infos = {
            'final_obs': results.final_observations,
            '_final_obs': results.ended,
            'outcome': results.outcomes,
        }
        return results.observations, results.rewards, results.terminated, results.truncated, infos

    def _start(self, rows: Rows) -> None:
        """Begin new episodes, and observe where they begin."""
        worlds = self.curriculum.draw(self._rng, len(rows))
        pairs = self._rng.integers(self.pool.starts.shape[1], size=len(rows))
        self.simulator.place(rows, worlds, self.pool.starts[worlds, pairs])
        begin(
            rows,
            self.pool.goals[worlds, pairs],
            self.simulator.robots,
            self.goals,
            self.distances,
            self.commands,
            self._sectors,
            self._scales,
            self._past,
            self._newer.observations,
        )
