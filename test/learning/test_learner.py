from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.learner import Learner
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import Policy, PolicyError


def feed(learner: Learner, count: int, step: int = 0) -> None:
    """One transition of each of `count` streams."""
    rng = np.random.default_rng(step)
    learner.add(
        np.arange(count),
        np.full(count, step),
        rng.normal(size=(count, learner.obs_size)),
        rng.uniform(-1.0, 1.0, (count, 2)),
        rng.normal(size=count),
        rng.normal(size=(count, learner.obs_size)),
        np.zeros(count, bool),
        np.zeros(count, bool),
    )


def train(learner: Learner) -> None:
    feed(learner, 100)
    for _ in range(learner.updates_due()):
        learner.update()


def test_updates_come_due_with_transitions_after_the_warm_up(
    make_learner: Callable[..., Learner],
) -> None:
    learner = make_learner()  # 40 transitions of warm-up, an update every 4
    due = []
    for step in range(6):
        feed(learner, 10, step)
        due.append(learner.updates_due())
    assert due == [0, 0, 0, 0, 2, 5]
    for _ in range(5):
        learner.update()
    assert learner.updates_due() == 0


def test_learning_rates_decay_linearly_to_the_final_share(
    make_learner: Callable[..., Learner], small_config: LearningConfig
) -> None:
    rates = {'actor_learning_rate': 2e-3, 'critic_learning_rate': 1e-3}
    learner = make_learner(config=replace(small_config, **rates))
    rates = []
    for fraction in (0.0, 0.5, 1.0, 1.7):
        learner.set_progress(fraction)
        rates.append([each.rate for each in learner.algorithm.optimizers()])
    expected = [[2e-3, 1e-3], [1.1e-3, 0.55e-3], [2e-4, 1e-4], [2e-4, 1e-4]]
    np.testing.assert_allclose(rates, expected)


def test_the_policy_acts_as_the_learner_and_says_where_it_comes_from(
    make_learner: Callable[..., Learner],
) -> None:
    learner = make_learner(seed=3)
    train(learner)
    policy = learner.policy()
    obs = np.random.default_rng(0).normal(size=(20, learner.obs_size)).astype(np.float32)
    np.testing.assert_allclose(policy.act(obs), learner.act(obs), atol=1e-6)
    assert policy.metadata.algorithm == 'ddpg'
    assert policy.metadata.provenance == {'seed': 3, 'transitions': 100, 'updates': 15}


def test_a_published_policy_does_not_change_with_the_learner(
    make_learner: Callable[..., Learner],
) -> None:
    learner = make_learner()
    policy = learner.policy()
    before = policy.to_bytes()
    train(learner)
    assert policy.to_bytes() == before


def test_a_restored_learner_goes_on_as_the_saved_one(make_learner: Callable[..., Learner]) -> None:
    first, second = make_learner(seed=0), make_learner(seed=1)
    train(first)
    second.restore(first.state())
    for learner in (first, second):
        learner.update()
    assert second.transitions == 100
    assert second.updates == first.updates == 16
    for mine, yours in zip(
        first.algorithm.tensors().values(), second.algorithm.tensors().values(), strict=True
    ):
        for name in mine:
            assert torch.equal(mine[name], yours[name])


def test_a_state_of_another_size_is_refused(
    make_learner: Callable[..., Learner], small_config: LearningConfig
) -> None:
    other = make_learner(config=replace(small_config, hidden_size=24))
    with pytest.raises(ValueError, match='hidden_size must be 16 as saved, got 24'):
        other.restore(make_learner().state())


def test_a_diverged_learner_gives_no_policy(make_learner: Callable[..., Learner]) -> None:
    learner = make_learner()
    learner.algorithm.actor.biases[0][0] = torch.nan
    with pytest.raises(PolicyError, match='finite'):
        learner.policy()


@pytest.mark.parametrize('algorithm', ['ddpg', 'td3', 'sac'])
def test_a_policy_to_begin_with_rests_while_critics_learn(
    make_learner: Callable[..., Learner], small_config: LearningConfig, algorithm: str
) -> None:
    config = replace(small_config, algorithm=algorithm, critic_warmup_updates=3, policy_delay=1)
    teacher, learner = make_learner(seed=1, config=config), make_learner(seed=2, config=config)
    train(teacher)
    learner.begin_with(teacher.policy())
    obs = np.random.default_rng(0).normal(size=(50, learner.obs_size)).astype(np.float32)
    expected = teacher.act(obs)
    assert learner.act(obs) == pytest.approx(expected, abs=1e-6)
    feed(learner, 100)
    before = learner.algorithm.critics[0].network.parameters.clone()
    for _ in range(3):
        assert 'actor_loss' not in learner.update()
    assert learner.act(obs) == pytest.approx(expected, abs=1e-6)
    assert not torch.equal(before, learner.algorithm.critics[0].network.parameters)
    again = make_learner(seed=3, config=config)
    again.restore(learner.state())
    for each in (learner, again):  # the rest is over, for one that was resumed too
        assert 'actor_loss' in each.update()
        assert np.abs(each.act(obs) - expected).max() > 1e-5


def test_a_policy_of_other_layers_or_observation_is_refused(
    make_learner: Callable[..., Learner], small_config: LearningConfig
) -> None:
    policy = make_learner().policy()
    wider = make_learner(config=replace(small_config, hidden_size=small_config.hidden_size + 1))
    with pytest.raises(PolicyError, match='hidden layers must have'):
        wider.begin_with(policy)
    sharper = replace(policy.metadata.observation, num_sectors=8)
    with pytest.raises(PolicyError, match='observation must be'):
        make_learner().begin_with(
            Policy(
                {
                    'actor.0.weight': np.zeros((2, observation_size(sharper))),
                    'actor.0.bias': np.zeros(2),
                },
                replace(policy.metadata, observation=sharper),
            )
        )
