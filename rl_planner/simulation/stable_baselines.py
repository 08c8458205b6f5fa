"""The vector environment as stable-baselines3 takes it: pip install 'rl_planner[peers]'."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_planner.navigation.task import Outcome
from rl_planner.simulation.environment import NavigationVectorEnv

Indices = int | Iterable[int] | None


class StableBaselinesVecEnv(VecEnv):
    """All robots of a `NavigationVectorEnv`, stepped at once, without a process or loop per robot.

        model = TD3('MlpPolicy', StableBaselinesVecEnv(envs))

    Where an episode ends, `infos[i]` holds `terminal_observation`, `TimeLimit.truncated` and
    `is_success`; elsewhere it is empty.
    """

    def __init__(self, env: NavigationVectorEnv) -> None:
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> NDArray[np.float32]:
        """Start a new episode everywhere; one seed, that of the first robot, decides all."""
        observations, _ = self.env.reset(seed=self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        observations, rewards, terminated, truncated, infos = self.env.step(self._actions)
        ended = terminated | truncated
        listed: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(ended).tolist():
            listed[index] = {
                'terminal_observation': infos['final_obs'][index],
                'TimeLimit.truncated': bool(truncated[index]),
                'is_success': bool(infos['outcome'][index] == Outcome.GOAL),
            }
        return observations, rewards.astype(np.float32), ended, listed

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        return [getattr(self.env, attr_name)] * self._count(indices)

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        raise NotImplementedError('the robots are one environment: none has attributes of its own')

    def env_method(
        self, method_name: str, *args: Any, indices: Indices = None, **kwargs: Any
    ) -> list[Any]:
        raise NotImplementedError('the robots are one environment: none has methods of its own')

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: Indices = None
    ) -> list[bool]:
        return [False] * self._count(indices)

    def get_images(self) -> Sequence[NDArray[Any] | None]:
        return [None] * self.num_envs

    def _count(self, indices: Indices) -> int:
        return len(list(self._get_indices(indices)))
