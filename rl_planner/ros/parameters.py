"""ROS parameters, derived from the configuration dataclasses: one truth for all of them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

from rl_planner.bringup.params_file import GROUPS
from rl_planner.navigation.config import Bounds, Config, ConfigError, check, unknown_name

C = TypeVar('C', bound=Config)

ROS_OWN = ('use_sim_time', 'start_type_description_service', 'qos_overrides')
UNBOUNDED = 1e12


def declare(node: Node, group: str, config: type[C], live: Container[str] = ()) -> C:
    """Declare the parameters `group.name` of a Config (no prefix for group ''), and read them.

    All are read-only but those named in `live`, whose changes the node is to check.

    Raises:
        ConfigError: a wrong type or a value out of bounds.
    """
    overrides: Mapping[str, Parameter] = node._parameter_overrides
    values = {}
    for item in fields(config):
        name = f'{group}.{item.name}' if group else item.name
        value = item.default
        if name in overrides:
            bounds = item.metadata['bounds']
            value = check(name, overrides[name].value, item.default, bounds)
        node.declare_parameter(
            name,
            list(value) if isinstance(value, tuple) else value,
            _descriptor(item, item.name not in live),
            ignore_override=True,
        )
        values[item.name] = value
    return config.from_mapping(values, group)


def refuse_unknown(node: Node) -> None:
    """Refuse parameters that no node has: a misspelt name must not be ignored in silence.

    Raises:
        ConfigError: naming the parameter, and the nearest known one.
    """
    shared = [f'{group}.{item.name}' for group, config in GROUPS.items() for item in fields(config)]
    known = [*shared, *node._parameters, *ROS_OWN]
    for name in node._parameter_overrides:
        if name not in known and not name.startswith('qos_overrides.'):
            raise ConfigError(unknown_name(name, known))


def _descriptor(item: Field[Any], read_only: bool) -> ParameterDescriptor:
    bounds: Bounds = item.metadata['bounds']
    descriptor = ParameterDescriptor(description=item.metadata['description'], read_only=read_only)
    descriptor.additional_constraints = bounds.rule()
    low = bounds.at_least if bounds.at_least is not None else bounds.above
    high = bounds.at_most
    if low is None and high is None:
        return descriptor
    low, high = -UNBOUNDED if low is None else low, UNBOUNDED if high is None else high
    if isinstance(item.default, float):
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    else:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return descriptor
