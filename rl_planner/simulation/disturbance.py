"""What a real robot does to a planner's plans: late, inexact commands, and odometry that drifts."""

from __future__ import annotations

from dataclasses import dataclass

from rl_planner.navigation.config import Config, parameter


@dataclass(frozen=True)
class DisturbanceConfig(Config):
    """How the simulated robot departs from the ideal one; the lidar's noise is `LidarConfig`'s."""

    command_latency: float = parameter(
        0.0, 'time from a command until the base follows it (s)', at_least=0.0, at_most=1.0
    )
    gain: float = parameter(
        1.0, 'velocity of the base as a share of the commanded one', at_least=0.1, at_most=3.0
    )
    gain_error: float = parameter(
        0.0,
        'each episode the base is off by a factor of 1 +- this, at most, in each of linear and '
        'angular velocity',
        at_least=0.0,
        at_most=0.5,
    )
    odometry_error: float = parameter(
        0.0,
        'each episode odometry is off by a factor of 1 +- this, at most, in distance and in angle',
        at_least=0.0,
        at_most=0.5,
    )
    lidar_dropout: float = parameter(
        0.0, 'share of the beams without a return, drawn anew each scan', at_least=0.0, at_most=1.0
    )
