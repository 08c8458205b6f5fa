"""One observation, everywhere: scan, goal, velocity and robot become the policy's input.

Simulator, actor node, evaluation and data conversion use this code unchanged. It works from the
scan's own metadata, so a policy does not care about beam count, field of view, mounting, or which
way the lidar turns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig

Floats = NDArray[np.float32]
Columns = slice | NDArray[np.int64]

MOST_ANGLE = 1000.0  # of the first beam, and from there to the last: no lidar's are nearly so (rad)

# What a robot's numbers are divided by, so that common robots lie in [0, 1].
ROBOT_SCALES = {
    'radius': 0.5,
    'footprint_length': 1.0,
    'footprint_width': 1.0,
    'max_linear_vel': 2.0,
    'min_linear_vel': 2.0,
    'max_angular_vel': 4.0,
    'max_linear_accel': 5.0,
    'max_angular_accel': 10.0,
}


class ScanError(ValueError):
    """A scan that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True)
class ScanGeometry:
    """Where the beams of a scan point: LaserScan's metadata and the lidar's pose on the robot.

    Angles in the lidar frame (rad), ranges (m), mounting in the base frame (m, rad). A negative
    `angle_increment` is a lidar that turns clockwise, `mount_inverted` one that hangs upside down.
    """

    num_beams: int
    angle_min: float
    angle_increment: float
    range_min: float
    range_max: float
    mount_x: float = 0.0
    mount_y: float = 0.0
    mount_yaw: float = 0.0
    mount_inverted: bool = False

    def __post_init__(self) -> None:
        if self.num_beams < 1:
            raise ScanError(f'a scan must have at least 1 beam, got {self.num_beams}')
        numbers = (self.angle_min, self.angle_increment, self.range_min, self.range_max)
        if not all(map(math.isfinite, numbers)):
            raise ScanError(f'scan angles and range limits must be finite, got {numbers}')
        if self.angle_increment == 0.0 and self.num_beams > 1:
            raise ScanError('angle_increment must not be 0')
        widest = max(abs(self.angle_min), abs(self.angle_increment) * max(self.num_beams - 1, 1))
        if widest > MOST_ANGLE:
            raise ScanError(f'scan angles must be within {MOST_ANGLE:g} rad, got {widest:g}')
        if not 0.0 <= self.range_min < self.range_max:
            raise ScanError(
                f'range_min must be at least 0 and below range_max {self.range_max:g}, '
                f'got {self.range_min:g}'
            )

    @classmethod
    def of(cls, lidar: LidarConfig) -> ScanGeometry:
        return cls(
            lidar.num_beams,
            lidar.angle_min,
            lidar.angle_increment,
            lidar.range_min,
            lidar.range_max,
            lidar.mount_x,
            lidar.mount_y,
            lidar.mount_yaw,
            lidar.mount_inverted,
        )

    def beam_angles(self) -> NDArray[np.float64]:
        """(num_beams,) the directions of the beams in the base frame (rad)."""
        turn = -1.0 if self.mount_inverted else 1.0
        beams = np.arange(self.num_beams, dtype=np.float64)
        return self.mount_yaw + turn * (self.angle_min + self.angle_increment * beams)


def is_measurement(ranges: Floats, scan: ScanGeometry) -> bool:
    """Whether a scan (num_beams,) says anything: one reading within range, or one clear (+inf).

    A scan of nothing but NaN, zeros or other non-measurements may be a broken lidar as well as an
    empty hall; nobody should drive on it.
    """
    farthest = float(np.fmax.reduce(ranges))  # ignores NaN; settles it for nearly every scan
    if farthest == math.inf or scan.range_min <= farthest <= scan.range_max:
        return True
    return bool(np.any((ranges >= scan.range_min) & (ranges <= scan.range_max)))


