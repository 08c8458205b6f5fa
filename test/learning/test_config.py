from __future__ import annotations

import subprocess
import sys

import pytest

from rl_planner.learning.config import ExplorationConfig, LearningConfig
from rl_planner.navigation.config import ConfigError


def test_the_noise_scales_must_be_in_order() -> None:
    with pytest.raises(ConfigError, match=r'sigma_min must be at most sigma_max 0\.6, got 0\.7'):
        ExplorationConfig(sigma_min=0.7)


def test_the_warm_up_must_fit_into_the_replay_buffer() -> None:
    with pytest.raises(
        ConfigError, match='warmup_transitions must be at most replay_capacity 10, got 20'
    ):
        LearningConfig(replay_capacity=10, warmup_transitions=20)


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ConfigError, match='algorithm must be one of ddpg, td3, sac, got dqn'):
        LearningConfig.from_mapping({'algorithm': 'dqn'})


@pytest.mark.parametrize('module', ['rl_planner.learning', 'rl_planner.learning.noise'])
def test_what_the_actor_node_needs_imports_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
