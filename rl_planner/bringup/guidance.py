"""Global planners of a system: who plans the paths that the actor follows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rl_planner.bringup.process import Parameter, Process


def global_planner(
    robot: str = '',
    parameters: Mapping[str, Parameter] | None = None,
    parameter_files: tuple[Path, ...] = (),
    map_topic: str = '',
) -> Process:
    """Return the node that plans for one robot; its actor needs `follow_plan`.

    Args:
        robot: namespace of the robot's topics; '' where it is alone.
        map_topic: where the map is published; '': `map` in the robot's namespace.
    """
    executable = 'global_planner_node'
    return Process(
        f'{robot}_{executable}' if robot else executable,
        executable,
        dict(parameters or {}),
        parameter_files,
        namespace=f'/{robot}',
        remappings={'map': map_topic} if map_topic else {},
    )
