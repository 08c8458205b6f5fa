"""The command `rl_planner`. Each sub-command is a file of its own, with `add_parser` and `run`.

What is heavy (torch, numba, matplotlib) is imported by the sub-command that needs it, when it runs:
`rl_planner --help` and a mistyped option answer at once.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from rl_planner import __version__
from rl_planner.bringup.installed import how_to_install
from rl_planner.cli import benchmark, bringup, demo, evaluate, train

COMMANDS = (demo, train, evaluate, bringup, benchmark)

DESCRIPTION = """\
Learned robot motion planning for ROS 2: laser scan, odometry and goal in, velocity out.
"""

EPILOG = """\
examples:
  rl_planner demo                                        watch a robot learn to drive, over ROS 2
  rl_planner train --budget-sec 300 --out runs/mine      train in one process, without ROS
  rl_planner evaluate runs/mine/policy.safetensors greedy --episodes 300
  rl_planner bringup simulation --policy runs/mine/policy.safetensors

`rl_planner COMMAND --help` tells more.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0, 2 after an error, 130 after Ctrl-C."""
    options = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        try:
            return int(options.run(options))
        except KeyboardInterrupt:
            print('\nrl_planner: interrupted', file=sys.stderr)
            return 130
        except Exception as error:
            if not (message := _message(error)):
                raise
            print(f'rl_planner: error: {message}', file=sys.stderr)
            return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='rl_planner',
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'rl_planner {__version__}')
    subparsers = parser.add_subparsers(required=True, metavar='COMMAND', title='commands')
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def _message(error: Exception) -> str:
    """What the user is told: of an error of our own, a file's, a device's, or what is missing."""
    if isinstance(error, ImportError):
        return how_to_install(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f'{error.filename}: {error.strerror}'
    is_ours = type(error).__module__.startswith('rl_planner.')
    return str(error) if is_ours or isinstance(error, OSError) else ''


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning of ours in one line, without the place in the code; others as ever."""
    text = warnings.formatwarning(message, category, filename, lineno, line)
    if category.__module__.startswith('rl_planner.'):
        text = f'rl_planner: warning: {message}\n'
    print(text, end='', file=file or sys.stderr)


if __name__ == '__main__':
    sys.exit(main())
