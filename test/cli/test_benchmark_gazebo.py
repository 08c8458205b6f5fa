"""The benchmark of Gazebo: with a real one, and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rl_planner.cli import benchmark_gazebo


def test_without_gazebo_it_says_so_in_one_line(command: Any, tmp_path: Path) -> None:
    answer = command('benchmark', 'gazebo', '--gazebo-root', tmp_path)
    assert answer.code != 0
    assert 'libgazebo-dev' in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.gazebo
def test_steps_and_placings_are_measured(
    command: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gazebo_root: str
) -> None:
    monkeypatch.setattr(benchmark_gazebo, 'CASES', ((36, 2, 1),))
    path = tmp_path / 'figures.json'
    options = ('--gazebo-root', gazebo_root, '--steps', 5, '--json', path)
    answer = command('benchmark', 'gazebo', *options)
    assert (answer.code, answer.err) == (0, '')
    (result,) = json.loads(path.read_text())['results']
    assert [result[name] for name in ('beams', 'robots', 'servers')] == [36, 2, 1]
    assert min(result[name] for name in ('steps_per_sec', 'same_world_sec')) > 0.0
