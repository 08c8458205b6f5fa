"""The environment of tensors is the compiled one, and nothing in it waits for a GPU."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from support.devices import DEVICES
from support.host_waits import HostWaits

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.curriculum import Curriculum
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.environment import NavigationVectorEnv, begin
from rl_planner.simulation.episodes import EpisodePool, random_pool
from rl_planner.simulation.random_world import Purpose
from rl_planner.simulation.tensor_environment import TensorNavigationEnv
from rl_planner.simulation.world import World

torch.set_num_threads(1)  # so few robots gain nothing from a second one

N = 48
POOL = random_pool(
    Purpose.TRAINING, 0, 12, RobotConfig(), ['static', 'dynamic-4', 'dense'], pairs_per_world=4
)
FAST = {'max_linear_vel': 2.0, 'max_linear_accel': 10.0, 'min_linear_vel': -0.5}
DISTURBED = DisturbanceConfig(
    command_latency=0.25, gain=0.9, gain_error=0.2, odometry_error=0.1, lidar_dropout=0.1
)


class Twin:
    """The compiled environment, driving the episodes that the one of tensors has drawn."""

    def __init__(self, env: TensorNavigationEnv, **options: Any) -> None:
        self.env, self.compiled = env, NavigationVectorEnv(env.num_envs, POOL, **options)
        self.compiled.reset(seed=0)
        self.follow(self.compiled.simulator.rows)

    def follow(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Begin the episodes that the other has begun for robots `rows`; their observations."""
        ours, theirs = self.compiled, self.env.simulator
        sim = ours.simulator
        sim.place(rows, theirs.worlds.cpu().numpy()[rows], theirs.poses.cpu().numpy()[rows])
        sim._gains[:] = theirs.gains.cpu().numpy()  # the one thing that is drawn
        sim._odometry_gains[:] = theirs.odometry_gains.cpu().numpy()
        begin(
            rows,
            self.env.goals.cpu().numpy()[rows],
            sim.robots,
            ours.goals,
            ours.distances,
            ours.commands,
            ours._sectors,
            ours._scales,
            ours._past,
            ours._newer.observations,
        )
        return ours._newer.observations


def actions_for(rng: np.random.Generator) -> NDArray[np.float32]:
    """Mostly forward, some beyond what is allowed."""
    return rng.uniform((-0.5, -1.2), 1.2, (N, 2)).astype(np.float32)


CASES: dict[str, dict[str, Any]] = {
    'as it comes': {},
    'rectangle, two pieces a step': {
        'robot': RobotConfig(radius=0.3, footprint_length=0.5, footprint_width=0.3, **FAST)
    },
    'history': {'observation': ObservationConfig(history_steps=3, num_sectors=24)},
    'lidar off the base': {
        'lidar': LidarConfig(num_beams=90, mount_x=0.1, mount_yaw=0.3, field_of_view=4.0),
        'observation': ObservationConfig(num_sectors=12),
    },
    'fewer beams than sectors': {'lidar': LidarConfig(num_beams=20, mount_inverted=True)},
    'disturbed': {
        'disturbance': DisturbanceConfig(
            command_latency=0.25, gain=0.9, gain_error=0.2, odometry_error=0.1
        )
    },
}


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('options', CASES.values(), ids=CASES)
def test_it_does_what_the_compiled_environment_does(options: dict[str, Any], device: str) -> None:
    options = {'task': TaskConfig(time_limit=2.5), **options}
    env = TensorNavigationEnv(N, POOL, device=device, seed=1, **options)
    observations, _ = env.reset()
    twin = Twin(env, **options)
    compiled = twin.compiled
    np.testing.assert_allclose(observations.cpu(), compiled._newer.observations, atol=2e-5)
    rng, kinds = np.random.default_rng(0), set()
    for _ in range(40):
        actions = actions_for(rng)
        *told, infos = env.step(torch.from_numpy(actions).to(device))
        observations, rewards, terminated, truncated = (each.cpu() for each in told)
        infos = {name: each.cpu() for name, each in infos.items()}
        _, wanted_rewards, *wanted, wanted_infos = compiled.step(actions)
        np.testing.assert_array_equal(infos['outcome'], wanted_infos['outcome'])
        np.testing.assert_array_equal(infos['_final_obs'], wanted_infos['_final_obs'])
        for flags, wanted_flags in zip((terminated, truncated), wanted, strict=True):
            np.testing.assert_array_equal(flags, wanted_flags)
        np.testing.assert_allclose(rewards, wanted_rewards, atol=1e-5)
        np.testing.assert_allclose(infos['final_obs'], wanted_infos['final_obs'], atol=5e-5)
        rows = np.flatnonzero(wanted_infos['outcome'])
        expected = wanted_infos['final_obs'].copy()
        if len(rows):
            expected[rows] = twin.follow(rows)[rows]
        np.testing.assert_allclose(observations, expected, atol=5e-5)
        np.testing.assert_allclose(env.simulator.poses.cpu(), compiled.simulator.poses, atol=1e-6)
        np.testing.assert_allclose(
            env.simulator.least_clearances.cpu(), compiled.simulator.least_clearances, atol=1e-5
        )
        kinds |= set(wanted_infos['outcome'].tolist())
    assert kinds >= {Outcome.RUNNING, Outcome.COLLISION, Outcome.TIMEOUT}


