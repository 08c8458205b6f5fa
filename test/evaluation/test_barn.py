"""The worlds of BARN, from our file format and from its own."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rl_planner.evaluation.barn import BARN_CONDITIONS, load_barn
from rl_planner.evaluation.scenario import ScenarioError
from rl_planner.evaluation.suites import make_suite
from rl_planner.simulation.sdf_writer import write_sdf
from rl_planner.simulation.world import World

JACKAL = BARN_CONDITIONS['nominal'].robot
CORRIDOR = [[x, 0.15 * step] for x in (-0.075, -4.425) for step in range(60)]


def write(folder: Path, *worlds: Any) -> Path:
    path = folder / 'barn.json'
    path.write_text(json.dumps({'worlds': worlds}))
    return path


def entry(index: int, **changes: Any) -> dict[str, Any]:
    return {'index': index, 'cylinders': CORRIDOR, 'path_length': 10.5, **changes}


def test_scenarios_of_a_json_file(tmp_path: Path) -> None:
    calls: list[None] = []
    path = write(tmp_path, entry(1), entry(2, path_length=11.0), entry(4))
    first, second = load_barn(path, 2, JACKAL, lambda: calls.append(None))
    assert len(calls) == 2
    assert (first.start, first.goal) == ((-2.25, 3.0, 1.57), (-2.25, 13.0))
    assert (first.xy_goal_tolerance, first.time_limit) == (1.0, 100.0)
    assert (first.shortest_path, second.shortest_path) == (10.5, 11.0)
    assert second.world.circles.shape == (120, 3)
    assert set(second.world.circles[:, 2]) == {0.075}


def test_world_files_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """A pillar in the middle of the corridor: the way around it is a little longer than 10 m."""
    for number, pillar in ((10, [-2.25, 7.0]), (9, [-3.0, 7.0])):
        places = np.array([*CORRIDOR, pillar])
        circles = np.column_stack([places, np.full(len(places), 0.075)])
        write_sdf(World(circles=circles), tmp_path / f'world_{number}.world')
    first, second = load_barn(tmp_path, 9, JACKAL)
    assert first.world.circles[-1, 0] == pytest.approx(-3.0)
    assert second.world.circles[-1, 0] == pytest.approx(-2.25)
    assert first.shortest_path == pytest.approx(10.0, abs=0.1)
    assert 10.0 < second.shortest_path < 10.2
    (alone,) = load_barn(tmp_path / 'world_9.world', 9, JACKAL)
    assert alone.shortest_path == first.shortest_path


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{', 'must hold worlds of BARN'),
        ('[]', 'must hold worlds of BARN'),
        ('{"worlds": [{"index": 1}]}', 'must hold worlds of BARN: KeyError'),
        (json.dumps({'worlds': [entry(1, path_length=0)]}), 'path_length must be above 0, got 0'),
        (json.dumps({'worlds': [entry(1, cylinders=[[1.0]])]}), 'must hold worlds of BARN'),
    ],
)
def test_a_broken_json_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / 'barn.json'
    path.write_text(content)
    with pytest.raises(ScenarioError, match=rf'barn\.json .*{message}'):
        load_barn(path, 1, JACKAL)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r'cannot read BARN worlds .*none\.json'):
        load_barn(tmp_path / 'none.json', 1, JACKAL)
    with pytest.raises(ScenarioError, match=r'none\.world'):
        load_barn(tmp_path / 'none.world', 1, JACKAL)
    with pytest.raises(ScenarioError, match=r'must hold \.world files of BARN'):
        load_barn(tmp_path, 1, JACKAL)


@pytest.mark.parametrize(
    ('condition', 'name'), [('nominal', 'jackal.yaml'), ('hard', 'jackal_bumpers.yaml')]
)
def test_what_is_trained_with_is_what_is_evaluated_with(condition: str, name: str) -> None:
    """The parameter files of the robots say what the suite says."""
    robots = Path(__file__).parents[2] / 'config' / 'robots'
    given = yaml.safe_load((robots / name).read_text())['/**']['ros__parameters']
    setting = BARN_CONDITIONS[condition]
    for group in ('robot', 'lidar', 'disturbance'):
        config = getattr(setting, group)
        assert type(config).from_mapping(given.get(group, {})) == config


def test_the_conditions_are_those_of_the_benchmark(tmp_path: Path) -> None:
    nominal, hard = BARN_CONDITIONS['nominal'], BARN_CONDITIONS['hard']
    for setting, length, width, noise in ((nominal, 0.43, 0.31, 0.01), (hard, 0.508, 0.43, 0.02)):
        assert (setting.robot.footprint_length, setting.robot.footprint_width) == (length, width)
        assert setting.robot.max_linear_vel == 2.0
        assert (setting.lidar.num_beams, setting.lidar.noise_std) == (720, noise)
        assert math.degrees(setting.lidar.field_of_view) == pytest.approx(270.0)
    assert hard.disturbance.command_latency == 0.05
    assert hard.disturbance.gain_error == 0.05
    assert hard.disturbance.odometry_error == 0.02
    suite = make_suite('barn', 5, 0, barn_data=write(tmp_path, entry(1)), condition='hard')
    assert suite.setting is hard
    assert len(suite.scenarios) == 1
