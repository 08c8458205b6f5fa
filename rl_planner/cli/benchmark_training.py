"""`rl_planner benchmark training`: how soon a policy drives well, beside stable-baselines3."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import CommandError, duration, progress_bar, seed, table
from rl_planner.learning.config import LearningConfig

if TYPE_CHECKING:
    from rl_planner.cli.training_contest import Contestant

TEXT = """\
Measure how soon a policy drives well, beside stable-baselines3.

Each algorithm is trained as `rl_planner train` trains it; those that stable-baselines3 has, DDPG
and TD3, by that too, in the same worlds: with its defaults on one robot, as its users run it, and
with our hyperparameters on 128. Time is the CPU time of the training process, of all its threads
together, and its libraries are held to one thread each; set-up and evaluation are off the clock.
Every 2 s of it the policy is evaluated, without exploration, on 512 episodes in worlds that no
training sees, and at the end on 2,000 others.
"""

ALGORITHMS = LearningConfig.__dataclass_fields__['algorithm'].metadata['bounds'].choices
RECIPES = {'ours': 'our recipe', 'defaults': 'its defaults'}
HEADER = ('', 's to 90 %', 's to 95 %', 'wall s to 95 %', '% at the end', 'transitions/s')

# What numerical libraries ask for the number of their threads, when they are loaded.
THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--algorithms',
        nargs='+',
        choices=ALGORITHMS,
        default=ALGORITHMS,
        metavar='NAME',
        help=f'default: all, {" ".join(ALGORITHMS)}',
    )
    parser.add_argument(
        '--seeds', type=seed, nargs='+', default=[0, 1, 2], metavar='K', help='default: 0 1 2'
    )
    parser.add_argument(
        '--budget-sec',
        type=duration,
        default=60.0,
        metavar='S',
        help='CPU time of each training; default: 60',
    )
    parser.add_argument(
        '--no-peers', action='store_true', help='without stable-baselines3, which takes most time'
    )
    parser.add_argument(
        '--picture', type=Path, metavar='FILE', help='draw the learning curves: .png, .svg, .pdf'
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Train all contestants with all seeds, print what came of it, return it."""
    from rl_planner.cli.training_contest import Conditions, run_training
    from rl_planner.evaluation.pictures import check_picture_path

    if options.picture is not None:
        check_picture_path(options.picture)
    contestants = _contestants(options.algorithms, peers=not options.no_peers)
    conditions = Conditions(options.budget_sec)
    # Seeds come first: what disturbs the machine for a while disturbs all contestants.
    runs = [(contestant, each) for each in options.seeds for contestant in contestants]
    results = []
    with one_thread_process() as process, progress_bar('training', len(runs), options.quiet) as bar:
        for contestant, each in runs:
            bar.set_postfix_str(f'{_name(contestant)}, seed {each}')
            results.append(process.submit(run_training, contestant, each, conditions).result())
            bar.update()
    rows = {_name(contestant): _rows_of(contestant, results) for contestant in contestants}
    print(table(HEADER, [_cells(name, own) for name, own in rows.items()]))
    print(
        '\nCPU time; the median of all seeds and, in brackets, the range;\n'
        f'never: not within {options.budget_sec:g} s'
    )
    if options.picture is not None:
        _draw(rows, options.picture)
    return {'clock': 'CPU time', 'budget_sec': options.budget_sec, 'results': results}


def _contestants(algorithms: Sequence[str], peers: bool) -> list[Contestant]:
    from rl_planner.cli.training_contest import OURS, PEERS, Contestant

    contestants = [Contestant(OURS, algorithm, 'ours') for algorithm in algorithms]
    if not peers:
        return contestants
    try:
        from rl_planner.cli.training_peers import ALGORITHMS as PEER_ALGORITHMS
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is missing: pip install 'rl_planner[peers]', or --no-peers"
        ) from error
    both = [algorithm for algorithm in algorithms if algorithm in PEER_ALGORITHMS]
    return contestants + [
        Contestant(PEERS, algorithm, recipe) for recipe in RECIPES for algorithm in both
    ]


@contextmanager
def one_thread_process() -> Iterator[Executor]:
    """Runs functions in another process, where every library computes on one thread."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, '1'))  # it is started by the first function
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as executor:
            yield executor
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _name(contestant: Contestant) -> str:
    from rl_planner.cli.training_contest import OURS

    name = f'{contestant.library} {contestant.algorithm}'
    return name if contestant.library == OURS else f'{name}, {RECIPES[contestant.recipe]}'


def _rows_of(contestant: Contestant, results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    own = vars(contestant).items()
    return [row for row in results if own <= row.items()]


def _cells(name: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """A line of the table: one contestant, all seeds."""

    def spread(values: Sequence[float | None], form: str) -> str:
        known = sorted(math.inf if value is None else value for value in values)
        low, middle, high = (
            format(value, form) if value < math.inf else 'never'
            for value in (known[0], statistics.median(known), known[-1])
        )
        return middle if low == high else f'{middle} ({low} to {high})'

    timed = ('seconds_to_90', 'seconds_to_95', 'wall_seconds_to_95')
    return [
        name,
        *(spread([row[key] for row in rows], '.1f') for key in timed),
        spread([100.0 * row['final_success'] for row in rows], '.1f'),
        spread([row['transitions'] / row['seconds'] for row in rows], ',.0f'),
    ]


def _draw(rows: dict[str, list[dict[str, Any]]], path: Path) -> None:
    from rl_planner.evaluation.pictures import draw_training_contest

    curves = {name: [row['curve'] for row in own] for name, own in rows.items()}
    draw_training_contest(curves, path, 's of CPU time')
