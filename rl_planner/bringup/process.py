"""What a system consists of: nodes of ours, and programs of others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rl_planner.bringup.arguments import Value

Parameter = Value | list[str]

# A node may be writing its last checkpoint: it has this long after SIGINT, then after SIGTERM.
SIGTERM_AFTER_SEC = 5.0
SIGKILL_AFTER_SEC = 10.0


def remapping_arguments(remappings: Mapping[str, str]) -> list[str]:
    """Return what follows `--ros-args` to give names others."""
    return [part for name, other in remappings.items() for part in ('-r', f'{name}:={other}')]


@dataclass(frozen=True)
class Process:
    """One node of a system, in a process of its own (`rl_planner.ros.start`).

    Where it is `required`, its end ends the whole system. Parameter files are read after
    `parameters` and override them, as everywhere in ROS, but not what is `fixed`.
    """

    name: str
    executable: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    parameter_files: tuple[Path, ...] = ()
    namespace: str = '/'
    required: bool = True
    remappings: Mapping[str, str] = field(default_factory=dict)
    log_level: str = ''
    fixed: Mapping[str, Parameter] = field(default_factory=dict)

    def ros_arguments(self) -> list[str]:
        """Return what follows `--ros-args` to set names and parameters; JSON is YAML to rcl."""
        arguments = remapping_arguments(self.remappings)
        arguments += _assignments(self.parameters)
        for path in self.parameter_files:
            arguments += ['--params-file', str(path)]
        arguments += _assignments(self.fixed)
        if self.log_level:
            arguments += ['--log-level', self.log_level]
        return arguments


def _assignments(parameters: Mapping[str, Parameter]) -> list[str]:
    pairs = ((name, json.dumps(value, ensure_ascii=False)) for name, value in parameters.items())
    return [part for name, value in pairs for part in ('-p', f'{name}:={value}')]


@dataclass(frozen=True)
class Program:
    """A program that is no node of ours, such as gzserver.

    It knows nothing of who started it, so `rl_planner.bringup.tied` runs it.
    """

    name: str
    command: tuple[str, ...]
    required: bool = True

    def tied_command(self) -> list[str]:
        """Return what follows the Python interpreter to run it tied to its runner's life."""
        return ['-m', 'rl_planner.bringup.tied', *self.command]


Member = Process | Program
