"""How a report was made, and what its figures mean."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import version

from rl_planner import __version__
from rl_planner.evaluation import motion
from rl_planner.evaluation.evaluation import Evaluation
from rl_planner.evaluation.report.markup import Html, element, joined, paragraph, table
from rl_planner.evaluation.setting import Setting

SECTIONS = ('robot', 'lidar', 'disturbance', 'safety')
LIBRARIES = ('numpy', 'numba', 'matplotlib')

MEANINGS = (
    (
        'Success',
        'The share of episodes that end at the goal, in time and without a collision; its interval '
        'is that of Wilson (1927, JASA 22): the true rate lies in it with 95 % confidence.',
    ),
    (
        'Who is better',
        'All planners drive the very same episodes, so they are compared pair by pair: the '
        'exact test of McNemar (1947, Psychometrika 12), two-sided, and the interval of the '
        'difference of Newcombe (1998, Statistics in Medicine 17, p. 2635, method 10). p is not '
        'adjusted for the number of comparisons.',
    ),
    (
        'SPL',
        'Success weighted by path length (Anderson et al. 2018, arXiv:1807.06757): the mean of '
        'S · l / max(p, l), S 1 for a success and 0 else, l the shortest path, p the driven one.',
    ),
    (
        'BARN score',
        'The mean of S · T / clip(t, 2 T, 8 T), t the time it took and T that of the shortest path '
        'at 2 m/s (Xiao et al. 2022, arXiv:2208.10473, with the later bound of 2 T); 0.5 at best.',
    ),
    (
        'Least clearance, close',
        'How near the edge of the robot came to an obstacle in an episode: the mean, and '
        f'the 5th percentile. Close is the share of all time nearer than {motion.CLOSE:g} m.',
    ),
    (
        'Jerk',
        'Root mean square of the second difference of the velocity by the square of the control '
        'period, over all steps.',
    ),
    (
        'Turns changed',
        'How often the robot changed from turning left to turning right or back, by all time '
        f'driven; slower turning than {motion.DEADBAND:g} rad/s is left out.',
    ),
    (
        'Decision',
        'Computing time for one decision of one robot, all robots of a batch deciding at once.',
    ),
)


def meanings() -> Html:
    """Every figure, defined, with its source."""
    terms = [part for name, text in MEANINGS for part in (element('dt', name), element('dd', text))]
    return element('dl', *terms)


def how_made(evaluations: Sequence[Evaluation], command: str, seed: int) -> Html:
    """The command that makes this report again, versions, robots and disturbances."""
    versions = ', '.join(f'{name} {version(name)}' for name in LIBRARIES)
    machine = f'{os.cpu_count()} cores ({platform.machine()}), {platform.system()}'
    return joined(
        [
            element('pre', element('code', command)),
            paragraph(
                f'Seed {seed}. rl_planner {__version__}, Python {platform.python_version()}, '
                f'{versions}; {machine}. Made on {time.strftime("%Y-%m-%d at %H:%M")}. The same '
                'command with the same versions gives the same figures, computing times aside.'
            ),
            _parameters(evaluations),
        ]
    )


def _parameters(evaluations: Sequence[Evaluation]) -> Html:
    """A column for each different setting, headed by the suites that were driven in it."""
    suites: dict[Setting, list[str]] = {}
    for each in evaluations:
        suites.setdefault(each.setting, []).append(each.name)
    columns = [_values(setting) for setting in suites]
    return table(
        'Robot, lidar, disturbances and safety layer.',
        ['parameter', *(', '.join(names) for names in suites.values()), 'meaning'],
        [
            [name, *(values[name] for values in columns), meaning]
            for name, meaning in _descriptions(next(iter(suites))).items()
        ],
        kind='words',
    )


def _values(setting: Setting) -> dict[str, str]:
    values = {'control_period': f'{setting.control_period:g}'}
    for section in SECTIONS:
        config = getattr(setting, section)
        for item in fields(config):
            values[f'{section}.{item.name}'] = _text(getattr(config, item.name))
    return values


def _descriptions(setting: Setting) -> dict[str, str]:
    meanings = {'control_period': 'time from one command to the next (s)'}
    for section in SECTIONS:
        for item in fields(getattr(setting, section)):
            meanings[f'{section}.{item.name}'] = item.metadata['description']
    return meanings


def _text(value: float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f'{value:g}'
