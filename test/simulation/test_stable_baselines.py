"""An agent of stable-baselines3 trains on the vector environment, told what it must be told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.wrappers import TimeLimit
from stable_baselines3 import DDPG, TD3
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor

from rl_planner.navigation.task import Outcome
from rl_planner.simulation.navigation_env import make_vector_env
from rl_planner.simulation.stable_baselines import StableBaselinesVecEnv

torch.set_num_threads(1)  # networks this small gain nothing from a second one


def make(num_envs: int = 8, **options: Any) -> StableBaselinesVecEnv:
    options = {'num_worlds': 4, 'families': ['dense'], **options}
    return StableBaselinesVecEnv(make_vector_env(num_envs, **options))


@pytest.mark.parametrize('algorithm', [DDPG, TD3])
def test_an_agent_trains(algorithm: Any) -> None:
    env = make()
    model = algorithm(
        'MlpPolicy', env, learning_starts=80, batch_size=32, n_steps=4, seed=0, device='cpu'
    )
    before = {name: value.clone() for name, value in model.policy.state_dict().items()}
    model.learn(800)
    assert model.num_timesteps == 800
    assert model._n_updates == 90  # one a step of 8 robots, from 80 transitions on
    assert model.replay_buffer.pos == 100
    after = model.policy.state_dict()
    assert before.keys() == after.keys()
    for name, value in after.items():
        assert torch.isfinite(value).all()
        assert not torch.equal(value, before[name]), name


def test_an_agent_is_told_how_an_episode_ended() -> None:
    env, twin = make(40, task={'time_limit': 2.0}), make(40, task={'time_limit': 2.0}).env
    env.seed(3)
    np.testing.assert_array_equal(env.reset(), twin.reset(seed=3)[0])
    kinds = set()
    for _ in range(25):
        actions = np.tile(np.array([1.0, 0.1], np.float32), (40, 1))
        observations, rewards, ended, infos = env.step(actions)
        expected, values, terminated, truncated, truth = twin.step(actions)
        np.testing.assert_array_equal(observations, expected)
        np.testing.assert_allclose(rewards, values, rtol=1e-6)
        assert (rewards.dtype, ended.dtype, len(infos)) == (np.float32, np.bool_, 40)
        for index, info in enumerate(infos):
            assert ended[index] == (terminated[index] or truncated[index])
            if not ended[index]:
                assert info == {}
                continue
            outcome = truth['outcome'][index]
            kinds.add(int(outcome))
            np.testing.assert_array_equal(info['terminal_observation'], truth['final_obs'][index])
            assert info['TimeLimit.truncated'] == (outcome == Outcome.TIMEOUT)
            assert info['is_success'] == (outcome == Outcome.GOAL)
    assert kinds >= {Outcome.COLLISION, Outcome.TIMEOUT}


def test_a_timeout_is_not_a_terminal_state_in_the_replay_buffer() -> None:
    # At 0.1 m/s it does not come through the 0.08 m that are free around every start.
    env = make(2, task={'time_limit': 0.5}, robot={'max_linear_vel': 0.1})
    model = DDPG('MlpPolicy', env, learning_starts=10**6, buffer_size=40, seed=0, device='cpu')
    model.learn(20)
    replay = model.replay_buffer
    assert replay.dones[:10].sum() == 4  # two robots, at steps 5 and 10 of 0.1 s
    np.testing.assert_array_equal(replay.timeouts[:10], replay.dones[:10])


def test_one_seed_decides_all() -> None:
    def weights(seed: int) -> Any:
        model = TD3('MlpPolicy', make(), learning_starts=40, batch_size=16, seed=seed, device='cpu')
        return model.learn(160).actor.mu[0].weight.detach()

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_it_is_evaluated_and_monitored_by_their_own_means() -> None:
    env = VecMonitor(make(task={'time_limit': 1.0}))
    model = TD3('MlpPolicy', env, seed=0, device='cpu')
    rewards, lengths = evaluate_policy(model, env, 10, return_episode_rewards=True)
    assert len(rewards) == 10
    assert set(lengths) <= set(range(1, 11))


def test_the_robots_are_one_environment() -> None:
    env = make(3)
    assert env.get_attr('num_envs') == [3, 3, 3]
    assert env.get_attr('num_envs', [0, 2]) == [3, 3]
    assert env.env_is_wrapped(TimeLimit, 0) == [False]
    for call in (lambda: env.set_attr('task', None), lambda: env.env_method('reset')):
        with pytest.raises(NotImplementedError, match='the robots are one environment'):
            call()
    env.close()
