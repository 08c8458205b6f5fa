"""What a user is shown of a robot: lines and outlines, in plain points (x, y) in metres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import ObservationConfig
from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.geometry import to_world_frame

Points = NDArray[np.float64]

ARC = math.pi / 12.0  # of a circle's outline, between two points (rad)


@dataclass(frozen=True)
class View:
    """What a robot sees and does.

    Attributes:
        observation: (size,) as `observation.layout` tells.
        command: linear and angular velocity that the base is told (m/s, rad/s).
        safety_action: of `safety.ACTIONS`, '' where the policy's command was let through.
    """

    observation: NDArray[np.float32]
    command: tuple[float, float]
    safety_action: str

    def sectors(self, config: ObservationConfig) -> list[NDArray[np.float32]]:
        """(num_sectors,) of the present scan, and of the earlier one if there is one."""
        count = config.num_sectors
        present = self.observation[:count]
        return [present, self.observation[-count:]] if config.history_steps else [present]


def sector_lines(closeness: NDArray[Any], config: ObservationConfig) -> Points:
    """(M, 2, 2) a line across each sector that is not clear, at its nearest return.

    Args:
        closeness: (num_sectors,) as observed: 0 clear, 1 touching; counter-clockwise from straight
            behind.

    Returns:
        From the right end of each line to the left one, in the base frame.
    """
    sectors = np.flatnonzero(closeness > 0.0)
    distances = (1.0 - closeness[sectors]) * config.range_clip
    width = 2.0 * math.pi / config.num_sectors
    edges = -math.pi + width * (sectors[:, None] + np.array([0.0, 1.0]))  # (M, 2)
    unit = np.stack([np.cos(edges), np.sin(edges)], axis=-1)
    return np.asarray(distances[:, None, None] * unit)


def outline(footprint: Footprint) -> Points:
    """(N, 2) the robot's outline in the base frame, counter-clockwise; it ends where it began.

    A rectangle that is moved out by a margin has round corners.
    """
    turns: NDArray[Any] = ARC * np.arange(round(2.0 * math.pi / ARC))
    if footprint.margin == 0.0:
        turns = np.array([0.25, 0.75, 1.25, 1.75]) * math.pi
    unit = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    corners = np.sign(np.round(unit, 9)) * (footprint.half_length, footprint.half_width)
    points = corners + footprint.margin * unit
    return np.concatenate([points, points[:1]])


def placed(points: Points, pose: Sequence[float]) -> Points:
    """Points (..., 2) of the base frame, where the robot is at `pose` (x, y, yaw)."""
    x, y, yaw = pose
    return np.stack(to_world_frame(x, y, yaw, points[..., 0], points[..., 1]), axis=-1)
