from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.results import driven

from rl_planner.evaluation.result import EpisodeLogError, read_episode_log
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

ROW: dict[str, Any] = {
    'robot': 'robot_1',
    'episode': 4,
    'scenario': 9,
    'outcome': 'collision',
    'time_sec': 12.3,
    'start': [0.0, 1.0, 0.5],
    'goal': [3.0, 2.0],
    'world': {
        'boxes': [[0.0, 4.0, 0.0, 8.0, 0.1]],
        'circles': [],
        'walls': [],
        'movers': [[0.0, 0.0, 1.0, 0.0, 0.2, 0.3, 0.0]],
    },
    'states': [[0.0, 1.0, 0.5, 0.0, 0.0], [0.3, 1.4, 0.6, 0.5, 0.1]],
}


def write(folder: Path, *rows: Any, end: str = '') -> Path:
    path = folder / 'episodes.jsonl'
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows) + end)
    return path


def test_the_driven_path_is_measured() -> None:
    path = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 3.0]])
    episode = Episode(World(), (0.0, 0.0, 0.0), (1.0, 1.0))
    assert driven(episode, Outcome.GOAL, 1.0, path).path_length == pytest.approx(6.0)


def test_a_log_is_read(tmp_path: Path) -> None:
    rows = ({**ROW, 'scenario': 12, 'outcome': 'goal'}, ROW)
    results = read_episode_log(write(tmp_path, *rows))
    assert list(results) == [9, 12]
    first, second = results.values()
    assert (first.outcome, second.outcome) == (Outcome.COLLISION, Outcome.GOAL)
    assert first.time_sec == 12.3
    assert (first.episode.start, first.episode.goal) == ((0.0, 1.0, 0.5), (3.0, 2.0))
    np.testing.assert_array_equal(first.episode.world.boxes, ROW['world']['boxes'])
    np.testing.assert_array_equal(first.episode.world.movers, ROW['world']['movers'])
    assert len(first.episode.world.circles) == 0
    assert first.path_length == pytest.approx(0.5)


def test_cancelled_and_unfinished_lines_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, {**ROW, 'outcome': 'cancelled'}, ROW, end='{"robot": "robot_0", "epi')
    assert len(read_episode_log(path)) == 1


@pytest.mark.parametrize(
    'bad',
    [
        [],
        {},
        {**ROW, 'outcome': 'lost'},
        {**ROW, 'start': [0.0, 1.0]},
        {**ROW, 'goal': None},
        {**ROW, 'world': {'boxes': [[1.0, 2.0]]}},
        {**ROW, 'world': {'spheres': []}},
        {**ROW, 'states': [[1.0, 0.0, 0.0, 0.0, 'here']]},
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(EpisodeLogError, match=r'episodes\.jsonl, line 2: '):
        read_episode_log(write(tmp_path, ROW, bad))


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(EpisodeLogError, match=r'cannot read episode log .*none\.jsonl'):
        read_episode_log(tmp_path / 'none.jsonl')
