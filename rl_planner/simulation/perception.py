"""Observations of many robots at once: what `ObservationEncoder` says, compiled with numba.

The encoder is the definition. Every operation here is rounded as its own is, so that observations
are the same numbers bit for bit; a test compares them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rl_planner.navigation import geometry
from rl_planner.navigation.observation import ObservationEncoder
from rl_planner.simulation.compiled import (
    F32,
    Doubles,
    Floats,
    Indices,
    compiled_exactly,
    inlined_exactly,
)
from rl_planner.simulation.discs import rough_atan2
from rl_planner.simulation.history import Past, recall
from rl_planner.simulation.motion import Robots

ZERO, ONE, INF = F32(0.0), F32(1.0), F32(np.inf)
TURN = 2.0 * math.pi
ROUGH = 1e-4  # rad; beyond the error of a rough angle

to_robot_frame = compiled_exactly(geometry.to_robot_frame)


class Sectors(NamedTuple):
    """Which returns a sector takes the nearest of.

    Of a lidar over the base frame, the beams `table[:, s]` look into sector s; one with fewer of
    them than another names one twice, one with none names the beam after the last, which is clear.
    Of any other lidar, each return lies in the sector that it is in as seen from the base.
    """

    table: Indices  # (most beams, num_sectors)
    cos: Doubles  # (samples, num_beams) the directions that stand for each beam's cell
    sin: Doubles
    mount_x: float
    mount_y: float
    mounted_off: bool  # away from the base frame
    width: float  # of a sector (rad)
    range_min: F32
    range_max: F32
    range_clip: F32

    @classmethod
    def of(cls, encoder: ObservationEncoder) -> Sectors:
        count, scan = encoder.config.num_sectors, encoder.scan
        angles = encoder.sample_angles()
        sectors, beams = encoder.sectors_at(angles), np.arange(scan.num_beams)
        members = [beams[(sectors == sector).any(axis=0)] for sector in range(count)]
        members = [each if len(each) else np.array([scan.num_beams]) for each in members]
        return cls(
            np.stack([np.resize(each, max(map(len, members))) for each in members], axis=1),
            np.cos(angles),
            np.sin(angles),
            scan.mount_x,
            scan.mount_y,
            scan.mount_x != 0.0 or scan.mount_y != 0.0,
            TURN / count,
            F32(scan.range_min),
            F32(scan.range_max),
            F32(encoder.config.range_clip),
        )


class Scales(NamedTuple):
    """The rest of an observation: what it is divided by (m, m/s, rad/s), and what never changes."""

    goal_distance_clip: float
    max_linear_vel: float
    max_angular_vel: float
    robot_numbers: Floats  # what an observation says of the robot

    @classmethod
    def of(cls, encoder: ObservationEncoder) -> Scales:
        robot = encoder.robot
        return cls(
            encoder.config.goal_distance_clip,
            robot.max_linear_vel,
            robot.max_angular_vel,
            encoder.robot_numbers,
        )


@inlined_exactly
def _clean(ranges: Floats, row: int, sectors: Sectors, clean: Floats) -> None:
    """The readings of a row, and a clear one: non-measurements are clear, too close is zero."""
    for i in range(ranges.shape[1]):
        reading = ranges[row, i]
        valid = (reading >= sectors.range_min) & (reading <= sectors.range_max)
        clean[i] = reading if valid else (ZERO if reading == -INF else INF)
    clean[ranges.shape[1]] = INF


@inlined_exactly
def _pool_beams(clean: Floats, sectors: Sectors, nearest: Floats) -> None:
    """Each sector's nearest return (num_sectors,), at most range_clip."""
    table = sectors.table
    for sector in range(len(nearest)):
        nearest[sector] = sectors.range_clip
    for k in range(len(table)):
        for sector in range(len(nearest)):
            nearest[sector] = min(nearest[sector], clean[table[k, sector]])


@inlined_exactly
def _sector_at(x: float, y: float, width: float, num_sectors: int) -> int:
    """The sector of a point in the base frame, as `ObservationEncoder.sectors_at` has it.

    A rough angle tells as well, and several times sooner, but next to another sector, and where the
    point is at the base itself: single precision may know no such numbers.
    """
    turns = (rough_atan2(F32(y), F32(x)) + math.pi) / width
    if abs(turns - math.floor(turns + 0.5)) * width < ROUGH or x * x + y * y < 1e-12:
        turns = (math.atan2(y, x) + math.pi) / width
    sector = math.floor(turns + 1e-6)
    return sector if sector < num_sectors else 0  # straight behind


@inlined_exactly
def _pool_points(clean: Floats, sectors: Sectors, nearest: Floats) -> None:
    """As `_pool_beams`, by where each return lies as seen from the base, not from the lidar."""
    cos, sin = sectors.cos, sectors.sin
    for sector in range(len(nearest)):
        nearest[sector] = sectors.range_clip
    for sample in range(len(cos)):
        for i in range(cos.shape[1]):
            if clean[i] < INF:
                x = sectors.mount_x + clean[i] * cos[sample, i]
                y = sectors.mount_y + clean[i] * sin[sample, i]
                sector = _sector_at(x, y, sectors.width, len(nearest))
                nearest[sector] = min(nearest[sector], F32(math.sqrt(x * x + y * y)))


@compiled_exactly
def observe(
    rows: Indices,
    robots: Robots,
    goals: Doubles,
    commands: Doubles,
    sectors: Sectors,
    scales: Scales,
    past: Past,
    out: Floats,
) -> None:
    """Write the observations of the robots `rows`.

    Args:
        goals: (N, 2) in the world frame, which odometry takes its own for (m).
        commands: (N, 2) the last ones (m/s, rad/s).
        past: what the robots saw; the present scans are added to it.
        out: (N, size) written.
    """
    count = sectors.table.shape[1]
    clean, nearest = np.empty(robots.ranges.shape[1] + 1, F32), np.empty(count, F32)
    odometry, velocities = robots.odometry, robots.measured_velocities
    for row in rows:
        _clean(robots.ranges, row, sectors, clean)
        if sectors.mounted_off:
            _pool_points(clean, sectors, nearest)
        else:
            _pool_beams(clean, sectors, nearest)
        for i in range(count):
            out[row, i] = ONE - nearest[i] / sectors.range_clip
        if past.nearest.shape[1]:
            recall(past, row, odometry, nearest, sectors.range_clip, out)
        x, y = to_robot_frame(
            odometry[row, 0], odometry[row, 1], odometry[row, 2], goals[row, 0], goals[row, 1]
        )
        distance = math.sqrt(x * x + y * y)
        safe = max(distance, 1e-9)
        out[row, count] = min(distance / scales.goal_distance_clip, 1.0)
        out[row, count + 1], out[row, count + 2] = x / safe, y / safe
        out[row, count + 3] = velocities[row, 0] / scales.max_linear_vel
        out[row, count + 4] = velocities[row, 1] / scales.max_angular_vel
        out[row, count + 5] = commands[row, 0] / scales.max_linear_vel
        out[row, count + 6] = commands[row, 1] / scales.max_angular_vel
        for i in range(len(scales.robot_numbers)):
            out[row, count + 7 + i] = scales.robot_numbers[i]
