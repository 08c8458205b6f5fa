"""The benchmark of Gazebo: with a real one, and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rl_planner.cli import benchmark_gazebo
from rl_planner.gazebo import identification
from rl_planner.gazebo.identification import Case, Identified
from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.step_response import StepResponse


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


def test_what_a_robot_does_is_told_as_parameters(
    command: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def case(v: float, w: float, gain: float, lag: float = 0.0, aside: float = 0.0) -> Case:
        return Case(v, w, StepResponse(0.02, 0.05, 0.01, gain, lag), aside)

    found = {
        'default': Identified(
            [case(0.5, 0.0, 1.0, 0.012), case(0.0, 0.3, 1.0, 0.02)],
            [case(0.5, 0.0, 0.98), case(0.5, 1.5, 1.01)],
            np.array([1e-3, 2e-3, 9e-3]),
        ),
        'jackal': Identified(
            [case(0.5, 0.0, 1.0, 0.03)], [case(2.0, 4.0, 2.0, aside=0.9)], np.array([1e-3])
        ),
    }
    monkeypatch.setattr(identification, 'identify', lambda model, root: found[model.name])
    path = tmp_path / 'figures.json'
    answer = command('benchmark', 'gazebo', '--identify', 'default', 'jackal', '--json', path)
    assert (answer.code, answer.err) == (0, '')
    lines = answer.out.splitlines()
    assert lines[-2] == (
        'default: disturbance.command_latency 0.012 to 0.020, disturbance.gain_error 0.020 '
        '(gains 0.980 to 1.010); ranges differ by 2 mm, at most 9 mm'
    )
    assert 'gain_error 0.5, its most (gains 2.000 to 2.000); aside up to 0.90 m/s' in lines[-1]
    row = ' '.join(lines[1].split())
    assert row == 'default 0.5 m/s 20 ms 50 ms 1.0% 12 ms 100.0% 0.00 m/s'
    assert [each['robot_model'] for each in json.loads(path.read_text())['results']] == list(found)


def test_a_model_that_is_not_there_is_told(command: Any) -> None:
    answer = command('benchmark', 'gazebo', '--identify', 'turtle')
    assert (answer.code, "robot model 'turtle'" in answer.err) == (2, True)


@pytest.mark.gazebo
def test_a_robot_with_two_wheels_is_as_it_is_in_the_embedded_simulator(gazebo_root: str) -> None:
    identified = identification.identify(RobotModel.read('default', 'gazebo_bridge'), gazebo_root)
    assert identified.gain == pytest.approx((1.0, 1.0), abs=0.02)
    least, most = identified.latency
    assert 0.0 <= least <= most < 0.04
    for each in identified.steps:
        assert 0.0 < each.response.rise_63 < each.response.rise_90 < 0.1
    assert max(each.aside for each in identified.drives) < 0.01
    assert np.percentile(identified.scan_error, 99) < 0.005
