"""stable-baselines3 in `rl_planner benchmark training`, through its public interface.

`defaults`: its own hyperparameters and networks, on one robot that gymnasium makes, with the noise
of its documentation's example, normal of 0.1.

`ours`: the recipe of `rl_planner train`, on as many robots at once: sizes of the networks, batch
and replay buffer, discount, tau, n-step returns, learning rate and its decay, updates per step, and
the same exploration. What it has no argument for is as it has it: one learning rate (our critic's)
for all networks, no penalty on saturated actions, a last actor layer as large as the others,
uniform actions in the warm-up, and TD3's delay and smoothing, which are those of the paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import DDPG, TD3
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import NormalActionNoise, VectorizedActionNoise

from rl_planner.cli import training_setup
from rl_planner.cli.training_contest import Judge, Trained
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.noise import ExplorationNoise
from rl_planner.navigation.config import ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.policy import ACTION_SIZE, Policy, PolicyMetadata
from rl_planner.simulation.registration import ENV_ID
from rl_planner.simulation.stable_baselines import StableBaselinesVecEnv

ALGORITHMS: dict[str, type[TD3]] = {'ddpg': DDPG, 'td3': TD3}
ENDLESS = 10**12  # transitions: the clock ends it


def train_peer(algorithm: str, recipe: str, settings: Mapping[str, Any], judge: Judge) -> Trained:
    """Train in the worlds of `rl_planner train` with the same settings."""
    seed = settings['seed']
    env: Any
    if recipe == 'ours':
        pool = training_setup.make_pool(settings, quiet=True)
        env = StableBaselinesVecEnv(training_setup.make_environment(settings, pool))
        options = _our_recipe(settings, judge)
    else:
        env = gymnasium.make(ENV_ID, seed=seed, num_worlds=training_setup.NUM_WORLDS)
        mean, sigma = np.zeros(ACTION_SIZE), np.full(ACTION_SIZE, 0.1)
        options = {'action_noise': NormalActionNoise(mean, sigma)}
    model = ALGORITHMS[algorithm]('MlpPolicy', env, seed=seed, device='cpu', **options)
    _warm_up(model, judge)
    judge.clock.start()
    model.learn(ENDLESS, callback=_Watch(judge))
    return Trained(policy_of(model), model.num_timesteps, model._n_updates)


def _our_recipe(settings: Mapping[str, Any], judge: Judge) -> dict[str, Any]:
    """Our hyperparameters by their names."""
    config = LearningConfig.from_mapping(settings['learning'])
    robots, budget_sec = training_setup.NUM_ROBOTS, judge.conditions.budget_sec
    rng = np.random.default_rng((settings['seed'], 1))

    def learning_rate(_remaining: float) -> float:
        over = min(judge.clock() / budget_sec, 1.0)
        return config.critic_learning_rate * (1.0 - (1.0 - config.final_learning_rate) * over)

    return {
        'learning_rate': learning_rate,
        'buffer_size': config.replay_capacity,
        'learning_starts': config.warmup_transitions,
        'batch_size': config.batch_size,
        'tau': config.tau,
        'gamma': config.discount,
        'n_steps': config.n_step,
        'train_freq': 1,
        'gradient_steps': max(round(config.updates_per_transition * robots), 1),
        'action_noise': _Exploration(ExplorationNoise(robots, config, rng)),
        'policy_kwargs': {'net_arch': [config.hidden_size] * config.hidden_layers},
    }


def _warm_up(model: TD3, judge: Judge) -> None:
    """Do once, off the clock, what is compiled when it is first done."""
    env = model.get_env()
    assert env is not None
    env.reset()
    env.step(np.zeros((env.num_envs, ACTION_SIZE), np.float32))
    judge.warm_up(policy_of(model))


def policy_of(model: TD3) -> Policy:
    """The actor as a policy of ours: the same layers, and tanh at the end."""
    linear = [layer for layer in model.actor.mu if isinstance(layer, torch.nn.Linear)]
    tensors = {
        f'actor.{index}.{name}': value.detach().numpy().copy()
        for index, layer in enumerate(linear)
        for name, value in layer.named_parameters()
    }
    period = TaskConfig().control_period
    metadata = PolicyMetadata.for_robot(RobotConfig(), ObservationConfig(), period, 'peer')
    return Policy(tensors, metadata)


class _Exploration(VectorizedActionNoise):
    """Our noise of all robots as theirs, which else calls one object for each robot."""

    def __init__(self, noise: ExplorationNoise) -> None:
        self._of_all = noise

    def __call__(self) -> NDArray[np.float32]:
        return self._of_all.sample()

    def reset(self, indices: Iterable[int] | None = None) -> None:
        everyone = range(training_setup.NUM_ROBOTS)
        self._of_all.restart(np.array(list(everyone if indices is None else indices)))


class _Watch(BaseCallback):
    """Has the policy judged when that is due, and ends the training when its time is up."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge

    def _on_step(self) -> bool:
        judge, model = self._judge, self.model
        if judge.due():
            assert isinstance(model, TD3)
            judge.watch(policy_of(model))
        return judge.clock() < judge.conditions.budget_sec