def test_the_goal_terminates() -> None:
    starts, goals = np.zeros((1, 1, 3)), np.array([[[0.5, 0.0]]])
    env = TensorNavigationEnv(
        1, EpisodePool([World()], starts, goals, np.zeros(1, int)), device='cpu'
    )
    env.reset()
    # 0.025 + 0.05 (n - 1) m after n steps: 0.25 m are left at n = 5.5
    steps = [env.step(torch.ones(1, 2) * torch.tensor([1.0, 0.0])) for _ in range(6)]
    assert [step[4]['outcome'].item() for step in steps] == [0] * 5 + [Outcome.GOAL]
    assert [step[2].item() for step in steps] == [False] * 5 + [True]
    assert steps[5][1].item() == pytest.approx(0.5 * 0.05 - 0.002 + 2.0, abs=1e-6)
    assert steps[4][1].item() == pytest.approx(0.5 * 0.05 - 0.002, abs=1e-6)


def test_episodes_come_from_the_pool_and_begin_at_rest() -> None:
    env = TensorNavigationEnv(400, POOL, device='cpu', seed=2)
    env.reset()
    worlds = env.simulator.worlds.numpy()
    assert set(worlds.tolist()) == set(range(12))
    for row in range(400):
        starts, goals = POOL.starts[worlds[row]], POOL.goals[worlds[row]]
        pairs = np.flatnonzero((starts == env.simulator.poses[row].numpy()).all(axis=1))
        assert any((goals[pair] == env.goals[row].numpy()).all() for pair in pairs)
    assert not env.simulator.velocities.any()


def test_the_curriculum_is_the_compiled_ones() -> None:
    env = TensorNavigationEnv(64, POOL, device='cpu')
    env.reset(seed=0)
    curriculum, rng = Curriculum(POOL.families), np.random.default_rng(1)
    for _ in range(50):
        worlds = rng.integers(12, size=64)
        # family 0 succeeds more often than not
        ended, lucky = rng.random(64) < 0.5, rng.random(64) < 0.8 - 0.35 * POOL.families[worlds]
        outcomes = np.where(ended, np.where(lucky, Outcome.GOAL, Outcome.COLLISION), 0)
        env.episodes.add(torch.from_numpy(worlds), torch.from_numpy(outcomes))
        curriculum.add(worlds[ended], lucky[ended])
    np.testing.assert_allclose(env.episodes.success_rates, curriculum.success_rates)
    drawn = env.episodes.draw(20000, env.generator).worlds.numpy()
    shares = np.bincount(POOL.families[drawn]) / 20000
    # the standard error of a share is at most 0.0035
    np.testing.assert_allclose(shares, curriculum.chances(), atol=0.014)
    of_first = np.bincount(drawn)[POOL.families == 0]
    np.testing.assert_allclose(of_first / of_first.sum(), 1.0 / len(of_first), atol=0.03)
    env.reset()
    assert (env.episodes.success_rates == 0.5).all()
    rates = {name: 0.25 * number for number, name in enumerate(POOL.names)}
    env.reset(options={'success_rates': rates})
    assert env.success_rates() == rates


def recorded(env: TensorNavigationEnv, seed: int) -> torch.Tensor:
    rng = np.random.default_rng(0)
    seen = [env.reset(seed=seed)[0]]
    seen += [env.step(torch.from_numpy(actions_for(rng)))[0] for _ in range(15)]
    return torch.stack(seen)


