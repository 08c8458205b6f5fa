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
    from rl_planner.simulation.environment import NavigationVectorEnv
    from rl_planner.simulation.episodes import EpisodePool

NUM_ROBOTS = 128  # what the learning recipe is tuned for
NUM_WORLDS, WORLDS_PER_FAMILY = 1024, 512


def families_of(world: str) -> list[str] | None:
    """The families of random worlds that `world` names; None if it names a file."""
    names = ['static' if name == 'random' else name for name in world.split(',')]
    return names if set(names) <= set(FAMILIES) else None


def make_pool(settings: Mapping[str, Any], quiet: bool) -> EpisodePool:
    """The worlds to train in; by the time they are there, the simulator is compiled."""
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
    settings: Mapping[str, Any], pool: EpisodePool, num_envs: int = NUM_ROBOTS
) -> NavigationVectorEnv:
    from rl_planner.simulation.environment import NavigationVectorEnv

    return NavigationVectorEnv(
        num_envs,
        pool,
        RobotConfig.from_mapping(settings['robot']),
        LidarConfig.from_mapping(settings['lidar']),
        TaskConfig.from_mapping(settings['task']),
        ObservationConfig.from_mapping(settings['observation']),
        settings['seed'],
        disturbance=DisturbanceConfig.from_mapping(settings['disturbance']),
        copy=False,
    )


def make_learner(
    env: NavigationVectorEnv, settings: Mapping[str, Any], device: str
) -> tuple[Learner, ExplorationNoise]:
    import numpy as np

    from rl_planner.learning.learner import Learner
    from rl_planner.learning.noise import ExplorationNoise
    from rl_planner.navigation.policy import PolicyMetadata

    learning = LearningConfig.from_mapping(settings['learning'])
    metadata = PolicyMetadata.for_robot(
        env.robot,
        env.observation,
        env.task.control_period,
        learning.algorithm,
        {'world': settings['world']},
    )
    learner = Learner(metadata, learning, device, settings['seed'])
    rng = np.random.default_rng((settings['seed'], 1))  # apart from the worlds and the weights
    return learner, ExplorationNoise(env.num_envs, learning, rng)
