"""The vector environment keeps what its docstring promises."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from rl_planner.navigation.config import (
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
)
from rl_planner.navigation.geometry import to_robot_frame
from rl_planner.navigation.observation import ObservationEncoder, ScanGeometry, layout
from rl_planner.navigation.task import Outcome
from rl_planner.simulation import parallel
from rl_planner.simulation.environment import NavigationVectorEnv
from rl_planner.simulation.episodes import EpisodePool, random_pool
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.random_world import Purpose
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.world import World

LIDAR = LidarConfig(num_beams=24)
OBSERVATION = ObservationConfig(num_sectors=12)
TASK = TaskConfig(time_limit=1.0)
POOL = random_pool(Purpose.TRAINING, 0, 12, RobotConfig(), ['dynamic-2'], pairs_per_world=4)
FORWARD, REST, SPIN = (1.0, 0.0), (-1.0, 0.0), (-1.0, 1.0)


def make(num_envs: int = 6, pool: EpisodePool = POOL, **options: Any) -> NavigationVectorEnv:
    options = {'lidar': LIDAR, 'observation': OBSERVATION, 'task': TASK, **options}
    return NavigationVectorEnv(num_envs, pool, **options)


def one_task(start: Any, goal: Any, world: World | None = None) -> EpisodePool:
    starts, goals = np.array([[start]], np.float64), np.array([[goal]], np.float64)
    return EpisodePool([world or World()], starts, goals, np.zeros(1, int))


def actions_for(env: NavigationVectorEnv, action: tuple[float, float]) -> NDArray[np.float32]:
    return np.tile(np.array(action, np.float32), (env.num_envs, 1))


@pytest.mark.parametrize(
    'robot',
    [
        RobotConfig(),
        RobotConfig(min_linear_vel=-2.0, max_linear_vel=0.3, max_linear_accel=20.0),
        RobotConfig(radius=2.0, max_linear_vel=5.0, max_angular_accel=50.0),
    ],
)
@pytest.mark.parametrize('noise_std', [0.0, 0.2])
def test_spaces_hold_what_comes_out(robot: RobotConfig, noise_std: float) -> None:
    lidar = LidarConfig(num_beams=24, noise_std=noise_std)
    env = make(robot=robot, lidar=lidar)
    observations, _ = env.reset(seed=1)
    assert env.observation_space.contains(observations)
    env.action_space.seed(0)
    for step in range(60):
        actions = env.action_space.sample()
        if step < 20:
            actions = np.sign(actions)  # the extremes
        observations, rewards, terminated, truncated, infos = env.step(actions)
        assert env.observation_space.contains(observations)
        assert env.observation_space.contains(infos['final_obs'])
        assert np.isfinite(rewards).all()
        assert rewards.shape == terminated.shape == truncated.shape == (6,)
        assert terminated.dtype == truncated.dtype == np.bool_


def test_a_reset_begins_the_curriculum_anew_or_where_it_was() -> None:
    pool = random_pool(Purpose.TRAINING, 0, 4, RobotConfig(), ('static', 'dense'), 2)
    env = NavigationVectorEnv(6, pool)
    assert env.success_rates() == {'static': 0.5, 'dense': 0.5}
    env.reset(options={'success_rates': {'dense': 0.25, 'static': 1.0}})
    assert env.success_rates() == {'static': 1.0, 'dense': 0.25}
    assert env.curriculum.success_rates.tolist() == [1.0, 0.25]
    env.reset()
    assert env.success_rates() == {'static': 0.5, 'dense': 0.5}


def test_spaces_are_batches_of_the_single_ones() -> None:
    env = make()
    assert env.num_envs == 6
    assert env.metadata['autoreset_mode'] is AutoresetMode.SAME_STEP
    size = sum(size for _, size in layout(OBSERVATION))
    assert env.single_observation_space.shape == (size,)
    assert env.observation_space.shape == (6, size)
    assert env.single_action_space.shape == (2,)
    assert env.action_space.shape == (6, 2)
    assert env.single_observation_space.dtype == np.float32


def test_the_table_in_the_docstring_is_the_layout() -> None:
    text = NavigationVectorEnv.__doc__ or ''
    rows = re.findall(r'^ *\| (\w+) \| (\d+) \|', text, re.MULTILINE)
    assert [(name, int(size)) for name, size in rows] == layout(ObservationConfig())


class Twin:
    """The same episodes without any environment: simulator, encoder, and no reset."""

    def __init__(self, env: NavigationVectorEnv) -> None:
        sim = env.simulator
        self.simulator = BatchSimulator(
            env.robot, LIDAR, pack_worlds(POOL.worlds), env.num_envs, env.task.control_period
        )
        self.simulator.place(sim.rows, sim.worlds.copy(), sim.poses.copy())
        self.goals = env.goals.copy()
        self.encoder = ObservationEncoder(
            OBSERVATION, env.robot, ScanGeometry.of(LIDAR), env.num_envs
        )

    def step(self, commands: NDArray[np.float64]) -> NDArray[np.float32]:
        self.simulator.step(commands)
        goal = np.stack(to_robot_frame(*self.simulator.poses.T, *self.goals.T), axis=-1)
        out = np.empty((len(goal), self.encoder.size), np.float32)
        velocities = self.simulator.velocities
        return self.encoder.encode(self.simulator.ranges, goal, velocities, commands, out)


def test_final_obs_is_where_the_action_led_and_obs_where_it_goes_on() -> None:
    env = make(40)
    env.reset(seed=3)
    twin = Twin(env)
    rng = np.random.default_rng(0)
    first_episode = np.ones(40, np.bool_)
    kinds = set()
    for _ in range(12):
        actions = rng.uniform([0.0, -1.0], 1.0, (40, 2)).astype(np.float32)
        commands = 0.5 * np.stack([actions[:, 0] + 1.0, 3.0 * actions[:, 1]], -1) * [0.5, 1.0]
        expected = twin.step(commands)
        observations, _, terminated, truncated, infos = env.step(actions)
        ended = terminated | truncated
        np.testing.assert_array_equal(infos['_final_obs'], ended)
        np.testing.assert_allclose(
            infos['final_obs'][first_episode], expected[first_episode], atol=2e-4
        )
        np.testing.assert_array_equal(observations[~ended], infos['final_obs'][~ended])
        # a new episode: at rest, no command yet, the goal 3 m or more away
        count = OBSERVATION.num_sectors
        assert (observations[ended, count + 3 : count + 7] == 0.0).all()
        assert (observations[ended, count] >= 0.6 - 1e-6).all()
        assert (env.simulator.times[ended] == 0.0).all()
        first_episode &= ~ended
        kinds |= set(infos['outcome'].tolist())
    assert not first_episode.any()
    assert kinds >= {Outcome.RUNNING, Outcome.COLLISION, Outcome.TIMEOUT}


def run(env: NavigationVectorEnv, action: tuple[float, float], steps: int) -> list[Any]:
    """What each step returned."""
    env.reset(seed=0)
    return [env.step(actions_for(env, action)) for _ in range(steps)]


def test_the_time_limit_truncates() -> None:
    results = run(make(2, one_task((0, 0, 0), (4, 0))), REST, 21)
    for step, (_, _, terminated, truncated, infos) in enumerate(results, start=1):
        last = step in (10, 20)  # 1.0 s of 0.1 s steps
        assert truncated.tolist() == [last, last]
        assert not terminated.any()
        assert infos['outcome'].tolist() == [Outcome.TIMEOUT if last else Outcome.RUNNING] * 2


def test_the_goal_terminates() -> None:
    # 2.5 m/s2 up to 0.5 m/s in 0.2 s, then 0.05 m a step: 3 m less 0.25 m
    task = TaskConfig(time_limit=20.0)
    env = make(1, one_task((0, 0, 0), (3, 0)), task=task)
    results = run(env, FORWARD, 60)
    ends = [index for index, result in enumerate(results) if result[2][0]]
    # after n steps it has driven 0.025 + 0.05 (n - 1): 2.75 at n = 55.5
    assert ends == [55]
    _, rewards, _, truncated, infos = results[55]
    assert not truncated[0]
    assert infos['outcome'].tolist() == [Outcome.GOAL]
    assert rewards[0] == pytest.approx(0.5 * 0.05 - 0.002 + 2.0, abs=1e-6)
    assert results[30][1][0] == pytest.approx(0.5 * 0.05 - 0.002, abs=1e-6)
    final = infos['final_obs'][0]
    assert final[12] == pytest.approx((3.0 - 2.775) / 5.0, abs=1e-5)


def test_a_collision_terminates() -> None:
    wall = World(boxes=np.array([[1.5, 0.0, 0.0, 1.0, 4.0]]))  # its face is at x = 1
    env = make(1, one_task((0, 0, 0), (4, 0), wall), task=TaskConfig(time_limit=20.0))
    results = run(env, FORWARD, 20)
    ends = [index for index, result in enumerate(results) if result[2][0]]
    # it touches at x = 0.83: after 0.025 + 0.05 (n - 1) > 0.83, n = 18
    assert ends == [17]
    _, rewards, _, truncated, infos = results[17]
    assert not truncated[0]
    assert infos['outcome'].tolist() == [Outcome.COLLISION]
    assert rewards[0] == pytest.approx(0.5 * 0.05 - 0.002 - 0.02 - 1.0, abs=1e-5)
    # three steps before, 0.105 m of clearance are left
    assert results[14][1][0] == pytest.approx(
        0.5 * 0.05 - 0.002 - 0.02 * (1 - 0.105 / 0.15), abs=1e-5
    )


def test_turning_on_the_spot_is_no_progress() -> None:
    results = run(make(1, one_task((0, 0, 0), (4, 0))), SPIN, 5)
    assert [result[1][0] for result in results] == pytest.approx([-0.002] * 5)


def recorded(env: NavigationVectorEnv, seed: int | None, steps: int = 25) -> list[Any]:
    observations, _ = env.reset(seed=seed)
    rng = np.random.default_rng(9)
    record = [observations]
    for _ in range(steps):
        actions = rng.uniform(-1.0, 1.0, (env.num_envs, 2)).astype(np.float32)
        *arrays, infos = env.step(actions)
        record += [*arrays, infos['final_obs'], infos['outcome']]
    return record


def assert_same_record(one: list[Any], other: list[Any]) -> None:
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize('noise_std', [0.0, 0.05])
def test_a_seed_repeats_everything(noise_std: float) -> None:
    lidar = LidarConfig(num_beams=24, noise_std=noise_std)
    env = make(lidar=lidar)
    first = recorded(env, seed=4)
    assert_same_record(first, recorded(env, seed=4))
    assert_same_record(first, recorded(make(lidar=lidar, seed=1), seed=4))
    assert_same_record(first, recorded(make(lidar=lidar, seed=4), seed=None))
    assert not np.array_equal(first[0], recorded(env, seed=5)[0])


@pytest.mark.parametrize('noise_std', [0.0, 0.05])
def test_threads_change_nothing(noise_std: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, 'SMALLEST', 8)
    monkeypatch.setattr(parallel, 'LARGEST', 16)
    lidar = LidarConfig(num_beams=24, noise_std=noise_std)
    one, two = (make(100, lidar=lidar, threads=threads) for threads in (1, 2))
    assert_same_record(recorded(one, seed=0), recorded(two, seed=0))


def test_without_a_seed_a_reset_starts_other_episodes() -> None:
    env = make()
    first, _ = env.reset(seed=4)
    second, _ = env.reset()
    assert not np.array_equal(first, second)


def test_returned_arrays_are_the_callers() -> None:
    env, twin = make(), make()
    kept, _ = env.reset(seed=0)
    twin.reset(seed=0)
    for _ in range(12):
        actions = actions_for(env, FORWARD)
        before = kept.copy()
        *arrays, infos = env.step(actions)
        *expected, expected_infos = twin.step(actions)
        assert_same_record([before], [kept])  # an older result has not changed
        for array, right in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(array, right)
            array[:] = 0  # nor does the environment notice
        np.testing.assert_array_equal(infos['final_obs'], expected_infos['final_obs'])
        infos['final_obs'][:] = 0.0
        infos['outcome'][:] = 0
        kept = arrays[0]


def test_arrays_of_its_own_hold_until_the_step_after_the_next() -> None:
    env, twin = make(copy=False), make()
    held, _ = env.reset(seed=0)
    twin.reset(seed=0)
    made = {id(held)}
    for _ in range(12):
        actions, before = actions_for(env, FORWARD), held.copy()
        *arrays, infos = env.step(actions)
        *expected, expected_infos = twin.step(actions)
        np.testing.assert_array_equal(held, before)
        assert_same_record(arrays, expected)
        assert_same_record(list(infos.values()), list(expected_infos.values()))
        held = arrays[0]
        made.add(id(held))
    assert len(made) == 2  # no array is made on the way


def test_a_collision_within_a_step_counts() -> None:
    """Past a pillar's side at 2 m/s: nearest in the middle of a step, clear at both its ends."""
    fast = RobotConfig(radius=0.2, max_linear_vel=2.0, max_linear_accel=20.0)
    pillar = World(circles=np.array([[0.5, 0.25, 0.06]]))
    task = TaskConfig(time_limit=20.0)
    env = make(1, one_task((0, 0, 0), (4, 0), pillar), robot=fast, task=task)
    results = run(env, FORWARD, 4)
    # 0.2 m a step: at 0.4 m and at 0.6 m there is 0.009 m of clearance, at 0.5 m it is -0.01 m
    assert [result[2][0] for result in results] == [False, False, True, False]
    assert results[2][4]['outcome'].tolist() == [Outcome.COLLISION]
    assert math.hypot(0.1, 0.25) - 0.26 > 0.0
    assert results[2][1][0] == pytest.approx(0.5 * 0.2 - 0.002 - 0.02 - 1.0, abs=1e-5)


