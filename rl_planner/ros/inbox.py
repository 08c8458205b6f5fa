"""What one robot sensed last, and whether it is fit to drive on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.observation import ScanError, ScanGeometry, is_measurement
from rl_planner.navigation.sweep import Sweep
from rl_planner.navigation.track import Pose, Track
from rl_planner.navigation.watchdog import Watchdog
from rl_planner.ros.cdr import read_odometry

Ranges = NDArray[np.float32]
Odometry = tuple[float, float, float, float, float]  # x, y, yaw, v, w

EARLY = 0.85  # a scan within this share of a control period after the last step is skipped
OVERTAKEN_SEC = 0.5  # messages may overtake each other by so much
SCAN, ODOMETRY, STEP = 'scan', 'odometry', 'step'  # as faults name them
LATE = 0.5  # odometry this share of a control period older than the scan is waited for


class Inbox:
    """The newest scan and odometry of one robot; all times in nanoseconds.

    Attributes:
        ranges: of the scan that awaits a step, or None.
        scan_ns, odom_ns: stamps of the newest usable ones, or None.
        stepped_ns: stamp of the scan last acted on, or None.
        acted_ns: the same, or when that scan came if that was earlier.
        late_ns, duration: of the newest scan, how much later than its first beam it is stamped, and
            how long it took (s).
        odometry: the newest.
        odom_frame, base_frame: odometry is the pose of the second in the first; '' till it comes.
        is_blind: the newest scan was of no use, so nobody waits for this robot.
        watchdog: knows how old they may be.
    """

    def __init__(self, name: str, period_ns: int, watchdog: Watchdog, sweep: Sweep) -> None:
        self.name, self.watchdog, self._sweep = name, watchdog, sweep
        self.ranges: Ranges | None = None
        self.scan_ns: int | None = None
        self.odom_ns: int | None = None
        self.stepped_ns: int | None = None
        self.acted_ns: int | None = None
        self._born_ns: int | None = None  # of the scan
        self.is_blind = False
        self.odometry: Odometry = (0.0, 0.0, 0.0, 0.0, 0.0)
        self._track: Track[Odometry] = Track()
        self.odom_frame = self.base_frame = ''
        self._has_frames = False  # odometry has named them, if only by ''
        self._period_ns = period_ns

    @property
    def late_ns(self) -> int:
        return self._sweep.late_ns

    @property
    def duration(self) -> float:
        return self._sweep.duration

    def is_repeated(self, stamp: int) -> bool:
        """Whether the scan of this time has been acted on already."""
        return stamp == self.stepped_ns

    def is_early(self, stamp: int) -> bool:
        """Whether a scan comes too soon after the last step to begin another control period."""
        if self.stepped_ns is None:
            return False
        return 0 < stamp - self.stepped_ns < EARLY * self._period_ns

    def take_scan(
        self, stamp: int, duration: float, ranges: Ranges, geometry: ScanGeometry, now: int
    ) -> None:
        """Keep a scan that came now; by its own account it took `duration` (s).

        Raises:
            ScanError: it took too long, or has no usable reading.
        """
        self._sweep.saw(stamp, duration, now)
        if not is_measurement(ranges, geometry):
            raise ScanError('no beam of the scan is a measurement or clear')
        self.ranges, self.scan_ns, self._born_ns = ranges, stamp, min(stamp, now)
        self.watchdog.saw(SCAN, stamp, now)

    def take_odometry(self, data: bytes, now: int) -> None:
        """Keep odometry, serialized, that came now.

        Raises:
            ValueError: it is broken, not finite, or of other frames than before; till a good one
                comes, there is none.
        """
        try:
            stamp, frame, child, odometry = read_odometry(data)
            if not all(map(math.isfinite, odometry)):
                raise ValueError(f'odometry must be finite, got {odometry}')
            if self._has_frames and (frame, child) != (self.odom_frame, self.base_frame):
                raise ValueError(
                    f'odometry must stay of {self.base_frame!r} in {self.odom_frame!r}, '
                    f'got {child!r} in {frame!r}'
                )
        except ValueError as error:
            self.odom_ns = None
            self.watchdog.lost(ODOMETRY, str(error))
            raise
        if 0.0 < self.watchdog.behind(ODOMETRY, stamp) <= OVERTAKEN_SEC:
            return
        self.odometry, self.odom_frame, self.odom_ns = odometry, frame, stamp
        self._track.add(stamp, odometry)
        self.base_frame, self._has_frames = child, True
        self.watchdog.saw(ODOMETRY, stamp, now)

    def is_overtaken(self, stamp: int) -> bool:
        """Whether a newer scan has come before; one from long ago tells that time began anew."""
        return 0.0 < self.watchdog.behind(SCAN, stamp) <= OVERTAKEN_SEC

    def forget_time(self) -> None:
        """Time began anew: stamps of before mean nothing."""
        self.ranges = self.scan_ns = self.odom_ns = self.stepped_ns = self.acted_ns = None
        self._has_frames, self._track = False, Track()
        self._sweep.forget_time()
        self.watchdog.forget()

    def is_complete(self) -> bool:
        """Whether a scan awaits a step, with odometry of about the same time."""
        if self.ranges is None or self.scan_ns is None or self.odom_ns is None:
            return False
        return self.scan_ns - self.late_ns - self.odom_ns <= LATE * self._period_ns

    def odometry_of_scan(self) -> tuple[Odometry, int]:
        """Where the robot was, and how fast, at the first beam: scans come later than odometry.

        And by how much it is older (ns): where the robot is known up to a time before only, which
        is not long ago (`is_complete`), it is the newest.
        """
        if self.scan_ns is None or self.odom_ns is None:
            raise ValueError('there must be a scan and odometry')
        measured = self.scan_ns - self.late_ns
        known = self._track.at(measured)
        if known is None:
            return self.odometry, max(measured - self.odom_ns, 0)
        return known, 0

    def pose_at(self, stamp: int) -> Pose:
        """x, y, yaw (m, rad) at a time; the newest where that is not known."""
        known = self._track.at(stamp)
        return (self.odometry if known is None else known)[:3]

    def close_step(self) -> None:
        """The scan has been acted on."""
        self.stepped_ns, self.acted_ns, self.ranges = self.scan_ns, self._born_ns, None
