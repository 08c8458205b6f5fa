"""Keeps a robot's way to its goal up to date: what a global planner does between two goals.

A way is planned when a goal comes, and anew when something that is not in the map stands in it,
when the robot strays from it, and when the map changes. Who walks across does not count: to dodge
what is there for a moment is the local planner's part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import Config, RobotConfig, parameter
from rl_planner.navigation.global_planner import GlobalPlanner, GlobalPlannerConfig, PlanningError
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.obstacle_layer import ObstacleLayer, ObstacleLayerConfig
from rl_planner.navigation.occupancy import OccupancyMap
from rl_planner.navigation.path import PathConfig, PathFollower

Floats = NDArray[np.float64]
NOWHERE: Floats = np.empty((0, 2))


@dataclass(frozen=True)
class RouteConfig(Config):
    """When a way is planned anew."""

    max_stray: float = parameter(
        1.0, 'a robot farther from its way than this gets a new one (m)', above=0.0
    )
    blocked_time: float = parameter(
        0.9, 'something that stands in the way for so long is gone around (s)', at_least=0.0
    )
    patience: float = parameter(
        30.0,
        'where obstacles that are not in the map leave no way to the goal, the robot waits so long '
        'for them to go away (s)',
        at_least=0.0,
    )


class News(NamedTuple):
    """A way that replaces the one before.

    Attributes:
        path: (M, 2) in the frame of the map (m); no point: stop.
        text: why, for people to read.
        is_refusal: there is no way.
    """

    path: Floats
    text: str
    is_refusal: bool = False


class Route:
    """The way of one robot on one map; all in the frame of the map (m, rad), times in seconds.

    Args:
        xy_goal_tolerance: who is so near to the end of the way has arrived.

    Attributes:
        area: the map, or None till there is one.
        goal: where the robot is to go, or None.
    """

    def __init__(
        self,
        robot: RobotConfig,
        planner: GlobalPlannerConfig,
        layer: ObstacleLayerConfig,
        config: RouteConfig,
        xy_goal_tolerance: float,
    ) -> None:
        self._planner, self._tolerance = GlobalPlanner(robot, planner), xy_goal_tolerance
        self._radius, self._layer_config, self._config = robot.inscribed_radius, layer, config
        self.area: OccupancyMap | None = None
        self.goal: tuple[float, float] | None = None
        self._layer: ObstacleLayer | None = None
        self._follower: PathFollower | None = None
        self._reason = ''  # to plan anew
        self._blocked_since = math.inf
        self._waits_since = math.inf

    @property
    def rest(self) -> Floats:
        """(R, 2) what is left of the way; no point where there is none."""
        return NOWHERE if self._follower is None else self._follower.rest

    @property
    def is_waiting(self) -> bool:
        """Whether there is a goal and, at present, no way to it."""
        return self.goal is not None and math.isfinite(self._waits_since)

    def set_map(self, area: OccupancyMap) -> None:
        """Plan on another map from now on; obstacles beside it are seen anew."""
        self.area, self._layer = area, ObstacleLayer(area, self._radius, self._layer_config)
        self._reason = 'the map has changed'

    def set_goal(self, x: float, y: float) -> None:
        self.drop()
        self.goal, self._reason = (x, y), 'a new goal'

    def drop(self) -> None:
        """Forget the goal."""
        self.goal, self._follower = None, None
        self._blocked_since = self._waits_since = math.inf

    def see(
        self, pose: Floats, ranges: NDArray[np.float32], scan: ScanGeometry, stamp: float
    ) -> None:
        """What a scan (num_beams,) shows, taken at `pose` (3,)."""
        if self._layer is not None:
            self._layer.update(pose, ranges, scan, stamp)

    def update(self, pose: Floats, now: float) -> News | None:
        """Another way, or None as long as the present one will do; at its end the goal is dropped.

        Args:
            pose: (3,) of the robot.
        """
        if self.goal is None or self.area is None or self._layer is None:
            return None
        if self._has_arrived(pose):
            self.drop()
            return None
        seen = self._layer.occupied(now)
        reason = self._reason or self._fault(self.area, pose, seen, now)
        if not reason:
            return None
        self._reason, self._blocked_since = '', math.inf
        place = (float(pose[0]), float(pose[1]))
        try:
            path = self._planner.plan(self.area, place, self.goal, seen)
        except PlanningError as error:
            return self._refuse(str(error), self.area, place, now)
        self._waits_since = math.inf
        # Its own idea of where the robot is on it; how far that looks ahead does not matter.
        self._follower = PathFollower(path, PathConfig())
        length = float(np.hypot(*np.diff(path, axis=0).T).sum())
        return News(self.rest, f'{reason}: {length:.1f} m to the goal')

    def _has_arrived(self, pose: Floats) -> bool:
        if self._follower is None:
            return False
        x, y = pose[:2].tolist()
        is_end = self._follower.update(x, y).is_end
        return is_end and math.dist((x, y), self._follower.end) <= self._tolerance

    def _fault(self, area: OccupancyMap, pose: Floats, seen: NDArray[np.bool_], now: float) -> str:
        """Why the present way will not do, or ''."""
        if self._follower is None:
            return 'the way is free again' if self.is_waiting else ''
        where = self._follower.update(float(pose[0]), float(pose[1]))
        if where.deviation > self._config.max_stray:
            return f'{where.deviation:.1f} m off the way'
        if not self._planner.is_blocked(area, self._follower.rest, seen):
            self._blocked_since = math.inf
            return ''
        self._blocked_since = min(self._blocked_since, now)
        if now - self._blocked_since < self._config.blocked_time:
            return ''
        return 'something stands in the way'

    def _refuse(
        self, text: str, area: OccupancyMap, place: tuple[float, float], now: float
    ) -> News | None:
        """No way: stop, and wait if the map alone has one; None while that is known already."""
        assert self.goal is not None
        begins, self._follower = not self.is_waiting, None
        self._waits_since = min(self._waits_since, now)
        if now - self._waits_since <= self._config.patience and self._is_possible(area, place):
            text = f'{text}, past what stands there now: it waits'
            return News(NOWHERE, text, is_refusal=True) if begins else None
        self.drop()
        return News(NOWHERE, text, is_refusal=True)

    def _is_possible(self, area: OccupancyMap, place: tuple[float, float]) -> bool:
        """Whether there is a way on the map alone."""
        assert self.goal is not None
        try:
            self._planner.plan(area, place, self.goal)
        except PlanningError:
            return False
        return True
