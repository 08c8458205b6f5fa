from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.evaluation.episode_file import (
    PARTS,
    EpisodeFileError,
    episode_of,
    plain,
    read_episodes,
    write_episodes,
)
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.random_world import RandomWorldConfig, random_world
from rl_planner.simulation.world import World

ROW: dict[str, Any] = {
    'start': [0.0, 1.0, 0.5],
    'goal': [3.0, 2],
    'world': {
        'boxes': [[0.0, 4.0, 0.0, 8.0, 0.1]],
        'circles': [],
        'walls': [[0.0, 0.0, 1.0, 0.0]],
        'movers': [[0.0, 0.0, 1.0, 0.0, 0.2, 0.3, 0.0]],
    },
}


@given(st.integers(0, 1000), st.floats(-10.0, 10.0), st.floats(-4.0, 4.0))
def test_not_a_bit_is_lost(seed: int, x: float, yaw: float) -> None:
    world = random_world(np.random.default_rng(seed), RandomWorldConfig(movers=2))
    episode = Episode(world, (x, 0.1, yaw), (1.0 / 3.0, x))
    read = episode_of(json.loads(json.dumps(plain(episode))))
    assert (read.start, read.goal) == (episode.start, episode.goal)
    for part in PARTS:
        np.testing.assert_array_equal(getattr(read.world, part), getattr(world, part))


def test_a_file_keeps_the_order(tmp_path: Path) -> None:
    path = tmp_path / 'episodes.jsonl'
    write_episodes(path, [Episode(World(), (float(x), 0.0, 0.0), (9.0, 0.0)) for x in range(3)])
    assert [each.start[0] for each in read_episodes(path)] == [0.0, 1.0, 2.0]
    assert path.read_text().count('\n') == 3


@pytest.mark.parametrize(
    ('bad', 'message'),
    [
        ('{"start"', 'line 2: Expecting'),
        ('[]', r'line 2: an episode must be a mapping, got \[\]'),
        ({'goal': [1.0, 2.0], 'world': ROW['world']}, 'line 2: start is missing'),
        ({**ROW, 'goal': [1.0]}, r'line 2: goal must be 2 finite numbers, got \[1\.0\]'),
        ({**ROW, 'start': [0.0, 1.0, None]}, 'line 2: start must be 3 finite numbers'),
        ({**ROW, 'world': {'boxes': []}}, 'line 2: world must have the keys boxes, circles, walls'),
        (
            {**ROW, 'world': {**ROW['world'], 'circles': [[0.0, 0.0, -1.0]]}},
            'line 2: world: .*radii',
        ),
        (
            {**ROW, 'world': {**ROW['world'], 'walls': [['a', 0, 0, 0]]}},
            'line 2: could not convert',
        ),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, bad: Any, message: str) -> None:
    path = tmp_path / 'episodes.jsonl'
    second = bad if isinstance(bad, str) else json.dumps(bad)
    path.write_text(f'{json.dumps(ROW)}\n{second}\n')
    with pytest.raises(EpisodeFileError, match=rf'episodes\.jsonl, {message}'):
        read_episodes(path)


def test_an_empty_or_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EpisodeFileError, match=r'cannot read episodes .*none\.jsonl: No such file'):
        read_episodes(tmp_path / 'none.jsonl')
    empty = tmp_path / 'empty.jsonl'
    empty.touch()
    with pytest.raises(EpisodeFileError, match='must hold at least one episode, got none'):
        read_episodes(empty)
