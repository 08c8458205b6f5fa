"""What can be configured, once: typed, described, bounded and checked; ROS parameters follow it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self


class ConfigError(ValueError):
    """A value that breaks its rule; the message names the thing, the rule and the value."""


class Bounds(NamedTuple):
    """What a value must satisfy; `at_least` is a closed bound, `above` an open one."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    choices: tuple[str, ...] = ()

    def rule(self) -> str:
        """The rule in words, as error messages say it."""
        if self.choices:
            return 'one of ' + ', '.join(self.choices)
        parts = (('at least', self.at_least), ('above', self.above), ('at most', self.at_most))
        return ' and '.join(f'{word} {limit:g}' for word, limit in parts if limit is not None)

    def admits(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        return not (
            (self.at_least is not None and value < self.at_least)
            or (self.above is not None and value <= self.above)
            or (self.at_most is not None and value > self.at_most)
        )


def parameter(default: Any, description: str, **bounds: Any) -> Any:
    """A dataclass field with its description (unit included) and its `Bounds`."""
    return field(default=default, metadata={'description': description, 'bounds': Bounds(**bounds)})


@dataclass(frozen=True)
class Config:
    """Base of all configuration: checks every field's type and bounds when it is made."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = check(
                item.name, getattr(self, item.name), item.default, item.metadata['bounds']
            )
            object.__setattr__(self, item.name, value)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], group: str = '') -> Self:
        """Build from plain values.

        Args:
            group: that they are in, as messages name it: `robot` for robot.radius.

        Raises:
            ConfigError: an unknown name, a wrong type, or a value out of bounds.
        """
        prefix = f'{group}.' if group else ''
        items = {f'{prefix}{item.name}': item for item in fields(cls)}
        names = list(items)
        if not isinstance(values, Mapping):
            raise ConfigError(f'parameters must be a mapping with {names[0]}, ..., got {values!r}')
        for name, value in values.items():
            full = f'{prefix}{name}'
            if full not in items:
                raise ConfigError(unknown_name(full, names))
            check(full, value, items[full].default, items[full].metadata['bounds'])
        try:
            return cls(**values)
        except ConfigError as error:  # of several values, none of which is wrong by itself
            raise ConfigError(f'{group}: {error}' if group else str(error)) from error


def unknown_name(name: str, known: list[str], kind: str = 'parameter') -> str:
    """The message for a name that does not exist, with the nearest one that does."""
    near = difflib.get_close_matches(name, known, 1)
    return f'unknown {kind} {name}' + (f', did you mean {near[0]}?' if near else '')


def check(name: str, value: Any, default: Any, bounds: Bounds) -> Any:
    """`value` in the type of `default`, or a ConfigError.

    An int is taken where a float is due, and a list where a tuple is; a tuple holds text.
    """
    kind = type(default)
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 1e300 else math.inf  # an int may be of any size
    if kind is tuple:
        value = tuple(value) if isinstance(value, list) else value
        for item in value if isinstance(value, tuple) else ():
            check(f'each of {name}', item, '', Bounds())
    if type(value) is not kind:
        raise ConfigError(f'{name} must be {kind.__name__}, got {value!r}')
    if kind is float and not math.isfinite(value):
        raise ConfigError(f'{name} must be finite, got {value}')
    if not bounds.admits(value):
        raise ConfigError(f'{name} must be {bounds.rule()}, got {value}')
    return value


@dataclass(frozen=True)
class RobotConfig(Config):
    """The robot: a unicycle's freedom, a disc or a rectangle (REP-103: x forward, y left)."""

    radius: float = parameter(
        0.17, 'radius of the circle that holds the robot (m)', above=0.0, at_most=2.0
    )
    footprint_length: float = parameter(
        0.0,
        'length of the rectangle around the base frame that is the robot (m); 0: the disc of '
        'radius',
        at_least=0.0,
        at_most=4.0,
    )
    footprint_width: float = parameter(
        0.0, 'width of that rectangle (m); 0: the disc of radius', at_least=0.0, at_most=4.0
    )
    max_linear_vel: float = parameter(0.5, 'top speed forward (m/s)', above=0.0, at_most=5.0)
    min_linear_vel: float = parameter(
        0.0, 'lowest speed (m/s); below zero the robot may reverse', at_least=-5.0, at_most=0.0
    )
    max_angular_vel: float = parameter(
        1.5, 'top turning rate, either way (rad/s)', above=0.0, at_most=10.0
    )
    max_linear_accel: float = parameter(
        2.5, 'acceleration and deceleration (m/s2)', at_least=0.01, at_most=20.0
    )
    max_angular_accel: float = parameter(
        3.2, 'angular acceleration, either way (rad/s2)', at_least=0.01, at_most=50.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        length, width = self.footprint_length, self.footprint_width
        if (length > 0.0) != (width > 0.0):
            raise ConfigError(
                'footprint_length and footprint_width must both be 0 or both be above 0, '
                f'got {length:g} and {width:g}'
            )
        if self.radius < 0.5 * math.hypot(length, width) - 1e-6:
            raise ConfigError(
                f'radius must hold the footprint of {length:g} m x {width:g} m, got {self.radius:g}'
            )

    @property
    def inscribed_radius(self) -> float:
        """Of the largest circle around the base frame within the robot (m)."""
        return 0.5 * min(self.footprint_length, self.footprint_width) or self.radius


@dataclass(frozen=True)
class LidarConfig(Config):
    """A planar lidar: its beams, and where it is mounted on the robot's base."""

    num_beams: int = parameter(180, 'beams in one scan', at_least=1, at_most=10000)
    angle_min: float = parameter(
        -math.pi, 'direction of the first beam in the lidar frame (rad)', at_least=-7.0, at_most=7.0
    )
    field_of_view: float = parameter(
        2.0 * math.pi,
        'angle from the first to the last beam (rad); a full turn leaves no beam twice',
        above=0.0,
        at_most=2.0 * math.pi,
    )
    range_min: float = parameter(
        0.05, 'nearer readings are not measurements (m)', at_least=0.0, at_most=10.0
    )
    range_max: float = parameter(
        3.5, 'farther readings are not measurements (m)', above=0.0, at_most=200.0
    )
    noise_std: float = parameter(
        0.0, 'standard deviation of simulated range noise (m)', at_least=0.0, at_most=1.0
    )
    mount_x: float = parameter(
        0.0, 'lidar position ahead of the base frame (m)', at_least=-5.0, at_most=5.0
    )
    mount_y: float = parameter(
        0.0, 'lidar position left of the base frame (m)', at_least=-5.0, at_most=5.0
    )
    mount_yaw: float = parameter(
        0.0, 'lidar heading in the base frame (rad)', at_least=-7.0, at_most=7.0
    )
    mount_inverted: bool = parameter(False, 'the lidar hangs upside down')
    scan_duration: float = parameter(
        0.0,
        'from the first beam of a real scan to its last (s); 0: as its time_increment says',
        at_least=0.0,
        at_most=5.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.range_min >= self.range_max:
            raise ConfigError(
                f'range_min must be below range_max {self.range_max:g}, got {self.range_min:g}'
            )

    @property
    def angle_increment(self) -> float:
        """Angle from beam to beam (rad)."""
        full_turn = self.field_of_view > 2.0 * math.pi - 1e-6
        return self.field_of_view / max(self.num_beams - (0 if full_turn else 1), 1)


@dataclass(frozen=True)
class ObservationConfig(Config):
    """How a scan and a goal become the policy's input: the layout that a policy file records."""

    num_sectors: int = parameter(
        36, 'equal sectors of the full circle, each its nearest return', at_least=4, at_most=720
    )
    range_clip: float = parameter(
        3.5, 'returns beyond this distance read as clear (m)', above=0.0, at_most=100.0
    )
    goal_distance_clip: float = parameter(
        5.0, 'goals beyond this distance read alike (m)', above=0.0, at_most=100.0
    )
    history_steps: int = parameter(
        0,
        'control periods between the scan and an earlier one that is shown beside it, so that a '
        'policy sees what moves; 0: none',
        at_least=0,
        at_most=100,
    )


@dataclass(frozen=True)
class TaskConfig(Config):
    """What the robot is asked for: reach a goal in time, touch nothing; and what that is worth."""

    control_period: float = parameter(
        0.1, 'time from one command to the next (s)', above=0.0, at_most=1.0
    )
    xy_goal_tolerance: float = parameter(
        0.25, 'the goal is reached within this distance (m)', above=0.0, at_most=5.0
    )
    time_limit: float = parameter(40.0, 'an episode is truncated after this (s)', above=0.0)
    progress_reward: float = parameter(0.5, 'reward per metre nearer to the goal', at_least=0.0)
    goal_reward: float = parameter(2.0, 'reward for reaching the goal', at_least=0.0)
    collision_penalty: float = parameter(1.0, 'penalty for a collision', at_least=0.0)
    step_penalty: float = parameter(0.002, 'penalty per step', at_least=0.0)
    clearance_margin: float = parameter(
        0.15, 'nearer to an obstacle than this costs (m)', above=0.0, at_most=5.0
    )
    clearance_penalty: float = parameter(0.02, 'penalty per step at zero clearance', at_least=0.0)

    def time_limit_of(self, robot: RobotConfig) -> float:
        """In random worlds (s): a robot that is slower than the default one has more time."""
        return self.time_limit * max(1.0, RobotConfig().max_linear_vel / robot.max_linear_vel)
