"""`rl_planner benchmark learner`: updates per second, beside stable-baselines3."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import CommandError, add_seed, count, progress_bar, table

if TYPE_CHECKING:
    import numpy as np
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

    from rl_planner.learning.learner import Learner

TEXT = """\
Measure updates per second of the learner, beside those of stable-baselines3.

DDPG, TD3 and SAC, the networks of actor and critics alike, each sampling from a replay buffer of
its own, on one CPU thread or a GPU. They take turns, so that whatever else the machine does slows
all of them. stable-baselines3 runs as its users run it, and once more with the matrix products that
our learner uses (on the CPU oneDNN's).
"""

ALGORITHMS = ('ddpg', 'td3', 'sac')
HIDDEN_LAYERS = 2
STREAMS, STEPS = 128, 160  # what fills a replay buffer
ROUNDS, MEASURED_SEC, CHUNK = 20, 0.1, 5  # of each contender; the best round counts


@dataclass(frozen=True)
class Contender:
    """`train(n)` makes n updates."""

    name: str
    algorithm: str
    library: str
    train: Callable[[int], object]
    setting: Callable[[], AbstractContextManager[None]] = nullcontext


def add_options(parser: argparse.ArgumentParser) -> None:
    add_seed(parser)
    parser.add_argument(
        '--hidden-size', type=count, default=256, metavar='N', help='of two layers; default: 256'
    )
    parser.add_argument(
        '--batch-size', type=count, default=256, metavar='N', help='transitions; default: 256'
    )
    parser.add_argument('--device', choices=('cpu', 'cuda'), default='cpu', help='default: cpu')


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all contenders, print the figures, return them."""
    import torch

    if options.device == 'cuda' and not torch.cuda.is_available():
        raise CommandError('device must be cpu, as torch finds no CUDA device; got cuda')
    torch.set_num_threads(1)
    contenders = _contenders(options)
    rates = dict.fromkeys((each.name for each in contenders), 0.0)
    with progress_bar('measuring', ROUNDS * len(contenders), options.quiet) as bar:
        for _ in range(ROUNDS):
            for each in contenders:
                rates[each.name] = max(rates[each.name], _rate(each, options.device))
                bar.update()
    figures = _figures(contenders, rates, options)
    print(_text(figures))
    return figures


def _contenders(options: argparse.Namespace) -> list[Contender]:
    from rl_planner.learning.networks import fast_matmul

    found = []
    for algorithm in ALGORITHMS:
        peer = _peer(algorithm, options)
        found += [
            Contender(algorithm, algorithm, 'rl_planner', _ours(algorithm, options)),
            Contender(f'sb3 {algorithm}', algorithm, 'stable-baselines3', peer),
            Contender(
                f'sb3 {algorithm}, our products', algorithm, 'stable-baselines3', peer, fast_matmul
            ),
        ]
    return found


def _rate(contender: Contender, device: str) -> float:
    """Updates per second; on the CPU, of its time, so that other processes do not count."""
    import torch

    def clock() -> float:
        if device == 'cpu':
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()

    with contender.setting():
        contender.train(1)
        updates, began = 0, clock()
        while (elapsed := clock() - began) < MEASURED_SEC:
            contender.train(CHUNK)
            updates += CHUNK
    return updates / elapsed


def _ours(algorithm: str, options: argparse.Namespace) -> Callable[[int], object]:
    import numpy as np

    learner = _learner(algorithm, options)
    rng, streams = np.random.default_rng(options.seed), np.arange(STREAMS)
    going_on = np.zeros(STREAMS, bool)
    for step in range(STEPS):
        row = _transitions(rng)
        learner.add(streams, np.full(STREAMS, step), *row, going_on, going_on)
    return lambda updates: [learner.update() for _ in range(updates)]


def _learner(algorithm: str, options: argparse.Namespace) -> Learner:
    from rl_planner.learning.config import LearningConfig
    from rl_planner.learning.learner import Learner
    from rl_planner.navigation.config import ObservationConfig, RobotConfig
    from rl_planner.navigation.policy import PolicyMetadata

    config = LearningConfig(
        algorithm=algorithm,
        hidden_size=options.hidden_size,
        hidden_layers=HIDDEN_LAYERS,
        batch_size=options.batch_size,
        replay_capacity=STREAMS * STEPS,
        warmup_transitions=1,
    )
    metadata = PolicyMetadata.for_robot(RobotConfig(), ObservationConfig(), 0.1, algorithm)
    return Learner(metadata, config, options.device, options.seed)


def _peer(algorithm: str, options: argparse.Namespace) -> Callable[[int], object]:
    """stable-baselines3's algorithm of this name; its own defaults but for the sizes."""
    import numpy as np

    model = _peer_model(algorithm, options)
    rng, buffer = np.random.default_rng(options.seed), model.replay_buffer
    assert buffer is not None
    for _ in range(STEPS):
        for obs, action, reward, next_obs in zip(*_transitions(rng), strict=True):
            buffer.add(obs, next_obs, action, reward, np.zeros(1), [{}])
    return lambda updates: model.train(updates, options.batch_size)


def _peer_model(algorithm: str, options: argparse.Namespace) -> OffPolicyAlgorithm:
    try:
        import stable_baselines3
        from stable_baselines3.common.logger import Logger
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is not installed: pip install 'rl_planner[peers]'"
        ) from error
    model: OffPolicyAlgorithm = getattr(stable_baselines3, algorithm.upper())(
        'MlpPolicy',
        _environment(),
        policy_kwargs={'net_arch': [options.hidden_size] * HIDDEN_LAYERS},
        batch_size=options.batch_size,
        buffer_size=STREAMS * STEPS,
        device=options.device,
        seed=options.seed,
    )
    model.set_logger(Logger(folder=None, output_formats=[]))
    return model


