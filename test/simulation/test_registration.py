"""The environment as gymnasium makes it, by gymnasium's and stable-baselines3's own checks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics
from stable_baselines3.common import env_checker as stable_baselines_checker

from rl_planner.navigation.config import ConfigError, RobotConfig
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.environment import NavigationVectorEnv
from rl_planner.simulation.navigation_env import NUM_WORLDS, NavigationEnv, make_vector_env
from rl_planner.simulation.registration import ENV_ID

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'gymnasium.md'
FEW: dict[str, Any] = {'num_worlds': 4, 'task': {'time_limit': 1.0}}


def make_vec(num_envs: int = 5, **options: Any) -> Any:
    return gymnasium.make_vec(ENV_ID, num_envs=num_envs, **{**FEW, **options})


def test_no_import_is_needed_but_gymnasium_itself() -> None:
    name = f'rl_planner.simulation.registration:{ENV_ID}'
    program = (
        f'import gymnasium; print(type(gymnasium.make({name!r}, num_worlds=2).unwrapped).__name__)'
    )
    command = [sys.executable, '-W', 'error', '-c', program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ('NavigationEnv\n', '')


@pytest.mark.parametrize(
    'options', [{}, {'robot': {'min_linear_vel': -1.0}, 'families': ['dense']}]
)
def test_one_robot_passes_the_checkers(options: dict[str, Any]) -> None:
    env = gymnasium.make(ENV_ID, **{**FEW, **options})
    assert isinstance(env.unwrapped, NavigationEnv)
    check_env(env.unwrapped)
    stable_baselines_checker.check_env(env.unwrapped)
    stable_baselines_checker.check_env(env)


def test_many_robots_are_what_gymnasium_calls_a_vector_environment() -> None:
    envs = make_vec()
    assert isinstance(envs, NavigationVectorEnv)
    assert envs.num_envs == 5
    assert envs.metadata['autoreset_mode'] is AutoresetMode.SAME_STEP
    assert envs.observation_space == batch_space(envs.single_observation_space, 5)
    assert envs.action_space == batch_space(envs.single_action_space, 5)
    observations, _ = envs.reset(seed=1, options={})
    for _ in range(30):
        assert observations in envs.observation_space
        actions = envs.action_space.sample()
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        assert (
            rewards.shape == terminated.shape == truncated.shape == infos['outcome'].shape == (5,)
        )
    envs.close()
    envs.close()


@pytest.mark.parametrize('mode', ['sync', 'vector_entry_point'])
def test_a_specification_makes_the_same_environment_again(mode: str) -> None:
    envs = make_vec(2, robot=RobotConfig(radius=0.2), vectorization_mode=mode)
    again = gymnasium.make_vec(EnvSpec.from_json(envs.spec.to_json()))
    first, _ = envs.reset(seed=3)
    np.testing.assert_array_equal(again.reset(seed=3)[0], first)
    assert first in again.observation_space


def test_wrappers_of_gymnasium_take_it() -> None:
    envs = DictInfoToList(RecordEpisodeStatistics(make_vec()))
    envs.reset(seed=0)
    for _ in range(10):
        *_, truncated, infos = envs.step(np.zeros((5, 2), np.float32))
    late = np.flatnonzero(truncated)  # 1.0 s of 0.1 s steps
    assert len(late)
    for index in late:
        info = infos[index]
        assert (info['outcome'], info['episode']['l']) == (Outcome.TIMEOUT, 10)


def drive(env: Any, seed: int, episodes: int) -> list[Any]:
    """What `episodes` of them bring, driven by the same random actions."""
    rng = np.random.default_rng(5)
    observation, _ = env.reset(seed=seed)
    record = [observation]
    while episodes:
        *results, info = env.step(rng.uniform(-1.0, 1.0, 2).astype(np.float32))
        record += [*results, info['outcome']]
        if results[2] or results[3]:
            episodes -= 1
            record.append(env.reset()[0])
    return record


def test_a_seed_repeats_all_episodes_exactly() -> None:
    one, other = (gymnasium.make(ENV_ID, **FEW) for _ in range(2))
    first = drive(one, 7, 6)
    for again in (drive(one, 7, 6), drive(other, 7, 6)):
        assert len(first) == len(again)
        assert all(np.array_equal(left, right) for left, right in zip(first, again, strict=True))
    assert not np.array_equal(first[0], drive(one, 8, 1)[0])


def test_one_robot_drives_as_a_vector_of_one() -> None:
    env, envs = gymnasium.make(ENV_ID, **FEW), make_vec(1)
    observation, _ = env.reset(seed=2)
    np.testing.assert_array_equal(observation, envs.reset(seed=2)[0][0])
    kinds = set()
    for _ in range(40):
        action = np.array([1.0, 0.3], np.float32)
        observation, reward, terminated, truncated, info = env.step(action)
        next_observation, rewards, *flags, infos = envs.step(action[None])
        np.testing.assert_array_equal(observation, infos['final_obs'][0])
        assert (reward, terminated, truncated) == (rewards[0], flags[0][0], flags[1][0])
        assert info == {'outcome': infos['outcome'][0], 'is_success': infos['outcome'][0] == 1}
        kinds.add(info['outcome'])
        if terminated or truncated:
            observation, _ = env.reset()
        np.testing.assert_array_equal(observation, next_observation[0])
    assert Outcome.TIMEOUT in kinds


def test_a_reset_within_an_episode_begins_another() -> None:
    env = gymnasium.make(ENV_ID, num_worlds=4)
    first, _ = env.reset(seed=0)
    env.step(np.zeros(2, np.float32))
    second, _ = env.reset()
    assert not np.array_equal(first, second)


def test_worlds_are_of_their_purpose_seed_and_families() -> None:
    def worlds(**options: Any) -> list[bytes]:
        pool = make_vec(1, **options).unwrapped.pool
        return [world.boxes.tobytes() for world in pool.worlds]

    usual = worlds()
    assert len(usual) == 4
    assert worlds(num_worlds=2) == usual[:2]
    others = [
        *worlds(seed=1),
        *worlds(purpose='evaluation'),
        *worlds(seed=1, purpose='evaluation'),
        *worlds(families=['dense']),
    ]
    assert len({*usual, *others}) == 4 + 16
    assert worlds(families=['static', 'dense'])[::2] == usual[::2]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'purpose': 'fun'}, "purpose must be one of training, evaluation, got 'fun'"),
        ({'families': ['static', 'moon']}, "families must be among static, .*, got 'moon'"),
        ({'families': []}, 'families must be among static, .*, got none'),
        ({'num_worlds': 0}, 'num_worlds must be at least 1, got 0'),
        ({'robot': {'radio': 1.0}}, r'unknown parameter robot\.radio, did you mean robot\.radius'),
        ({'task': {'time_limit': 0.0}}, r'^task\.time_limit must be above 0'),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_vec(**options)


def test_the_document_runs_as_it_is(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding='utf-8')
    blocks = re.findall(r'^```python\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    program = '\n'.join(['import torch; torch.set_num_threads(1)', *blocks, 'print(mean_reward)'])
    command = [sys.executable, '-W', 'error', '-c', program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, '')
    assert np.isfinite(float(done.stdout))
    assert f'| `num_worlds` | {NUM_WORLDS} |' in text


def test_importing_the_package_beside_gymnasium_is_enough() -> None:
    code = f'import gymnasium, rl_planner; print(gymnasium.spec({ENV_ID!r}).id)'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert run.stdout == f'{ENV_ID}\n'


def test_without_gymnasium_the_package_imports_none() -> None:
    code = "import rl_planner, sys; sys.exit(bool({'gymnasium', 'numba'} & sys.modules.keys()))"
    subprocess.run([sys.executable, '-c', code], check=True)


def test_an_evaluation_meets_all_families_alike() -> None:
    options: dict[str, Any] = {'families': ('static', 'dense'), 'num_worlds': 4}
    training = make_vector_env(1, **options)
    evaluation = make_vector_env(1, **options, purpose='evaluation')
    assert len(training.curriculum.chances()) == 2
    assert len(evaluation.curriculum.chances()) == 1