def test_a_seed_repeats_everything() -> None:
    options: dict[str, Any] = {
        'lidar': LidarConfig(num_beams=24, noise_std=0.05),
        'task': TaskConfig(time_limit=1.0),
        'disturbance': DISTURBED,
        'device': 'cpu',
    }
    env = TensorNavigationEnv(N, POOL, **options)
    first = recorded(env, 4)
    assert torch.equal(first, recorded(env, 4))
    assert torch.equal(first, recorded(TensorNavigationEnv(N, POOL, seed=9, **options), 4))
    assert not torch.equal(first, recorded(env, 5))


def test_returned_tensors_are_the_callers() -> None:
    env, twin = (TensorNavigationEnv(N, POOL, device='cpu') for _ in range(2))
    kept = [env.reset(seed=0)[0]]
    twin.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(12):
        actions = torch.from_numpy(actions_for(rng))
        *tensors, infos = env.step(actions)
        *expected, expected_infos = twin.step(actions)
        for tensor, right in zip(tensors, expected, strict=True):
            assert torch.equal(tensor, right)
        assert torch.equal(infos['final_obs'], expected_infos['final_obs'])
        for tensor in [*tensors, *infos.values(), *kept]:
            tensor.zero_()  # what does the environment care
        kept = tensors


def test_noise_and_dropout_are_as_told() -> None:
    still = EpisodePool(
        [World(walls=np.array([[1.0, 9.0, 1.0, -9.0]]))],
        np.zeros((1, 1, 3)),
        np.array([[[-3.0, 0.0]]]),
        np.zeros(1, int),
    )
    lidar = LidarConfig(num_beams=3, field_of_view=0.02, angle_min=-0.01, noise_std=0.1)
    disturbance = DisturbanceConfig(lidar_dropout=0.25)
    env = TensorNavigationEnv(4000, still, lidar=lidar, device='cpu', disturbance=disturbance)
    env.reset(seed=0)
    rest = torch.tensor([-1.0, 0.0]).expand(4000, 2)
    scans = [env.simulator.ranges]
    scans += [(env.step(rest), env.simulator.ranges)[1] for _ in range(2)]
    for scan in scans:
        seen = torch.isfinite(scan)
        # of 12,000 readings; within five standard errors
        assert seen.double().mean().item() == pytest.approx(0.75, abs=0.02)
        assert scan[seen].mean().item() == pytest.approx(1.0, abs=0.006)
        assert scan[seen].std().item() == pytest.approx(0.1, abs=0.004)
    assert not torch.equal(scans[1], scans[2])


def test_actions_of_another_shape_are_refused() -> None:
    env = TensorNavigationEnv(3, POOL, device='cpu')
    env.reset()
    with pytest.raises(ValueError, match=r'actions must be \(3, 2\), got \(4, 2\)'):
        env.step(torch.zeros(4, 2))


def test_the_documented_example_runs() -> None:
    text = (Path(__file__).parents[2] / 'docs' / 'gpu.md').read_text(encoding='utf-8')
    (program,) = re.findall(r'^```python\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    assert names['observations'].shape == (64, 51)


EVERYTHING: dict[str, Any] = {
    'robot': RobotConfig(radius=0.3, footprint_length=0.5, footprint_width=0.3, **FAST),
    'lidar': LidarConfig(num_beams=30, mount_x=0.1, noise_std=0.05),
    'observation': ObservationConfig(history_steps=2),
    'disturbance': DISTURBED,
}


class Meta(torch.Generator):
    """The device `meta` has no generator; its tensors have no values that one could draw."""

    def __new__(cls, device: Any) -> torch.Generator:
        return super().__new__(cls)


@pytest.mark.parametrize('options', [{}, EVERYTHING])
def test_nothing_waits_for_the_device(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the device `meta` there are no values: whoever asks for one gets an error."""
    with monkeypatch.context() as patch:
        patch.setattr(torch, 'Generator', Meta)
        env = TensorNavigationEnv(N, POOL, device='meta', **options)
    env.generator = env.simulator.generator = None  # type: ignore[assignment]
    with HostWaits('meta') as waits:
        env.reset()
        for _ in range(2):
            observations, *_ = env.step(torch.zeros(N, 2, device='meta'))
    assert waits.found == []
    assert observations.device.type == 'meta'
