from __future__ import annotations

import subprocess
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rl_planner import __version__
from rl_planner.cli import main as main_module
from rl_planner.navigation.config import ConfigError
from rl_planner.simulation.sdf import SdfWarning

COMMANDS = ('demo', 'train', 'evaluate', 'bringup', 'benchmark')


def fake_command(monkeypatch: pytest.MonkeyPatch, run: Callable[[Any], int]) -> None:
    """`rl_planner fake` runs `run`."""

    def add_parser(subparsers: Any) -> None:
        subparsers.add_parser('fake').set_defaults(run=run)

    fake = types.SimpleNamespace(add_parser=add_parser)
    monkeypatch.setattr(main_module, 'COMMANDS', (fake,))


def test_help_names_every_command(command: Any) -> None:
    answer = command('--help')
    assert answer.code == 0
    for name in COMMANDS:
        assert f'\n    {name} ' in answer.out or f'\n    {name}\n' in answer.out
    assert f'rl_planner {__version__}' in command('--version').out


@pytest.mark.parametrize(
    'arguments',
    [
        *([name] for name in COMMANDS),
        ['bringup', 'simulation'],
        ['bringup', 'train'],
        ['benchmark', 'simulator'],
        ['benchmark', 'policy'],
        ['benchmark', 'transport'],
    ],
)
def test_help_of_each_command_has_an_example(command: Any, arguments: list[str]) -> None:
    answer = command(*arguments, '--help')
    assert answer.code == 0
    assert 'example' in answer.out
    assert f'\n  rl_planner {" ".join(arguments)}' in answer.out
    assert max(map(len, answer.out.splitlines())) <= 100


@pytest.mark.parametrize('arguments', [[], ['fly'], ['train', '--spped', '3'], ['bringup']])
def test_a_wrong_command_line_is_refused(command: Any, arguments: list[str]) -> None:
    answer = command(*arguments)
    assert answer.code == 2
    assert 'usage: rl_planner' in answer.err
    assert answer.out == ''


def test_help_loads_nothing_heavy() -> None:
    program = (
        'import contextlib, sys\n'
        'from rl_planner.cli.main import main\n'
        'for command in ([], ["train"], ["evaluate"], ["demo"], ["benchmark", "policy"]):\n'
        '    with contextlib.suppress(SystemExit): main([*command, "--help"])\n'
        'heavy = {"torch", "numba", "matplotlib", "gymnasium", "rclpy", "tqdm"}\n'
        'sys.exit(" ".join(heavy & sys.modules.keys()) or None)\n'
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')


def test_an_error_of_ours_is_one_line(monkeypatch: pytest.MonkeyPatch, command: Any) -> None:
    def run(_: Any) -> int:
        raise ConfigError('radius must be above 0, got -1')

    fake_command(monkeypatch, run)
    answer = command('fake')
    assert (answer.code, answer.out) == (2, '')
    assert answer.err == 'rl_planner: error: radius must be above 0, got -1\n'


def test_an_error_of_the_system_names_the_file(
    monkeypatch: pytest.MonkeyPatch, command: Any, tmp_path: Path
) -> None:
    fake_command(monkeypatch, lambda _: len((tmp_path / 'gone').read_text()))
    answer = command('fake')
    assert answer.code == 2
    assert answer.err == f'rl_planner: error: {tmp_path}/gone: No such file or directory\n'


def test_a_bug_shows_where_it_is(monkeypatch: pytest.MonkeyPatch, command: Any) -> None:
    fake_command(monkeypatch, lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        command('fake')


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch, command: Any) -> None:
    def run(_: Any) -> int:
        raise KeyboardInterrupt

    fake_command(monkeypatch, run)
    answer = command('fake')
    assert (answer.code, answer.err) == (130, '\nrl_planner: interrupted\n')


def test_a_warning_of_ours_is_one_line(monkeypatch: pytest.MonkeyPatch, command: Any) -> None:
    def run(_: Any) -> int:
        warnings.simplefilter('always')
        warnings.warn('hall.sdf: a mesh is left out', SdfWarning, stacklevel=2)
        warnings.warn('not ours', RuntimeWarning, stacklevel=2)
        return 0

    fake_command(monkeypatch, run)
    first, second, *_ = command('fake').err.splitlines()
    assert first == 'rl_planner: warning: hall.sdf: a mesh is left out'
    assert 'RuntimeWarning: not ours' in second


def test_it_runs_as_a_program() -> None:
    program = [sys.executable, '-m', 'rl_planner.cli.main']
    done = subprocess.run([*program, 'evaluate', 'nobody'], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr == (
        'rl_planner: error: planner must be one of greedy, dwa, mppi, astar, random, ramming '
        "or a policy file, got 'nobody'\n"
    )
