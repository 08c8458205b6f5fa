"""What came of an episode, and the log of such results that the episode node writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from rl_planner.evaluation.episode_file import episode_of
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import FloatArray


class EpisodeLogError(ValueError):
    """An episode log that cannot be read; the message names file and line."""


@dataclass(frozen=True)
class EpisodeResult:
    """One driven episode.

    Attributes:
        episode: what was to be done.
        outcome: goal, collision or timeout.
        time_sec: from start to end.
        poses: (steps + 1, 3) x, y, yaw of the robot, from the start on, in the world (m, rad).
        velocities: (steps + 1, 2) linear and angular, at the same times (m/s, rad/s).
        clearances: (steps + 1,) from the robot's edge to the nearest obstacle (m).
    """

    episode: Episode
    outcome: Outcome
    time_sec: float
    poses: FloatArray
    velocities: FloatArray
    clearances: FloatArray

    @property
    def path(self) -> FloatArray:
        """(steps + 1, 2) where the robot's centre went (m)."""
        return self.poses[:, :2]

    @property
    def path_length(self) -> float:
        """What was driven (m)."""
        steps = np.diff(self.path, axis=0)
        return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def read_episode_log(path: str | Path) -> dict[int, EpisodeResult]:
    """The results in an episode log by the number of their scenario, counted from 0, in that order.

    It holds a line of JSON for each episode: robot, episode, scenario, outcome, time_sec, start,
    goal, world and states, x, y, yaw, v, w at each control period; clearances are not in it.
    Cancelled episodes, and a last line that is being written, are left out.

    Raises:
        EpisodeLogError: there is no such file, or a line is broken.
    """
    try:
        *lines, _ = Path(path).read_text(encoding='utf-8').split('\n')
    except OSError as error:
        raise EpisodeLogError(f'cannot read episode log {path}: {error.strerror}') from error
    rows = [_row(line, f'{path}, line {number}') for number, line in enumerate(lines, start=1)]
    return dict(sorted((row for row in rows if row is not None), key=itemgetter(0)))


def _row(line: str, place: str) -> tuple[int, EpisodeResult] | None:
    try:
        row = json.loads(line)
        return None if row['outcome'] == 'cancelled' else (int(row['scenario']), _result(row))
    except (ValueError, KeyError, TypeError) as error:
        raise EpisodeLogError(f'{place}: {error!r}') from error


def _result(row: dict[str, Any]) -> EpisodeResult:
    states = np.array(row['states'], float).reshape(-1, 5)
    outcome, time_sec = Outcome[row['outcome'].upper()], float(row['time_sec'])
    poses, velocities = states[:, :3], states[:, 3:]
    return EpisodeResult(episode_of(row), outcome, time_sec, poses, velocities, np.empty(0))
