"""How planners drive: how near to obstacles, and how smoothly.

Closeness and smoothness are what Francis et al. 2023 (Principles and guidelines for evaluating
social robot navigation, arXiv:2306.16740) ask for beside success and time; jerk as a measure of
smoothness is from Flash and Hogan 1985 (J. Neuroscience 5). A figure that the results do not
determine is None.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rl_planner.evaluation.result import EpisodeResult
from rl_planner.simulation.world import FloatArray

CLOSE = 0.1  # nearer to an obstacle than this is close (m)
DEADBAND = 0.05  # slower turning is driving straight on, whatever its sign (rad/s)


def least_clearance(result: EpisodeResult) -> float | None:
    """How near the robot's edge came to an obstacle (m); below zero it touched."""
    return float(result.clearances.min()) if len(result.clearances) else None


def close_share(results: Sequence[EpisodeResult]) -> float | None:
    """The share of all time spent closer than `CLOSE` to an obstacle."""
    clearances = np.concatenate([result.clearances for result in results])
    return float((clearances < CLOSE).mean()) if len(clearances) else None


def mean_speed(results: Sequence[EpisodeResult]) -> float | None:
    """All that was driven by all the time it took (m/s)."""
    duration = sum(result.time_sec for result in results)
    return sum(result.path_length for result in results) / duration if duration > 0.0 else None


def rms_jerk(
    results: Sequence[EpisodeResult], control_period: float
) -> tuple[float | None, float | None]:
    """Root mean square of linear (m/s3) and angular jerk (rad/s3), over all steps of all results.

    Jerk is the second difference of the velocity by control_period^2.
    """
    jerks = np.concatenate([np.diff(result.velocities, n=2, axis=0) for result in results])
    if not len(jerks):
        return None, None
    linear, angular = np.sqrt((jerks**2).mean(axis=0)) / control_period**2
    return float(linear), float(angular)


def sign_changes_per_sec(results: Sequence[EpisodeResult]) -> float | None:
    """How often the robot turned from left to right or back, slower turning than `DEADBAND` left
    out, by all time driven (1/s).
    """
    duration = sum(result.time_sec for result in results)
    changes = sum(_sign_changes(result.velocities[:, 1]) for result in results)
    return changes / duration if duration > 0.0 else None


def _sign_changes(angular: FloatArray) -> int:
    signs = np.sign(angular[np.abs(angular) > DEADBAND])
    return int((signs[1:] != signs[:-1]).sum())
