"""Configuration: every rule, its message, and what may be given for what."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import pytest

from rl_planner.navigation.config import (
    Bounds,
    Config,
    ConfigError,
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
    parameter,
)

NAN, INF = float('nan'), float('inf')

# (class, field, the last value allowed, the first one that is not, the rule)
RULES: list[tuple[type[Config], str, Any, Any, str]] = [
    (RobotConfig, 'radius', 1e-6, 0.0, 'above 0 and at most 2'),
    (RobotConfig, 'radius', 2.0, 2.1, 'above 0 and at most 2'),
    (RobotConfig, 'footprint_length', 0.0, 4.1, 'at least 0 and at most 4'),
    (RobotConfig, 'footprint_width', 0.0, -0.1, 'at least 0 and at most 4'),
    (RobotConfig, 'max_linear_vel', 1e-6, 0.0, 'above 0 and at most 5'),
    (RobotConfig, 'max_linear_vel', 5.0, 5.1, 'above 0 and at most 5'),
    (RobotConfig, 'min_linear_vel', 0.0, 0.1, 'at least -5 and at most 0'),
    (RobotConfig, 'min_linear_vel', -5.0, -5.1, 'at least -5 and at most 0'),
    (RobotConfig, 'max_angular_vel', 1e-6, 0.0, 'above 0 and at most 10'),
    (RobotConfig, 'max_angular_vel', 10.0, 10.1, 'above 0 and at most 10'),
    (RobotConfig, 'max_linear_accel', 0.01, 0.0, 'at least 0.01 and at most 20'),
    (RobotConfig, 'max_linear_accel', 20.0, 20.1, 'at least 0.01 and at most 20'),
    (RobotConfig, 'max_angular_accel', 0.01, 0.0, 'at least 0.01 and at most 50'),
    (RobotConfig, 'max_angular_accel', 50.0, 50.1, 'at least 0.01 and at most 50'),
    (LidarConfig, 'num_beams', 1, 0, 'at least 1 and at most 10000'),
    (LidarConfig, 'num_beams', 10000, 10001, 'at least 1 and at most 10000'),
    (LidarConfig, 'angle_min', -7.0, -7.1, 'at least -7 and at most 7'),
    (LidarConfig, 'angle_min', 7.0, 7.1, 'at least -7 and at most 7'),
    (LidarConfig, 'field_of_view', 1e-3, 0.0, 'above 0 and at most 6.28319'),
    (LidarConfig, 'field_of_view', 2.0 * math.pi, 6.3, 'above 0 and at most 6.28319'),
    (LidarConfig, 'range_min', 0.0, -0.1, 'at least 0 and at most 10'),
    (LidarConfig, 'range_max', 200.0, 200.1, 'above 0 and at most 200'),
    (LidarConfig, 'noise_std', 0.0, -0.1, 'at least 0 and at most 1'),
    (LidarConfig, 'noise_std', 1.0, 1.1, 'at least 0 and at most 1'),
    (LidarConfig, 'scan_duration', 0.0, -0.1, 'at least 0 and at most 5'),
    (LidarConfig, 'scan_duration', 5.0, 5.1, 'at least 0 and at most 5'),
    (LidarConfig, 'mount_x', 5.0, 5.1, 'at least -5 and at most 5'),
    (LidarConfig, 'mount_y', -5.0, -5.1, 'at least -5 and at most 5'),
    (LidarConfig, 'mount_yaw', 7.0, 7.1, 'at least -7 and at most 7'),
    (ObservationConfig, 'num_sectors', 4, 3, 'at least 4 and at most 720'),
    (ObservationConfig, 'num_sectors', 720, 721, 'at least 4 and at most 720'),
    (ObservationConfig, 'range_clip', 1e-3, 0.0, 'above 0 and at most 100'),
    (ObservationConfig, 'range_clip', 100.0, 101.0, 'above 0 and at most 100'),
    (ObservationConfig, 'goal_distance_clip', 100.0, 0.0, 'above 0 and at most 100'),
    (ObservationConfig, 'history_steps', 0, -1, 'at least 0 and at most 100'),
    (ObservationConfig, 'history_steps', 100, 101, 'at least 0 and at most 100'),
    (TaskConfig, 'control_period', 1e-3, 0.0, 'above 0 and at most 1'),
    (TaskConfig, 'control_period', 1.0, 1.1, 'above 0 and at most 1'),
    (TaskConfig, 'xy_goal_tolerance', 5.0, 0.0, 'above 0 and at most 5'),
    (TaskConfig, 'time_limit', 1e-3, 0.0, 'above 0'),
    (TaskConfig, 'progress_reward', 0.0, -0.1, 'at least 0'),
    (TaskConfig, 'goal_reward', 0.0, -0.1, 'at least 0'),
    (TaskConfig, 'collision_penalty', 0.0, -0.1, 'at least 0'),
    (TaskConfig, 'step_penalty', 0.0, -0.1, 'at least 0'),
    (TaskConfig, 'clearance_margin', 5.0, 0.0, 'above 0 and at most 5'),
    (TaskConfig, 'clearance_penalty', 0.0, -0.1, 'at least 0'),
]


@pytest.mark.parametrize(('config', 'name', 'allowed', 'refused', 'rule'), RULES)
def test_a_rule_and_its_message(
    config: type[Config], name: str, allowed: Any, refused: Any, rule: str
) -> None:
    assert getattr(config(**{name: allowed}), name) == allowed
    with pytest.raises(ConfigError) as error:
        config(**{name: refused})
    assert str(error.value) == f'{name} must be {rule}, got {refused}'


@pytest.mark.parametrize('config', [RobotConfig, LidarConfig, ObservationConfig, TaskConfig])
def test_every_number_has_a_rule_and_every_field_a_description(config: type[Config]) -> None:
    tested = {name for other, name, *_ in RULES if other is config}
    assert tested == {item.name for item in fields(config) if item.type != 'bool'}
    assert all(item.metadata['description'] for item in fields(config))


@pytest.mark.parametrize('value', [NAN, INF, -INF, 10**400])
def test_numbers_must_be_finite(value: Any) -> None:
    with pytest.raises(ConfigError, match='radius must be finite, got'):
        RobotConfig(radius=value)


@dataclass(frozen=True)
class Everything(Config):
    """One field of each kind."""

    number: float = parameter(1.0, 'a number')
    count: int = parameter(1, 'a whole number', at_least=1)
    switch: bool = parameter(False, 'a switch')
    mode: str = parameter('fast', 'a choice', choices=('fast', 'slow'))
    names: tuple[str, ...] = parameter(('a',), 'names')


@pytest.mark.parametrize(
    ('name', 'given', 'kept'),
    [
        ('number', 2, 2.0),
        ('number', -2.5, -2.5),
        ('count', 3, 3),
        ('switch', True, True),
        ('mode', 'slow', 'slow'),
        ('names', ['x', 'y'], ('x', 'y')),
        ('names', (), ()),
    ],
)
def test_accepted_values(name: str, given: Any, kept: Any) -> None:
    value = getattr(Everything.from_mapping({name: given}), name)
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ('name', 'given', 'message'),
    [
        ('number', '2.0', "number must be float, got '2.0'"),
        ('number', True, 'number must be float, got True'),
        ('number', None, 'number must be float, got None'),
        ('count', 3.0, 'count must be int, got 3.0'),
        ('count', True, 'count must be int, got True'),
        ('count', 0, 'count must be at least 1, got 0'),
        ('switch', 1, 'switch must be bool, got 1'),
        ('switch', 'true', "switch must be bool, got 'true'"),
        ('mode', 'quick', 'mode must be one of fast, slow, got quick'),
        ('mode', 1, 'mode must be str, got 1'),
        ('names', 'xy', "names must be tuple, got 'xy'"),
        ('names', ['x', 2], 'each of names must be str, got 2'),
    ],
)
def test_refused_values(name: str, given: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        Everything.from_mapping({name: given})
    assert str(error.value) == message


def test_from_mapping_keeps_the_defaults_of_the_rest() -> None:
    assert RobotConfig.from_mapping({'radius': 1}) == RobotConfig(radius=1.0)
    assert RobotConfig.from_mapping({}) == RobotConfig()


def test_an_unknown_name_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(ConfigError) as error:
        RobotConfig.from_mapping({'max_linear_velocity': 1.0})
    assert str(error.value) == (
        'unknown parameter max_linear_velocity, did you mean max_linear_vel?'
    )
    with pytest.raises(ConfigError) as error:
        RobotConfig.from_mapping({'zzz': 1.0})
    assert str(error.value) == 'unknown parameter zzz'


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        RobotConfig().radius = 1.0  # type: ignore[misc]


def test_bounds_in_words() -> None:
    assert Bounds(at_least=1).rule() == 'at least 1'
    assert Bounds(above=0, at_most=0.5).rule() == 'above 0 and at most 0.5'
    assert Bounds(choices=('a', 'b')).rule() == 'one of a, b'
    assert Bounds().admits(-1e300)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (
            {'footprint_length': 0.4},
            'footprint_length and footprint_width must both be 0 or both be above 0, got 0.4 and 0',
        ),
        (
            {'radius': 0.49, 'footprint_length': 0.8, 'footprint_width': 0.6},
            'radius must hold the footprint of 0.8 m x 0.6 m, got 0.49',
        ),
    ],
)
def test_a_footprint_is_whole_and_within_the_radius(values: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        RobotConfig(**values)
    assert str(error.value) == message


@pytest.mark.parametrize('range_min', [3.5, 4.0])
def test_the_shortest_range_is_below_the_longest(range_min: float) -> None:
    with pytest.raises(ConfigError) as error:
        LidarConfig(range_min=range_min, range_max=3.5)
    assert str(error.value) == f'range_min must be below range_max 3.5, got {range_min:g}'


@pytest.mark.parametrize(
    ('num_beams', 'field_of_view', 'increment'),
    [
        (360, 2.0 * math.pi, math.radians(1.0)),  # a full turn: beam 360 would be beam 0 again
        (4, 2.0 * math.pi, math.pi / 2.0),
        (181, math.pi, math.radians(1.0)),  # half a turn: both ends have a beam
        (2, 1.0, 1.0),
        (1, 2.0 * math.pi, 2.0 * math.pi),
        (1, 1.0, 1.0),
    ],
)
def test_angle_between_beams(num_beams: int, field_of_view: float, increment: float) -> None:
    lidar = LidarConfig(num_beams=num_beams, field_of_view=field_of_view)
    assert lidar.angle_increment == pytest.approx(increment, rel=1e-12)