def test_actions_are_clipped() -> None:
    one, other = make(), make()
    one.reset(seed=0)
    other.reset(seed=0)
    wild = one.step(np.tile(np.array([5.0, -7.0], np.float32), (6, 1)))
    tame = other.step(np.tile(np.array([1.0, -1.0], np.float32), (6, 1)))
    assert_same_record(list(wild[:4]), list(tame[:4]))


def test_actions_are_left_as_they_were_given() -> None:
    env = make()
    env.reset(seed=0)
    actions = np.full((6, 2), 3.0, np.float32)
    env.step(actions)
    assert (actions == 3.0).all()


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_an_action_that_is_not_finite_is_refused(value: float) -> None:
    env = make()
    env.reset(seed=0)
    commands = env.commands.copy()
    actions = actions_for(env, REST)
    actions[4, 1] = value
    with pytest.raises(ValueError, match='action of robot 4 must be finite'):
        env.step(actions)
    np.testing.assert_array_equal(env.commands, commands)


def test_a_refused_action_costs_nobody_an_array() -> None:
    env, twin = make(copy=False), make()
    held, _ = env.reset(seed=0)
    twin.reset(seed=0)
    before = held.copy()
    with pytest.raises(ValueError, match='must be finite'):
        env.step(np.full((6, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match=r'actions must be \(6, 2\), got \(7, 2\)'):
        env.step(np.zeros((7, 2), np.float32))
    observations, *_ = env.step(actions_for(env, FORWARD))
    np.testing.assert_array_equal(held, before)
    np.testing.assert_array_equal(observations, twin.step(actions_for(env, FORWARD))[0])


def test_episodes_come_from_the_pool() -> None:
    env = make(200)
    env.reset(seed=0)
    worlds = env.simulator.worlds
    assert set(worlds.tolist()) == set(range(12))
    for row in range(200):
        starts, goals = POOL.starts[worlds[row]], POOL.goals[worlds[row]]
        pair = np.flatnonzero((starts == env.simulator.poses[row]).all(axis=1))
        assert any((goals[index] == env.goals[row]).all() for index in pair)


def test_defaults_make_an_environment() -> None:
    env = NavigationVectorEnv(2, POOL)
    observations, infos = env.reset()
    assert observations.shape == (2, 51)
    assert infos == {}
