"""Reads the parameter files of the nodes where there is no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rl_planner.cli.options import CommandError
from rl_planner.navigation.config import Config, ConfigError, unknown_name


def read_params_file(path: Path, groups: Mapping[str, type[Config]]) -> dict[str, Config]:
    """The configuration of each of `groups`: what the file says under `/**`, defaults else.

    Raises:
        CommandError: there is no such file, it is no such YAML, or a parameter is unknown or breaks
            its rule; names file and parameter.
    """
    given = _parameters(path)
    try:
        if unknown := [name for name in given if name not in groups]:
            raise ConfigError(unknown_name(unknown[0], list(groups)))
        return {name: group.from_mapping(given.get(name, {})) for name, group in groups.items()}
    except ConfigError as error:
        raise CommandError(f'{path}: {error}') from error


def _parameters(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise CommandError(f'cannot read {path}: {error.strerror}') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f'{path} is not YAML: {" ".join(str(error).split())}') from error
    try:
        given = content['/**']['ros__parameters']
        if not all(isinstance(group, dict) for group in given.values()):
            raise TypeError
    except (KeyError, TypeError, AttributeError) as error:
        raise CommandError(
            f'{path} must hold groups of parameters under /** and ros__parameters'
        ) from error
    return dict(given)
