"""`rl_planner train`: from nothing to a policy in one process, without ROS."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.bringup.params_file import read_params_files
from rl_planner.cli.options import (
    CommandError,
    add_json,
    add_quiet,
    count,
    duration,
    new_parser,
    progress_bar,
    seed,
    training_line,
    write_json,
)
from rl_planner.cli.training_setup import (
    CUDA_LEARNING,
    CUDA_ROBOTS,
    NUM_ROBOTS,
    families_of,
    make_environment,
    make_learner,
    make_pool,
    make_tensor_environment,
)
from rl_planner.learning.config import LearningConfig
from rl_planner.simulation.families import FAMILIES

if TYPE_CHECKING:
    from rl_planner.learning.run import RunFolder
    from rl_planner.learning.training import Budget, Summary
    from rl_planner.simulation.environment import NavigationVectorEnv
    from rl_planner.simulation.tensor_environment import TensorNavigationEnv

DEFAULT_BUDGET_SEC = 180.0
CHECKPOINT_SEC = 60.0

# Options that a run is begun with, and keeps: None stands for the default, or the run's own.
FIXED = {'algorithm': 'ddpg', 'world': 'random', 'seed': 0}
TRAINED_WITH = ('robot', 'lidar', 'observation', 'task', 'learning', 'disturbance')

TEXT = """\
Train a policy in one process, without ROS.

128 simulated robots drive at once, on a GPU 4096 and all of it there, each in a world of its own,
none of which is ever evaluated on.
Ctrl-C stops early: what was learnt until then is kept, and --resume goes on from there.
"""

EPILOG = """\
The run folder gets policy.safetensors, best_policy.safetensors, metrics.jsonl, tensorboard/,
checkpoints/ and config.yaml.

examples:
  rl_planner train --budget-sec 300 --out runs/mine
  rl_planner train --world worlds/rooms.sdf --steps 1000000 --seed 1 --out runs/rooms
  rl_planner train --params-file config/robots/turtlebot3_burger.yaml \\
      --params-file config/recipes/slow_robot.yaml --world static,dynamic-2,dense --out runs/burger
  rl_planner train --resume --out runs/mine --budget-sec 600     five minutes more
  tensorboard --logdir runs/mine/tensorboard
