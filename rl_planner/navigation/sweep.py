"""When the first beam of a scan was measured: a lidar that turns measures one after the other.

sensor_msgs/LaserScan has the stamp be that time; many drivers stamp what they send, after the last
beam. What a robot that drives towards a wall measured first is nearer by then than it says.
"""

from __future__ import annotations

from collections import deque

from rl_planner.navigation.observation import ScanError
from rl_planner.navigation.watchdog import NANOSECONDS

REMEMBERED = 100  # scans: what a network adds comes and goes


class Sweep:
    """Knows how much later than their first beam the scans of one lidar are stamped.

    A scan that comes sooner than its last beam would have been measured was stamped late, by so
    much at least. The most of the last scans counts. Where that is more than half of what the scan
    takes, it is stamped with its last beam: the rest is how long it was under way.

    Args:
        duration: of one scan, from its first beam to its last (s); 0: as the scans say.
        limit: what takes longer cannot be recent (s).

    Attributes:
        duration: of the newest scan (s).
    """

    def __init__(self, duration: float, limit: float) -> None:
        self._known, self._limit = duration, limit
        self.duration = duration
        self._early_ns: deque[int] = deque(maxlen=REMEMBERED)

    @property
    def late_ns(self) -> int:
        """How much later than its first beam the newest scan was stamped: no more than it took."""
        took_ns = round(self.duration * NANOSECONDS)
        late_ns = max(self._early_ns, default=0)
        return took_ns if 2 * late_ns > took_ns else max(late_ns, 0)

    def saw(self, stamp_ns: int, duration: float, now_ns: int) -> None:
        """A scan came now that takes `duration` (s) by its own account.

        Raises:
            ScanError: it takes too long, or nobody knows how long.
        """
        duration = self._known or duration
        if not duration < self._limit:
            raise ScanError(
                f'a scan must take less than {self._limit:g} s, '
                f'by its time_increment it takes {duration:.3g} s'
            )
        self.duration = duration
        self._early_ns.append(stamp_ns + round(duration * NANOSECONDS) - now_ns)

    def forget_time(self) -> None:
        """Time began anew: its clock and that of the scans may differ by something else."""
        self._early_ns.clear()
