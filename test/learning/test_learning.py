"""Every algorithm learns to drive: in seconds, in worlds that it has never seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rl_planner.evaluation.learned import LearnedPlanner
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.suites import make_suite
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.learner import Learner
from rl_planner.learning.noise import ExplorationNoise
from rl_planner.learning.run import RunFolder
from rl_planner.learning.training import Budget, train
from rl_planner.navigation.policy import Policy, PolicyMetadata
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.navigation_env import make_vector_env

ALGORITHMS = LearningConfig.__dataclass_fields__['algorithm'].metadata['bounds'].choices
STEPS = 500 * 128
EPISODES = 100


def success_rate(policy: Policy) -> float:
    suite = make_suite('static', EPISODES, seed=0)
    run = evaluate(LearnedPlanner(policy, suite.setting), suite.scenarios, suite.setting)
    return sum(each.outcome == Outcome.GOAL for each in run.results) / EPISODES


@pytest.mark.parametrize('algorithm', ALGORITHMS)
def test_it_learns_to_drive(algorithm: str, run_path: Path) -> None:
    env = make_vector_env(128, num_worlds=100, seed=1)
    config = LearningConfig(algorithm=algorithm)
    metadata = PolicyMetadata.for_robot(env.robot, env.observation, 0.1, algorithm)
    learner = Learner(metadata, config, 'cpu', seed=1)
    untrained = success_rate(learner.policy())
    noise = ExplorationNoise(env.num_envs, config, np.random.default_rng(1))
    with RunFolder(run_path) as run:
        summary = train(env, learner, run, Budget(steps=STEPS), noise)
    assert summary.steps == STEPS
    trained = success_rate(learner.policy())
    # Untrained, it goes straight on. 0.25 is more than five standard deviations of 100 episodes.
    assert untrained < 0.1
    assert trained > untrained + 0.25