"""


def add_parser(subparsers: Any) -> None:
    parser = new_parser(subparsers, 'train', run, TEXT, EPILOG)
    algorithms = LearningConfig.__dataclass_fields__['algorithm'].metadata['bounds'].choices
    parser.add_argument(
        '--algorithm', choices=algorithms, help='default: that of the params file, or ddpg'
    )
    parser.add_argument(
        '--world',
        type=_world,
        metavar='random|FAMILY[,FAMILY...]|FILE',
        help='random worlds (static ones), families of them, or a world file (.sdf, .world); '
        f'families: {", ".join(FAMILIES)}; default: random',
    )
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument(
        '--budget-sec',
        type=duration,
        metavar='S',
        help='train for so long, all in all, the making of worlds included; '
        f'default: {DEFAULT_BUDGET_SEC:g}',
    )
    budget.add_argument(
        '--steps', type=count, metavar='N', help='train on so many transitions, all in all'
    )
    parser.add_argument('--seed', type=seed, metavar='K', help='of everything random; default: 0')
    parser.add_argument(
        '--device',
        choices=('auto', 'cpu', 'cuda'),
        default='auto',
        help='where to compute; auto: cuda where there is one (default)',
    )
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help='run folder; default: a new one, runs/<date-time>'
    )
    parser.add_argument(
        '--params-file',
        type=Path,
        action='append',
        metavar='FILE',
        help='robot, lidar, task, ... where they differ from the defaults: a YAML file as the '
        'nodes take it, such as config/robots/jackal.yaml; may be given again, a later file '
        'overrides',
    )
    parser.add_argument(
        '--checkpoint-sec',
        type=duration,
        default=CHECKPOINT_SEC,
        metavar='S',
        help='time from one checkpoint to the next, the most that a crash costs; '
        f'default: {CHECKPOINT_SEC:g}',
    )
    parser.add_argument('--resume', action='store_true', help='go on with the run in --out')
    add_json(parser)
    add_quiet(parser)


def _world(text: str) -> str:
    """Families, or a path that still holds when the run is resumed from another folder."""
    return text if families_of(text) else str(Path(text).absolute())


def run(options: argparse.Namespace) -> int:
    from rl_planner.learning.run import RunFolder, require_usable

    began = time.monotonic()
    device = _device(options.device)
    out = _run_dir(options)
    if options.resume:
        with RunFolder(out, resume=True) as folder:
            settings = _resumed_settings(options, folder)
    else:
        require_usable(out, resume=False)  # before the time it takes to make worlds
        settings = new_settings(options, device)
    pool = make_pool(settings, options.quiet, compiled=device == 'cpu')
    env = (
        make_environment(settings, pool)
        if device == 'cpu'
        else make_tensor_environment(settings, pool, device)
    )
    with RunFolder(out, resume=options.resume) as folder:
        folder.save_config(settings)
        summary = _train(env, settings, folder, device, options, began)
    _report(summary, settings, device, out, options)
    return 130 if summary.interrupted else 0


def _run_dir(options: argparse.Namespace) -> Path:
    if options.resume and options.out is None:
        raise CommandError('--resume needs --out, the run folder to go on with')
    return Path(options.out or f'runs/{time.strftime("%Y%m%d-%H%M%S")}')


def _device(wish: str) -> str:
    import torch

    # Networks this small are faster on one thread, and the simulator has use for the others.
    torch.set_num_threads(1)
    if wish == 'cuda' and not torch.cuda.is_available():
        raise CommandError('device must be cpu or auto, as torch finds no CUDA device; got cuda')
    return 'cuda' if wish != 'cpu' and torch.cuda.is_available() else 'cpu'


def new_settings(options: argparse.Namespace, device: str = 'cpu') -> dict[str, Any]:
    """All that a run is begun with, as config.yaml holds it."""
    num_robots, learning = (NUM_ROBOTS, {}) if device == 'cpu' else (CUDA_ROBOTS, CUDA_LEARNING)
    given = {name: getattr(options, name) for name in FIXED}
    fixed = {name: FIXED[name] if value is None else value for name, value in given.items()}
    named = read_params_files(options.params_file or [], {'learning': learning})
    configs = {name: asdict(named[name]) for name in TRAINED_WITH}
    if options.algorithm is None:
        fixed['algorithm'] = configs['learning']['algorithm']
    configs['learning']['algorithm'] = fixed['algorithm']
    return {**fixed, 'num_robots': num_robots, **_budget_settings(options), **configs}


def _resumed_settings(options: argparse.Namespace, folder: RunFolder) -> dict[str, Any]:
    """The settings that the run was begun with; only its budget may change."""
    saved = folder.load_config()
    if missing := [name for name in (*FIXED, *TRAINED_WITH) if name not in saved]:
        raise CommandError(
            f'{folder.path}/config.yaml has no {missing[0]}: not a run of `rl_planner train`'
        )
    if options.params_file is not None:
        raise CommandError('params-file must not be given with --resume: a run keeps what it has')
    for name in FIXED:
        given = getattr(options, name)
        if given is not None and given != saved[name]:
            raise CommandError(f'{name} must be {saved[name]}, as the run began, got {given}')
    if options.budget_sec is None and options.steps is None:
        return saved
    return {**saved, **_budget_settings(options)}


def _budget_settings(options: argparse.Namespace) -> dict[str, Any]:
    steps, seconds = options.steps, options.budget_sec
    if steps is None and seconds is None:
        seconds = DEFAULT_BUDGET_SEC
    return {'budget_sec': seconds, 'steps': steps}


def _train(
    env: NavigationVectorEnv | TensorNavigationEnv,
    settings: Mapping[str, Any],
    folder: RunFolder,
    device: str,
    options: argparse.Namespace,
    began: float,
) -> Summary:
    from rl_planner.learning.training import Budget, train

    learner, noise = make_learner(env, settings, device)
    budget = Budget(settings['budget_sec'], settings['steps'])
    with progress_bar('learning', 1.0, options.quiet, timed=True) as bar:
        show = _shown_on(bar, budget)
        try:
            return train(
                env, learner, folder, budget, noise, show, options.checkpoint_sec, began=began
            )
        except (ValueError, FloatingPointError) as error:
            raise CommandError(str(error)) from error


def _shown_on(bar: Any, budget: Budget) -> Any:
    def show(row: Mapping[str, float]) -> None:
        share = min(budget.spent(row['elapsed_sec'], int(row['steps'])), 1.0)
        bar.set_postfix_str(training_line(row), refresh=False)
        bar.update(share - bar.n)

    return show


def _report(
    summary: Summary,
    settings: Mapping[str, Any],
    device: str,
    out: Path,
    options: argparse.Namespace,
) -> None:
    policy = out / 'policy.safetensors'
    files = options.params_file or []  # the robot's comes first, recipes override
    for_robot = f' --params-file {files[0]}' if files else ''
    print(
        f'{"Interrupted after" if summary.interrupted else "Trained on"} '
        f'{summary.steps:,} transitions in {summary.elapsed_sec:.0f} s on {device}: '
        f'{summary.updates:,} updates, {summary.episodes:,} episodes,\n'
        f'the last of which ended at the goal at a rate of {summary.success_rate:.0%}, exploring.\n'
        f'\nNext:\n  rl_planner evaluate {policy} greedy{for_robot}\n'
        f'  tensorboard --logdir {out / "tensorboard"}'
    )
    started_with = {name: settings[name] for name in FIXED}
    write_json(
        options.json, {**started_with, 'device': device, **asdict(summary), 'policy': str(policy)}
    )
