"""Compiled functions are kept on disk, and never when what they are made of has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rl_planner
from rl_planner.simulation.compiled import compiled, compiled_exactly, inlined

PACKAGE = Path(rl_planner.__file__).parent
CALLER = """
from rl_planner.simulation.callee import value
from rl_planner.simulation.compiled import compiled

@compiled
def double():
    return 2 * value()
"""
CALLEE = """
from rl_planner.simulation.compiled import compiled

@compiled
def value():
    return NUMBER
"""
PROGRAM = """
from rl_planner.simulation.caller import double
print(double(), sum(double.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of what it takes to compile something."""
    root = tmp_path / 'rl_planner'
    (root / 'simulation').mkdir(parents=True)
    (root / 'navigation').mkdir()
    for name in ('__init__.py', 'simulation/__init__.py', 'simulation/compiled.py'):
        shutil.copy(PACKAGE / name, root / name)
    (root / 'simulation/caller.py').write_text(CALLER)
    return root


def run(package: Path, number: int) -> list[int]:
    """What a fresh Python gets from a function that calls another, and whether from the disk."""
    (package / 'simulation/callee.py').write_text(CALLEE.replace('NUMBER', str(number)))
    environment = {key: value for key, value in os.environ.items() if key != 'NUMBA_CACHE_DIR'}
    environment['PYTHONPATH'] = str(package.parent)
    command = [sys.executable, '-c', PROGRAM]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment, cwd=package.parent
    )
    return [int(word) for word in done.stdout.split()]


def test_a_function_is_compiled_anew_when_one_it_calls_has_changed(package: Path) -> None:
    assert run(package, 4) == [8, 0]
    assert run(package, 4) == [8, 1]
    assert run(package, 5) == [10, 0]
    assert run(package, 5) == [10, 1]


@pytest.mark.parametrize('how', [compiled, compiled_exactly, inlined])
def test_a_division_by_zero_is_infinite(how: object) -> None:
    def quotient(x: float, y: float) -> float:
        return x / y

    assert callable(how)
    assert how(quotient)(1.0, 0.0) == np.inf