class ObservationEncoder:
    """Turns batches of scans of one geometry into observations, without allocating.

    All of an observation but what `history.ScanHistory` adds; `observer.Observer` is the whole.

    Meaning of a reading (REP-117): within [range_min, range_max] a distance; +inf, NaN, and finite
    values outside that interval (many lidars say 0 for no return) are clear; -inf is something too
    close to measure. A sector reads its nearest return; one that no beam looks into reads clear.

    Each beam stands for the cell around it, so that a lidar with fewer beams than sectors leaves no
    gaps. The layout of an observation row is `layout(config)`.

    Attributes:
        nearest: (batch_size, num_sectors) each sector's nearest return as last encoded (m).
        robot_numbers: what an observation says of the robot.
    """

    def __init__(
        self, config: ObservationConfig, robot: RobotConfig, scan: ScanGeometry, batch_size: int
    ) -> None:
        self.config, self.robot, self.scan = config, robot, scan
        self.size = observation_size(config)
        self._sector_width = 2.0 * math.pi / config.num_sectors
        angles = scan.beam_angles()
        self._directions = np.stack([np.cos(angles), np.sin(angles)])  # (2, num_beams)
        self._angles = self.sample_angles()
        self._covered, self._rounds = _rounds(self.sectors_at(self._angles), config.num_sectors)
        self._pooled = np.empty((batch_size, len(self._covered)), np.float32)
        self._offset = scan.mount_x != 0.0 or scan.mount_y != 0.0
        self.nearest = np.empty((batch_size, config.num_sectors), np.float32)
        self._closeness = np.empty_like(self.nearest)
        self._clip = np.float32(config.range_clip)
        self.robot_numbers = np.array(
            [getattr(robot, name) / scale for name, scale in ROBOT_SCALES.items()], np.float32
        )

    def encode(
        self,
        ranges: Floats,
        goal: NDArray[Any],
        velocity: NDArray[Any],
        previous_command: NDArray[Any],
        out: Floats,
    ) -> Floats:
        """Write the observations of N robots, N at most the batch size, and return `out`.

        An earlier scan's sectors, where the layout has them, are left as they are.

        Args:
            ranges: (N, num_beams) readings (m).
            goal: (N, 2) the goal in the robot frame (m).
            velocity: (N, 2) linear and angular velocity (m/s, rad/s).
            previous_command: (N, 2) the last command, likewise.
            out: (N, size) float32.
        """
        count = self.config.num_sectors
        nearest, closeness = self.nearest[: len(ranges)], self._closeness[: len(ranges)]
        self._find_nearest(ranges, nearest)
        np.divide(nearest, self._clip, out=closeness)  # a product might end up above 1
        np.subtract(1.0, closeness, out=out[:, :count])
        distance = np.sqrt(goal[:, 0] * goal[:, 0] + goal[:, 1] * goal[:, 1])  # hypot takes longer
        safe = np.maximum(distance, 1e-9)
        out[:, count] = np.minimum(distance / self.config.goal_distance_clip, 1.0)
        out[:, count + 1] = goal[:, 0] / safe
        out[:, count + 2] = goal[:, 1] / safe
        out[:, count + 3] = velocity[:, 0] / self.robot.max_linear_vel
        out[:, count + 4] = velocity[:, 1] / self.robot.max_angular_vel
        out[:, count + 5] = previous_command[:, 0] / self.robot.max_linear_vel
        out[:, count + 6] = previous_command[:, 1] / self.robot.max_angular_vel
        out[:, count + 7 : count + 7 + len(self.robot_numbers)] = self.robot_numbers
        return out

    def points(self, ranges: Floats) -> tuple[NDArray[Any], NDArray[Any]]:
        """x, y (N, num_beams) of the returns in the base frame (m); far off where there is none."""
        clean = np.minimum(self._cleaned(ranges), np.float32(1e6))
        return (
            self.scan.mount_x + clean * self._directions[0],
            self.scan.mount_y + clean * self._directions[1],
        )

    def _find_nearest(self, ranges: Floats, nearest: Floats) -> None:
        """The nearest return of each sector (N, num_sectors), in [0, range_clip] (m)."""
        if self._offset:
            self._scatter(self._cleaned(ranges), nearest)
        else:
            self._pool(ranges, nearest)
            if nearest.min(initial=np.inf) < self.scan.range_min:  # rare: no measurement
                rows = (nearest < self.scan.range_min).any(axis=1)
                pooled = nearest[rows]
                self._pool(self._cleaned(ranges[rows]), pooled)
                nearest[rows] = pooled
            if self.scan.range_max < self.config.range_clip:
                nearest[nearest > self.scan.range_max] = np.inf
        np.minimum(nearest, self._clip, out=nearest)

    def _cleaned(self, ranges: Floats) -> Floats:
        """`ranges` with every non-measurement clear (inf), and too close (-inf) at zero."""
        low, high = self.scan.range_min, self.scan.range_max
        clean = np.where((ranges >= low) & (ranges <= high), ranges, np.float32(np.inf))
        clean[np.isneginf(ranges)] = 0.0
        return clean

    def _pool(self, ranges: Floats, nearest: Floats) -> None:
        pooled = self._pooled[: len(ranges)]
        pooled.fill(np.inf)
        for columns in self._rounds:
            np.fmin(pooled, ranges[:, columns], out=pooled)
        nearest.fill(np.inf)
        nearest[:, self._covered] = pooled

    def _scatter(self, ranges: Floats, nearest: Floats) -> None:
        """Pool by where each return lies as seen from the base, not from the lidar."""
        nearest.fill(np.inf)
        with np.errstate(invalid='ignore'):
            for angles in self._angles:
                x = self.scan.mount_x + ranges * np.cos(angles)
                y = self.scan.mount_y + ranges * np.sin(angles)
                sectors = self.sectors_at(np.nan_to_num(np.arctan2(y, x)))
                rows = np.broadcast_to(np.arange(len(ranges))[:, None], sectors.shape)
                distance = np.where(np.isfinite(ranges), np.sqrt(x * x + y * y), np.inf)
                np.minimum.at(nearest, (rows, sectors), distance.astype(np.float32))

    def sectors_at(self, angles: NDArray[Any]) -> NDArray[np.int64]:
        """The sectors that look towards `angles`; sector 0 begins straight behind the robot."""
        # 1e-6: a beam on the border of two sectors belongs to the same one despite rounding.
        turns = np.floor((angles + math.pi) / self._sector_width + 1e-6).astype(np.int64)
        return np.mod(turns, self.config.num_sectors)

    def sample_angles(self) -> NDArray[np.float64]:
        """(samples, num_beams) directions that stand for each beam's cell in the base frame."""
        width = abs(self.scan.angle_increment)
        samples = max(math.ceil(width / self._sector_width - 1e-6), 1)
        share = (np.arange(samples) + 0.5) / samples - 0.5
        if samples == 1:
            share = np.zeros(1)
        return self.scan.beam_angles()[None, :] + width * share[:, None]


