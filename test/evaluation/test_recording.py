from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.results import driven

from rl_planner.evaluation.evaluation import Evaluation
from rl_planner.evaluation.recording import (
    RecordingError,
    lidar_points,
    moving_obstacles,
    write_recording,
)
from rl_planner.evaluation.runner import Run
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.world import World

MakeScenario = Callable[..., Scenario]

HALL = World(
    boxes=np.array([[2.0, 0.0, 0.0, 1.0, 1.0]]),
    circles=np.array([[0.0, 3.0, 0.5]]),
    walls=np.array([[-3.0, -3.0, 3.0, -3.0]]),
    movers=np.array([[-2.0, 0.0, -2.0, 2.0, 0.5, 1.0, 0.0]]),
)


def test_movers_are_where_they_are_at_each_time() -> None:
    """From (-2, 0) to (-2, 2) at 1 m/s, and back."""
    places = moving_obstacles(HALL, np.array([0.0, 1.5, 3.0]))
    np.testing.assert_allclose(places[:, 0], [[-2, 0, 0.5], [-2, 1.5, 0.5], [-2, 1, 0.5]])
    assert moving_obstacles(World(), np.zeros(2)).shape == (2, 0, 3)


def test_the_lidar_sees_what_is_around_it(make_scenario: MakeScenario) -> None:
    """Four beams: ahead the box at 1.5 m, left the disc at 2.5 m, behind the mover, 1.5 m at first.
    On the right is a wall, 3 m away and out of range. A second later the mover has gone up by 1 m,
    and nothing is behind. From 1 m up the box and the mover are beside the beams.
    """
    lidar = LidarConfig(num_beams=4, angle_min=0.0, range_max=2.6)
    result = driven(make_scenario(world=HALL), Outcome.TIMEOUT, 1.0, [[0.0, 0.0], [0.0, 0.0]])
    first, second = lidar_points(result, Setting(lidar=lidar, control_period=1.0))
    expected = [[1.5, 0.0, 0.0], [0.0, 2.5, 0.0], [-1.5, 0.0, 0.0]]
    np.testing.assert_allclose(first, expected, atol=1e-5)
    np.testing.assert_allclose(second, expected[:2], atol=1e-5)


def test_points_are_in_the_frame_of_the_robot(make_scenario: MakeScenario) -> None:
    """A lidar 0.2 m ahead looks ahead only: 1.3 m are left to the box, 1.5 m from the robot."""
    lidar = LidarConfig(num_beams=1, angle_min=0.0, mount_x=0.2)
    result = driven(make_scenario(world=HALL), Outcome.TIMEOUT, 0.0, [[0.0, 0.0]])
    (points,) = lidar_points(result, Setting(lidar=lidar))
    np.testing.assert_allclose(points, [[1.5, 0.0, 0.0]], atol=1e-5)


@pytest.fixture
def evaluation(make_scenario: MakeScenario) -> Evaluation:
    """Two planners in four scenarios; the second was interrupted after the first."""
    path = [[0.0, 0.0], [0.1, 0.0], [0.2, 0.0]]
    scenarios = [make_scenario(world=HALL) for _ in range(4)]
    results = [driven(each, Outcome.GOAL, 0.2, path) for each in scenarios]
    runs = {'runs/mine': Run(results, 0.0), 'other': Run(results[:1], 0.0, interrupted=True)}
    robot = RobotConfig(radius=0.3, footprint_length=0.4, footprint_width=0.3)
    return Evaluation('hall', 'One hall.', Setting(robot=robot), scenarios, runs)


def test_a_recording_holds_the_first_episodes(tmp_path: Path, evaluation: Evaluation) -> None:
    from rerun.experimental import RrdReader

    path = tmp_path / 'driven.rrd'
    write_recording(path, [evaluation])
    rows: dict[str, int] = {}
    for chunk in RrdReader(path).stream().to_chunks():
        rows[chunk.entity_path] = rows.get(chunk.entity_path, 0) + chunk.num_rows
    for episode in ('/hall/episode_1', '/hall/episode_2', '/hall/episode_3'):
        for part in ('boxes', 'circles', 'walls'):
            assert rows[f'{episode}/world/{part}'] == 1
        assert rows[f'{episode}/goal'] == rows[rf'{episode}/runs\/mine/robot/body'] == 1
        for part in ('movers', r'runs\/mine/robot', r'runs\/mine/robot/scan', r'runs\/mine/path'):
            assert rows[f'{episode}/{part}'] == 3
    assert rows['/hall/episode_1/other/robot'] == 3
    assert '/hall/episode_2/other/robot' not in rows
    assert not any(entity.startswith('/hall/episode_4') for entity in rows)


def test_without_rerun_it_says_what_to_install(
    tmp_path: Path, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'rerun', None)
    with pytest.raises(RecordingError, match='a recording needs rerun-sdk: pip install rerun-sdk'):
        write_recording(tmp_path / 'driven.rrd', [evaluation])
    assert list(tmp_path.iterdir()) == []
