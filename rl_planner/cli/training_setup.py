"""What a training needs besides a run folder, from the settings in its config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import progress_bar
from rl_planner.learning.config import LearningConfig
from rl_planner.navigation.config import (
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
)
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.families import FAMILIES

if TYPE_CHECKING:
    from rl_planner.learning.learner import Learner
    from rl_planner.learning.noise import ExplorationNoise
    from rl_planner.learning.tensor_noise import TensorNoise
    from rl_planner.simulation.environment import NavigationVectorEnv
    from rl_planner.simulation.episodes import EpisodePool
    from rl_planner.simulation.tensor_environment import TensorNavigationEnv

NUM_ROBOTS = 128  # what the learning recipe is tuned for
# A GPU steps thousands of robots in hardly more time than one, and learns from thousands of
# transitions in hardly more time than from few: 8 updates per step of all robots, each of 16 times
# the batch. A transition is learnt from 8 times on average, on the CPU 4 times.
CUDA_ROBOTS = 4096
CUDA_LEARNING = {
    'batch_size': 4096,
    'replay_capacity': 256 * CUDA_ROBOTS,  # steps of all robots
    'warmup_transitions': 30 * CUDA_ROBOTS,
    'updates_per_transition': 8.0 / CUDA_ROBOTS,
}
NUM_WORLDS, WORLDS_PER_FAMILY = 1024, 512


def families_of(world: str) -> list[str] | None:
    """The families of random worlds that `world` names; None if it names a file."""
    names = ['static' if name == 'random' else name for name in world.split(',')]
    return names if set(names) <= set(FAMILIES) else None


def make_pool(settings: Mapping[str, Any], quiet: bool, compiled: bool = True) -> EpisodePool:
    """The worlds to train in; by the time they are there, the simulator is `compiled`."""
    from rl_planner.simulation.background_pool import BackgroundPool
    from rl_planner.simulation.episodes import world_pool
    from rl_planner.simulation.random_world import Purpose
    from rl_planner.simulation.sdf import read_sdf

    robot = RobotConfig.from_mapping(settings['robot'])
    if (families := families_of(settings['world'])) is None:
        world = read_sdf(settings['world'])
        return world_pool(Purpose.TRAINING, settings['seed'], world, robot)
    count = max(NUM_WORLDS, WORLDS_PER_FAMILY * len(families))
    with (
        BackgroundPool(Purpose.TRAINING, settings['seed'], count, robot, families) as pending,
        progress_bar('worlds', count, quiet) as bar,
    ):
        if compiled:
            _compile(settings)
        return pending.result(bar.update)


def _compile(settings: Mapping[str, Any]) -> None:
    """Have one robot drive one step in an empty world."""
    import numpy as np

    from rl_planner.simulation.episodes import EpisodePool
    from rl_planner.simulation.world import World

    pool = EpisodePool([World()], np.zeros((1, 1, 3)), np.ones((1, 1, 2)), np.zeros(1, int))
    env = make_environment(settings, pool, num_envs=1)
    env.reset()
    env.step(np.zeros((1, 2), np.float32))


def make_environment(
    settings: Mapping[str, Any], pool: EpisodePool, num_envs: int | None = None
) -> NavigationVectorEnv:
    """The environment on the CPU, compiled; of as many robots as the settings say if not told."""
    from rl_planner.simulation.environment import NavigationVectorEnv

    count = num_envs or _num_robots(settings)
    return NavigationVectorEnv(count, pool, **_options(settings), copy=False)


def make_tensor_environment(
    settings: Mapping[str, Any], pool: EpisodePool, device: str
) -> TensorNavigationEnv:
    """The environment on the device where replay buffer and networks are."""
    from rl_planner.simulation.tensor_environment import TensorNavigationEnv

    return TensorNavigationEnv(_num_robots(settings), pool, **_options(settings), device=device)


def _num_robots(settings: Mapping[str, Any]) -> int:
    return int(settings.get('num_robots', NUM_ROBOTS))  # runs begun before it was written had these


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What both environments are made with."""
    return {
        'robot': RobotConfig.from_mapping(settings['robot']),
        'lidar': LidarConfig.from_mapping(settings['lidar']),
        'task': TaskConfig.from_mapping(settings['task']),
        'observation': ObservationConfig.from_mapping(settings['observation']),
        'seed': settings['seed'],
        'disturbance': DisturbanceConfig.from_mapping(settings['disturbance']),
    }


def make_learner(
    env: NavigationVectorEnv | TensorNavigationEnv, settings: Mapping[str, Any], device: str
) -> tuple[Learner, ExplorationNoise | TensorNoise]:
    """The learner, and the noise that the robots explore with."""
    import numpy as np

    from rl_planner.learning.learner import Learner
    from rl_planner.learning.noise import ExplorationNoise
    from rl_planner.learning.tensor_noise import TensorNoise
    from rl_planner.navigation.policy import PolicyMetadata
    from rl_planner.simulation.environment import NavigationVectorEnv

    learning = LearningConfig.from_mapping(settings['learning'])
    metadata = PolicyMetadata.for_robot(
        env.robot,
        env.observation,
        env.task.control_period,
        learning.algorithm,
        {'world': settings['world']},
    )
    learner = Learner(metadata, learning, device, settings['seed'])
    if not isinstance(env, NavigationVectorEnv):
        return learner, TensorNoise(env.num_envs, learning, env.device)
    rng = np.random.default_rng((settings['seed'], 1))  # apart from the worlds and the weights
    return learner, ExplorationNoise(env.num_envs, learning, rng)
