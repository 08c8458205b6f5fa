"""What the sub-commands have in common: options, errors, figures, tables and progress bars."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rl_planner.navigation.files import write_atomically


class CommandError(Exception):
    """What the user asked for cannot be done; the message says why."""


def new_parser(
    subparsers: Any, name: str, run: Callable[[argparse.Namespace], int], text: str, epilog: str
) -> argparse.ArgumentParser:
    """A sub-command's parser; the first line of `text` also describes it in the list of all."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=text.split('\n', 1)[0].rstrip('.'),
        description=text,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the figures as JSON')


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--seed', type=seed, default=0, metavar='K', help='default: 0')


def add_quiet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--quiet', action='store_true', help='no progress bars (nor without a terminal)'
    )


def count(text: str) -> int:
    """An option's value: a whole number above 0."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f'must be a whole number above 0, got {text!r}')
    return int(text)


def seed(text: str) -> int:
    """An option's value: a whole number, 0 or above."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'must be a whole number, 0 or above, got {text!r}')
    return int(text)


def duration(text: str) -> float:
    """An option's value: seconds, a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'must be a finite number above 0, got {text!r}')
    return value


def write_json(path: Path | None, figures: Mapping[str, Any]) -> None:
    """Write what --json asks for, if it does."""
    if path is not None:
        text = json.dumps(dict(figures), indent=2, allow_nan=False) + '\n'
        write_atomically(path, text.encode())


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells under a header: the first column to the left, all others to the right."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return '\n'.join(
        '  '.join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    )


def progress_bar(description: str, total: float, quiet: bool, timed: bool = False) -> Any:
    """A tqdm bar on stderr, where that is a terminal; `timed` shows time and text only."""
    from tqdm import tqdm

    layout = '{desc} {percentage:3.0f}%|{bar:24}| {elapsed}<{remaining}{postfix}'
    return tqdm(
        total=total,
        desc=description,
        file=sys.stderr,
        disable=True if quiet else None,
        bar_format=layout if timed else None,
        leave=False,
    )


def training_line(row: Mapping[str, float]) -> str:
    """The figures of a row of metrics in a few words."""
    parts = [
        f'{row["steps"]:,.0f} transitions',
        f'{row["transitions_per_sec"]:,.0f}/s',
    ]
    if 'success_rate' in row:
        parts.append(f'success {row["success_rate"]:.0%}')
    if 'critic_loss' in row:
        parts.append(f'critic loss {row["critic_loss"]:.2g}')
    if 'lost' in row:
        parts.append(f'lost {row["lost"]:.0f}')
    return ', '.join(parts)
