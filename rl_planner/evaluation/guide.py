"""What a robot with a map has besides its planner: a way to the goal on the map, to follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.planner import Floats
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.global_planner import GlobalPlanner, PlanningError
from rl_planner.navigation.path import PathFollower
from rl_planner.simulation.world_map import world_map


class Guide:
    """Ways of N robots on the true maps of their worlds; what moves there is on no map.

    One way for each robot, planned at the start and followed to the end, as `actor_node` does.
    Where the global planner finds none, the robot is given the goal itself.
    """

    def __init__(self, scenarios: Sequence[Scenario], setting: Setting) -> None:
        planner = GlobalPlanner(setting.robot, setting.planner)
        self._followers = [_follower(each, planner, setting) for each in scenarios]
        self._goals = np.array([each.goal for each in scenarios])

    def goals(self, rows: NDArray[np.int64], poses: Floats) -> Floats:
        """(n, 2) where the robots `rows` (n,) are to go next from poses (n, 3), in their frame."""
        goals = self._goals[rows]
        for index, (row, (x, y, _)) in enumerate(zip(rows.tolist(), poses.tolist(), strict=True)):
            follower = self._followers[row]
            if follower is not None:
                ahead = follower.update(x, y)
                if not ahead.is_end:
                    goals[index] = ahead.x, ahead.y
        return goals


def _follower(scenario: Scenario, planner: GlobalPlanner, setting: Setting) -> PathFollower | None:
    start, goal = scenario.start[:2], scenario.goal
    try:
        path = planner.plan(world_map(scenario.world, places=[start, goal]), start, goal)
    except PlanningError:
        return None
    return PathFollower(path, setting.path)
