"""What messages say, in plain numbers."""

from __future__ import annotations

import numpy as np

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig
from rl_planner.navigation.observation import ObservationEncoder
from rl_planner.ros.messages import scan_geometry


def test_zero_is_no_return_where_a_driver_says_that_range_min_is_zero() -> None:
    geometry = scan_geometry((4.0, -3.0, 1.5, 0.0, 100.0), LidarConfig())
    encoder = ObservationEncoder(ObservationConfig(num_sectors=4), RobotConfig(), geometry, 1)
    out = np.zeros((1, encoder.size), np.float32)
    nothing = np.zeros((1, 2))
    encoder.encode(np.zeros((1, 4), np.float32), nothing, nothing, nothing, out)
    assert out[0, :4].tolist() == [0.0] * 4  # clear: not something that touches


def test_what_a_driver_says_otherwise_counts() -> None:
    geometry = scan_geometry((360.0, 0.0, 0.0175, 0.12, 3.5), LidarConfig(mount_x=-0.03))
    assert (geometry.num_beams, geometry.range_min, geometry.range_max) == (360, 0.12, 3.5)
    assert geometry.mount_x == -0.03
