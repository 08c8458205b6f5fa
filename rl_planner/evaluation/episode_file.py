"""Episodes as lines of JSON: how scenarios reach the nodes, and how their log says what was driven.

    {"start": [x, y, yaw], "goal": [x, y],
     "world": {"boxes": [...], "circles": [...], "walls": [...], "movers": [...]}}

Metres and radians; the parts of the world are rows as in `World`. Without regard to the line breaks
here, each episode is one line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

PARTS = ('boxes', 'circles', 'walls', 'movers')


class EpisodeFileError(ValueError):
    """A file of episodes that cannot be read; the message names file and line."""


def plain(episode: Episode) -> dict[str, Any]:
    """An episode in what JSON knows."""
    world = {part: getattr(episode.world, part).tolist() for part in PARTS}
    return {'start': list(episode.start), 'goal': list(episode.goal), 'world': world}


def episode_of(row: Mapping[str, Any]) -> Episode:
    """The episode of its plain form; other keys are left to others.

    Raises:
        ValueError: a key is missing, or its value breaks its rule.
    """
    for key in ('start', 'goal', 'world'):
        if key not in row:
            raise ValueError(f'{key} is missing')
    world = row['world']
    if not isinstance(world, Mapping) or set(world) != set(PARTS):
        raise ValueError(f'world must have the keys {", ".join(PARTS)}, got {world!r}')
    x, y, yaw = _numbers('start', row['start'], 3)
    goal_x, goal_y = _numbers('goal', row['goal'], 2)
    return Episode(World(**world), (x, y, yaw), (goal_x, goal_y))


def write_episodes(path: Path, episodes: Iterable[Episode]) -> None:
    path.write_text(''.join(f'{json.dumps(plain(each))}\n' for each in episodes), encoding='utf-8')


def read_episodes(path: Path) -> list[Episode]:
    """Read a file of episodes.

    Raises:
        EpisodeFileError: there is no such file, it is empty, or a line is broken.
    """
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise EpisodeFileError(f'cannot read episodes {path}: {reason}') from error
    if not lines:
        raise EpisodeFileError(f'{path} must hold at least one episode, got none')
    return [_read_line(line, f'{path}, line {number}') for number, line in enumerate(lines, 1)]


def _read_line(line: str, place: str) -> Episode:
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError(f'an episode must be a mapping, got {row!r}')
        return episode_of(row)
    except (ValueError, TypeError) as error:
        raise EpisodeFileError(f'{place}: {error}') from error


def _numbers(key: str, value: Any, count: int) -> list[float]:
    right = isinstance(value, list) and len(value) == count
    if not right or not all(type(part) in (int, float) and math.isfinite(part) for part in value):
        raise ValueError(f'{key} must be {count} finite numbers, got {value!r}')
    return [float(part) for part in value]
