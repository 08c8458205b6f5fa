"""The environment as tensors: thousands of robots on a GPU, and nothing waits for the host."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.kinematics import Limits, command_from_parts
from rl_planner.navigation.observation import ObservationEncoder, ScanGeometry
from rl_planner.navigation.policy import ACTION_SIZE
from rl_planner.navigation.task import Outcome, Terms, outcome_of, reward_of
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.episodes import EpisodePool
from rl_planner.simulation.tensor_episodes import TensorEpisodes
from rl_planner.simulation.tensor_observation import TensorObserver
from rl_planner.simulation.tensor_simulator import TensorSimulator
from rl_planner.simulation.tensor_worlds import TensorWorlds


class TensorNavigationEnv:
    """`NavigationVectorEnv` with tensors of a device: its docstring is the specification of both.

    Observations (N, size), actions (N, 2) and rewards (N,) are float32, `terminated` and
    `truncated` (N,) bool. Actions that are not finite are not refused, as that would mean to wait
    for them: who gives them must look after that.

    Of one seed it draws other episodes than `NavigationVectorEnv` does, from the same pool.

    Attributes:
        parts: the objects whose attributes hold all tensors that change.
        generator: what everything random is drawn from.
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
        device: torch.device | str = 'cuda',
        disturbance: DisturbanceConfig | None = None,
    ) -> None:
        self.num_envs, self.device = num_envs, torch.device(device)
        self.robot, self.task = robot or RobotConfig(), task or TaskConfig()
        self.observation = observation or ObservationConfig()
        lidar = lidar or LidarConfig()
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.simulator = TensorSimulator(
            self.robot,
            lidar,
            TensorWorlds.of(pool.worlds, self.device),
            num_envs,
            self.task.control_period,
            self.generator,
            disturbance,
        )
        self.episodes = TensorEpisodes(pool, self.simulator)
        encoder = ObservationEncoder(self.observation, self.robot, ScanGeometry.of(lidar), num_envs)
        self._observer = TensorObserver(encoder, num_envs, self.device)
        self._terms, self._limits = Terms.of(self.task), Limits.of(self.robot)
        pairs = torch.zeros(num_envs, 2, dtype=torch.float64, device=self.device)
        self.goals, self.commands, self.distances = pairs, pairs, pairs[:, 0]
        self.parts = (self, self.simulator, self.episodes, *self._observer.parts)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Start a new episode in every environment; see `NavigationVectorEnv.reset`."""
        if seed is not None:
            self.generator.manual_seed(seed)
        self.episodes.forget((options or {}).get('success_rates'))
        return self._start(torch.ones(self.num_envs, dtype=torch.bool, device=self.device)), {}

    def success_rates(self) -> dict[str, float]:
        """As `NavigationVectorEnv.success_rates`; the host waits for them."""
        rates = self.episodes.success_rates.tolist()
        return dict(zip(self.episodes.names, rates, strict=True))

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One control period of every robot, as `NavigationVectorEnv.step`.

        Raises:
            ValueError: the actions are not (N, 2); nothing has moved.
        """
        if actions.shape != (self.num_envs, ACTION_SIZE):
            raise ValueError(
                f'actions must be {(self.num_envs, ACTION_SIZE)}, got {tuple(actions.shape)}'
            )
        forward, turn = actions.double().clamp(-1.0, 1.0).unbind(1)
        self.commands = torch.stack(command_from_parts(forward, turn, self._limits), dim=1)
        self.simulator.step(self.commands)
        final = self._observe()
        rewards, outcomes = self._judge()
        ended = outcomes != Outcome.RUNNING
        self.episodes.add(self.simulator.worlds, outcomes)
        observations = torch.where(ended[:, None], self._start(ended), final)
        infos = {'final_obs': final, '_final_obs': ended, 'outcome': outcomes}
        truncated = outcomes == Outcome.TIMEOUT
        return observations, rewards.float(), ended & ~truncated, truncated, infos

    def _judge(self) -> tuple[Tensor, Tensor]:
        """(N,) rewards and outcomes of the step, as `task.evaluate`."""
        simulator, terms = self.simulator, self._terms
        previous, self.distances = self.distances, self._distances()
        clearances = simulator.least_clearances
        outcomes = outcome_of(self.distances, clearances, simulator.times, terms)
        closeness = (1.0 - clearances / terms.clearance_margin).clamp(0.0, 1.0)
        return reward_of(previous - self.distances, closeness, outcomes, terms), outcomes

    def _start(self, chosen: Tensor) -> Tensor:
        """Begin new episodes for the robots of a mask (N,); their first observations.

        One is drawn for every robot: how many begin, the host does not know.
        """
        drawn, rows = self.episodes.draw(self.num_envs, self.generator), chosen[:, None]
        self.simulator.place(chosen, drawn.worlds, drawn.starts, drawn.ranges, drawn.clearances)
        self.goals = torch.where(rows, drawn.goals, self.goals)
        self.commands = torch.where(rows, 0.0, self.commands)
        self.distances = torch.where(chosen, self._distances(), self.distances)
        return self._observe(chosen)

    def _observe(self, begun: Tensor | None = None) -> Tensor:
        simulator = self.simulator
        return self._observer.observe(
            simulator.ranges,
            simulator.odometry,
            simulator.measured_velocities,
            self.commands,
            self.goals,
            begun,
        )

    def _distances(self) -> Tensor:
        """(N,) from each robot to its goal (m)."""
        away = self.goals - self.simulator.poses[:, :2]
        return away.square().sum(dim=1).sqrt()