def _rounds(
    sectors: NDArray[np.int64], num_sectors: int
) -> tuple[NDArray[np.int64], list[Columns]]:
    """(covered sectors, rounds): round k names the k-th beam of each covered sector.

    A sector with fewer beams than another names its last one again, which changes no minimum.

    Args:
        sectors: (samples, num_beams) the sector that each sample of each beam falls into.
    """
    beams = np.broadcast_to(np.arange(sectors.shape[1]), sectors.shape)
    covered = np.unique(sectors)
    members = [np.unique(beams[sectors == sector]) for sector in covered]
    longest = max(map(len, members))
    table = np.stack([np.pad(member, (0, longest - len(member)), 'edge') for member in members])
    return covered, [_as_slice(column) for column in table.T]


def _as_slice(index: NDArray[np.int64]) -> Columns:
    """The slice equal to `index` where there is one: a view costs nothing, an index copies."""
    steps = np.unique(np.diff(index))
    if len(steps) == 1 and steps[0] > 0:
        return slice(int(index[0]), int(index[-1]) + 1, int(steps[0]))
    return index


def observation_size(config: ObservationConfig) -> int:
    return sum(size for _, size in layout(config))


def layout(config: ObservationConfig) -> list[tuple[str, int]]:
    """Names and sizes of an observation's parts, in order.

    sectors: 1 - nearest / range_clip, counter-clockwise from straight behind: 0 clear, 1 touching;
    goal: distance / goal_distance_clip (at most 1), cosine and sine of its bearing;
    velocity, previous_command: linear and angular, by the robot's top speeds;
    robot: its numbers in the order of ROBOT_SCALES, by those scales;
    earlier_sectors: an earlier scan from where the robot is now, if there are history_steps.
    """
    parts = [
        ('sectors', config.num_sectors),
        ('goal', 3),
        ('velocity', 2),
        ('previous_command', 2),
        ('robot', len(ROBOT_SCALES)),
    ]
    return [*parts, ('earlier_sectors', config.num_sectors)] if config.history_steps else parts
