"""Parameter files of the nodes, read and checked before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rl_planner.learning.config import LearningConfig
from rl_planner.navigation.config import (
    Config,
    ConfigError,
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
    unknown_name,
)
from rl_planner.navigation.global_planner import GlobalPlannerConfig
from rl_planner.navigation.obstacle_layer import ObstacleLayerConfig
from rl_planner.navigation.path import PathConfig
from rl_planner.navigation.safety import SafetyConfig
from rl_planner.simulation.disturbance import DisturbanceConfig

# The parameters that nodes share, by prefix. A file for all nodes may name any of them; a node
# declares what it uses.
GROUPS: dict[str, type[Config]] = {
    'robot': RobotConfig,
    'lidar': LidarConfig,
    'observation': ObservationConfig,
    'task': TaskConfig,
    'learning': LearningConfig,
    'disturbance': DisturbanceConfig,
    'safety': SafetyConfig,
    'planner': GlobalPlannerConfig,
    'obstacle_layer': ObstacleLayerConfig,
    'path': PathConfig,
}
NODES = (
    'actor_node',
    'episode_node',
    'gazebo_bridge_node',
    'global_planner_node',
    'learner_node',
    'simulator_node',
)
AT_ROOT = ('learner_node',)  # whatever the namespace of the robots


class ParamsFileError(ValueError):
    """A parameter file that cannot be used; the message names file and parameter."""


def read_params_file(path: Path) -> dict[str, Any]:
    """The configuration of each of `GROUPS`: what the file says for all nodes, defaults else.

    Raises:
        ParamsFileError: there is no such file, it is no such YAML, or a parameter is unknown or
            breaks its rule.
    """
    return read_params_files([path])


def read_params_files(
    paths: Sequence[Path], defaults: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """As `read_params_file`, of several: a later one overrides single parameters of an earlier.

    Args:
        defaults: by group, of parameters whose defaults are others here. They belong together:
            where a file says one of them, the usual defaults stand for the rest.
    """
    groups: dict[str, Any] = {name: {} for name in GROUPS}
    for path in paths:
        given = _shared(path)
        _configs(str(path), given)  # each must hold by itself: the message names the right file
        groups = {name: {**groups[name], **given[name]} for name in GROUPS}
    for name, values in (defaults or {}).items():
        if not values.keys() & groups[name].keys():
            groups[name] = {**values, **groups[name]}
    return _configs(', '.join(map(str, paths)), groups)


def check_params_file(path: Path) -> None:
    """Refuse a file whose shared parameters no node would take; a node's own it checks itself.

    Raises:
        ParamsFileError: as `read_params_file`, or a section is for a node that does not exist.
    """
    for name, parameters in _sections(path).items():
        node = name.rpartition('/')[2]
        if node not in ('**', *NODES):
            raise ParamsFileError(f'{path}: {unknown_name(node, list(NODES), "node")}')
        _configs(str(path), {key: each for key, each in parameters.items() if key in GROUPS})


def check_reach(path: Path, namespace: str) -> None:
    """Refuse a section for a node of the root where `namespace` is its: nothing would come of it.

    Raises:
        ParamsFileError: there is such a section, or as `check_params_file`.
    """
    for name in _sections(path) if namespace else ():
        node = name.removeprefix('/')
        if node in NODES and node not in AT_ROOT:
            raise ParamsFileError(
                f'{path}: {name} must be /**/{node} or /{namespace}/{node}, for the node is in '
                f'the namespace {namespace}'
            )


def _shared(path: Path) -> dict[str, Any]:
    """What the file says of each of `GROUPS` for all nodes."""
    check_params_file(path)
    sections = _sections(path)
    given = sections.pop('/**', {})
    for name, parameters in sections.items():  # what is a node's own is for when there are nodes
        if shared := [key for key in parameters if key.partition('.')[0] in GROUPS]:
            raise ParamsFileError(
                f'{path}: only /** counts where there are no nodes, got {shared[0]} of {name}'
            )
    if unknown := [name for name in given if name not in GROUPS]:
        raise ParamsFileError(f'{path}: {unknown_name(unknown[0], list(GROUPS))}')
    return {name: given.get(name, {}) for name in GROUPS}


def _configs(where: str, groups: dict[str, Any]) -> dict[str, Any]:
    """The groups' values as configurations; `where` they are from, for messages."""
    try:
        return {name: GROUPS[name].from_mapping(values, name) for name, values in groups.items()}
    except ConfigError as error:
        raise ParamsFileError(f'{where}: {error}') from error


def _sections(path: Path) -> dict[str, dict[str, Any]]:
    """What is under `ros__parameters`, by the name of the node or `/**` for all of them."""
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise ParamsFileError(f'cannot read {path}: {error.strerror}') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsFileError(f'{path} is not YAML: {" ".join(str(error).split())}') from error
    try:
        sections = {name: dict(section['ros__parameters']) for name, section in content.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParamsFileError(
            f'{path} must hold parameters under a node or /**, and ros__parameters'
        ) from error
    for name in (name for names in (sections, *sections.values()) for name in names):
        if not isinstance(name, str):
            raise ParamsFileError(f'{path}: names must be text, got {name!r}')
    return sections
