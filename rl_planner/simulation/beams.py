"""A lidar as the kernels read it, and where it is."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.compiled import F32, LANES, Floats, inlined

FEW_BLOCKS = 4  # up to here, casting all beams takes less time than finding out which are meant


class Beams(NamedTuple):
    """A lidar, laid out for the kernel; angles in the base frame.

    Directions are padded to whole blocks of LANES.
    """

    cos: Floats  # (padded,)
    sin: Floats  # (padded,)
    first: F32  # direction of beam 0 (rad)
    per_radian: F32  # beams per radian; negative where the beams turn clockwise
    per_turn: F32  # beams in a full turn, whole or not
    mount_x: F32
    mount_y: F32
    range_min: F32
    range_max: F32
    all_at_once: bool  # an obstacle is cast on every beam, not only on those that meet it

    @classmethod
    def of(cls, scan: ScanGeometry) -> Beams:
        angles = np.pad(scan.beam_angles(), (0, -scan.num_beams % LANES))
        turn = -1.0 if scan.mount_inverted else 1.0
        increment = turn * scan.angle_increment if scan.angle_increment else 2.0 * math.pi
        per_turn = 2.0 * math.pi / abs(increment)
        overlaps = scan.num_beams > per_turn + 0.5
        return cls(
            np.cos(angles).astype(F32),
            np.sin(angles).astype(F32),
            F32(angles[0]),
            F32(1.0 / increment),
            F32(per_turn),
            F32(scan.mount_x),
            F32(scan.mount_y),
            F32(scan.range_min),
            F32(scan.range_max),
            overlaps or len(angles) <= LANES * FEW_BLOCKS,
        )


class Place(NamedTuple):
    """Where a lidar is in the world; (c, s) is the robot's heading."""

    c: F32
    s: F32
    lidar_x: F32
    lidar_y: F32


@inlined
def place_lidar(x: F32, y: F32, yaw: F32, mount_x: F32, mount_y: F32) -> Place:
    c, s = F32(math.cos(yaw)), F32(math.sin(yaw))
    lidar_x, lidar_y = x + c * mount_x - s * mount_y, y + s * mount_x + c * mount_y
    return Place(c, s, lidar_x, lidar_y)


@inlined
def turned(x: F32, y: F32, place: Place) -> tuple[F32, F32]:
    """A point of the world as the lidar sees it, along the robot's axes."""
    x, y = x - place.lidar_x, y - place.lidar_y
    return place.c * x + place.s * y, place.c * y - place.s * x