def _environment() -> Any:
    """What tells stable-baselines3 the sizes; it is not stepped."""
    import gymnasium
    import numpy as np

    from rl_planner.navigation.config import ObservationConfig
    from rl_planner.navigation.observation import observation_size
    from rl_planner.navigation.policy import ACTION_SIZE

    env: Any = gymnasium.Env()
    size = observation_size(ObservationConfig())
    env.observation_space = gymnasium.spaces.Box(-1.0, 1.0, (size,), np.float32)
    env.action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTION_SIZE,), np.float32)
    return env


def _transitions(rng: np.random.Generator) -> tuple[Any, Any, Any, Any]:
    """obs, action, reward, next_obs of one step of every stream; their numbers do not matter."""
    import numpy as np

    from rl_planner.navigation.config import ObservationConfig
    from rl_planner.navigation.observation import observation_size
    from rl_planner.navigation.policy import ACTION_SIZE

    size = observation_size(ObservationConfig())
    obs, next_obs = rng.uniform(-1.0, 1.0, (2, STREAMS, size)).astype(np.float32)
    action = rng.uniform(-1.0, 1.0, (STREAMS, ACTION_SIZE)).astype(np.float32)
    return obs, action, rng.normal(size=STREAMS).astype(np.float32), next_obs


def _figures(
    contenders: list[Contender], rates: dict[str, float], options: argparse.Namespace
) -> dict[str, Any]:
    results = [
        {
            'name': each.name,
            'algorithm': each.algorithm,
            'library': each.library,
            'hidden_size': options.hidden_size,
            'hidden_layers': HIDDEN_LAYERS,
            'batch_size': options.batch_size,
            'device': options.device,
            'updates_per_sec': rates[each.name],
        }
        for each in contenders
    ]
    ratios = {
        each.name: rates[each.algorithm] / rates[each.name]
        for each in contenders
        if each.library != 'rl_planner'
    }
    return {'results': results, 'ratios': ratios}


def _text(figures: dict[str, Any]) -> str:
    rows = [
        [
            each['name'],
            f'{each["updates_per_sec"]:,.0f}',
            f'{figures["ratios"][each["name"]]:.2f}' if each['name'] in figures['ratios'] else '',
        ]
        for each in figures['results']
    ]
    return table(('learner', 'updates/s', 'ours is faster by'), rows)
