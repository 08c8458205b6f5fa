"""When the first beam of a scan was measured: a lidar that turns measures one after the other.

sensor_msgs/LaserScan has the stamp be that time; many drivers stamp what they send, after the last
beam. What a robot that drives towards a wall measured first is nearer by then than it says.
"""

from __future__ import annotations

from rl_planner.navigation.observation import ScanError
from rl_planner.navigation.watchdog import NANOSECONDS


class Sweep:
    """Dates the scans of one lidar by their first beam.

    A scan that comes sooner than its last beam would have been measured was stamped later than its
    first one, by so much at least. The most counts: what a network adds comes and goes.

    Args:
        duration: of one scan (s); 0: as the scans say.
        limit: what takes longer cannot be recent (s).

    Attributes:
        late_ns: how much later than their first beam the scans are stamped.
    """

    def __init__(self, duration: float, limit: float) -> None:
        self._duration, self._limit = duration, limit
        self.late_ns = 0

    def first_beam(self, stamp_ns: int, duration: float, now_ns: int) -> int:
        """The time of a scan that came now, and takes `duration` (s) by its own account (ns).

        Raises:
            ScanError: it takes too long, or nobody knows how long.
        """
        duration = self._duration or duration
        if not duration < self._limit:
            raise ScanError(
                f'a scan must take less than {self._limit:g} s, '
                f'by its time_increment it takes {duration:.3g} s'
            )
        took_ns = round(duration * NANOSECONDS)
        self.late_ns = max(self.late_ns, min(stamp_ns + took_ns - now_ns, took_ns))
        return stamp_ns - self.late_ns

    def forget_time(self) -> None:
        """Time began anew: its clock and that of the scans may differ by something else."""
        self.late_ns = 0
