"""Along a global path: which point of it a local planner is to drive to next.

A policy knows how to reach a goal that it can see, and gets lost where the way there bends. So it
is given a point ahead on the path, and another one as it comes nearer: as far ahead as
`lookahead_dist` where the path is straight, and nearer where it bends, so that the straight line to
it leaves the path by no more than `max_deviation`. (Regulated pure pursuit shortens its look-ahead
likewise: S. Macenski et al., "Regulated pure pursuit for robot path tracking", Autonomous Robots
2023.) Obstacles that are not in the map do not count here: to get around them is what the policy
has learnt, and a point this side of one would draw the robot into it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import Config, ConfigError, ObservationConfig, parameter

Floats = NDArray[np.float64]

SPACING = 0.05  # between two points of a path as it is followed, at most (m)
LONGEST = 10000.0  # of a path: more is a broken one, and as evenly spaced points takes memory (m)
# How much farther from the path a robot may get, on its way along, before what comes after is
# another branch of the path (m). The steps of a path on a grid are smaller.
SLACK = 0.1
# Who is so near to the point ahead has been there, whatever part of the path is left out (m): more
# than what a policy takes for reaching its goal.
ARRIVED = 0.3


class PathError(ValueError):
    """A path that cannot be followed; the message says what is wrong with it."""


@dataclass(frozen=True)
class PathConfig(Config):
    """How a path is followed, in the words of Nav2's Regulated Pure Pursuit."""

    lookahead_dist: float = parameter(
        1.5,
        'how far ahead on the path the point is that is driven to (m); at most the '
        'goal_distance_clip of the policy',
        above=0.0,
        at_most=20.0,
    )
    min_lookahead_dist: float = parameter(
        0.6, 'it is so far ahead at least, however the path bends (m)', above=0.0, at_most=20.0
    )
    max_deviation: float = parameter(
        0.15, 'the straight line to it leaves the path by so much at most (m)', above=0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_lookahead_dist > self.lookahead_dist:
            raise ConfigError(
                f'min_lookahead_dist must be at most lookahead_dist {self.lookahead_dist:g}, '
                f'got {self.min_lookahead_dist:g}'
            )


class LookAhead(NamedTuple):
    """Where to drive next.

    Attributes:
        x, y: in the frame of the path (m).
        is_end: it is the end of the path.
        deviation: of the robot from the path (m).
        remaining: along the path from where the robot is, to its end (m).
    """

    x: float
    y: float
    is_end: bool
    deviation: float
    remaining: float


class PathFollower:
    """Follows one path. Neither where the robot is on it, nor the point ahead, ever goes back.

    Args:
        points: (M, 2) x, y from the robot on (m), M at least 1.
        config: how.
        observation: of the policy that drives; it does not see how far a goal beyond its
            goal_distance_clip is. None: it sees any.

    Raises:
        PathError: there is no point, or one is not finite.
    """

    def __init__(
        self, points: Floats, config: PathConfig, observation: ObservationConfig | None = None
    ) -> None:
        self.points, self._spacing = resampled(points)
        farthest = config.lookahead_dist
        if observation is not None:
            farthest = min(farthest, observation.goal_distance_clip)
        self._most = max(math.floor(farthest / self._spacing + 1e-9), 1)
        self._least = max(round(min(config.min_lookahead_dist, farthest) / self._spacing), 1)
        self._max_deviation = config.max_deviation
        self._at, self._ahead = 0, -1  # indices of points: where the robot is, and the point ahead

    @property
    def end(self) -> tuple[float, float]:
        """The end of the path (m)."""
        x, y = self.points[-1].tolist()
        return x, y

    @property
    def rest(self) -> Floats:
        """(R, 2) the path from where the robot is on it (m)."""
        return self.points[self._at :]

    def update(self, x: float, y: float) -> LookAhead:
        """The point to drive to from (x, y) (m)."""
        there_x, there_y = self.points[self._ahead].tolist()
        if self._ahead > self._at and math.hypot(there_x - x, there_y - y) <= ARRIVED:
            self._at = self._ahead
        deviation = self._advance(x, y)
        self._ahead = max(self._at + self._reach(), self._ahead)
        last = len(self.points) - 1
        ahead_x, ahead_y = self.points[self._ahead].tolist()
        remaining = self._spacing * (last - self._at)
        return LookAhead(ahead_x, ahead_y, self._ahead == last, deviation, remaining)

    def _advance(self, x: float, y: float) -> float:
        """Walk along the path as long as that comes nearer to the robot; how far off it is then.

        The nearest point of the whole path may be on another branch of it, behind a wall: it is
        farther to there and back than SLACK.
        """
        while True:
            window = self.points[self._at : self._at + self._most + 1]
            off = np.hypot(window[:, 0] - x, window[:, 1] - y)
            away = off > np.minimum.accumulate(off) + SLACK
            count = int(away.argmax()) if away.any() else len(off)
            nearest = int(off[:count].argmin())
            self._at += nearest
            if nearest < self._most:
                return float(off[nearest])

    def _reach(self) -> int:
        """How many points ahead the straight line still keeps to the path."""
        ahead = self.points[self._at + 1 : self._at + 1 + self._most] - self.points[self._at]
        if len(ahead) <= self._least:
            return len(ahead)
        off = _deviations(ahead) > self._max_deviation
        kept = int(off.argmax()) if off.any() else len(ahead)
        return max(kept, self._least)


def resampled(points: Floats) -> tuple[Floats, float]:
    """The same path with evenly spaced points (N, 2), and their distance (m), at most SPACING.

    Raises:
        PathError: there is no point, or one is not finite.
    """
    points = np.asarray(points, np.float64).reshape(-1, 2)
    if not len(points):
        raise PathError('a path must have at least 1 point, got none')
    bad = ~np.isfinite(points).all(axis=1)
    if bad.any():
        index = int(bad.argmax())
        raise PathError(f'each point of a path must be finite, got {points[index]} as no. {index}')
    far = np.abs(points - points[0]).max(axis=1) > LONGEST
    if far.any():
        raise PathError(
            f'each point of a path must be within {LONGEST:g} m of the first, '
            f'got {points[far.argmax()]} as no. {far.argmax()}'
        )
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    if along[-1] > LONGEST:
        raise PathError(f'a path must be at most {LONGEST:g} m long, got {along[-1]:.0f} m')
    if along[-1] < 1e-6:  # the robot is there
        return points[-1:], SPACING
    steps = max(math.ceil(along[-1] / SPACING - 1e-9), 1)
    places = np.linspace(0.0, along[-1], steps + 1)
    columns = [np.interp(places, along, column) for column in points.T]
    return np.stack(columns, axis=-1), float(along[-1] / steps)


def _deviations(ahead: Floats) -> Floats:
    """(n,) how far the path leaves the straight line to each of its next points (n, 2) (m).

    As seen from where it begins; at most over all points on the way there.
    """
    length = np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)
    c, s = ahead.T / length
    along = c[:, None] * ahead[:, 0] + s[:, None] * ahead[:, 1]  # (to, via)
    across = c[:, None] * ahead[:, 1] - s[:, None] * ahead[:, 0]
    beyond = np.maximum(np.maximum(-along, along - length[:, None]), 0.0)
    return np.asarray(np.tril(np.hypot(across, beyond)).max(axis=1))
