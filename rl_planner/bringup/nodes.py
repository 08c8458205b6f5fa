"""Nodes of a system from the values of its arguments, and the files that these name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rl_planner.bringup.arguments import Value
from rl_planner.bringup.process import Parameter, Process

DEFAULT_ROBOT = 'default'  # the robot that the nodes' parameters describe where no file does

Values = Mapping[str, Value]


def node(name: str, values: Values, own: Mapping[str, Parameter]) -> Process:
    """Return a node that knows the robots and runs on simulated time, with parameters of its own.

    Raises ValueError for a robot model or a parameter file that is not there or broken, and for a
    namespace that is none.
    """
    common: dict[str, Parameter] = {
        'robots': robot_names(int(values['robots'])),
        'use_sim_time': True,
    }
    namespace = str(values.get('namespace', ''))
    return Process(
        name,
        name,
        {**common, **own},
        parameter_files(values),
        namespace=f'/{namespace}',
        remappings=_remappings(namespace),
    )


def _remappings(namespace: str) -> dict[str, str]:
    """The names that a namespace does not lead to where they belong."""
    if not namespace:
        return {}
    check_namespace(namespace)
    return {
        '/clock': f'/{namespace}/clock',  # each simulator has a time of its own
        'experience': '/experience',
        'policy': '/policy',
    }


def check_namespace(namespace: str) -> str:
    """Return the namespace, which may be empty; raise ValueError where it is none."""
    if namespace and not re.fullmatch('[A-Za-z][A-Za-z0-9_]*', namespace):
        raise ValueError(f'namespace must be a letter, then letters, digits and _, got {namespace}')
    return namespace


def check_topic(argument: str, name: str) -> str:
    """Return the name of a topic; raise ValueError naming the argument where it is none."""
    if not re.fullmatch('/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*', name):
        raise ValueError(
            f'{argument} must be letters, digits and _, with / between, as topics are named, '
            f'got {name!r}'
        )
    return name


def robot_names(robots: int) -> list[str]:
    """Return the namespaces of `robots` robots: robot_0, robot_1, ..."""
    return [f'robot_{index}' for index in range(robots)]


def parameter_files(values: Values) -> tuple[Path, ...]:
    """Return the parameter file of the robot model, if it has one, and then the user's."""
    files = [robot_file(str(values['robot_model']))]
    if values['params_file']:
        files.append(existing_file('params_file', values['params_file']))
    given = tuple(file for file in files if file is not None)
    return checked_files(given, str(values.get('namespace', '')))


def checked_files(files: tuple[Path, ...], namespace: str) -> tuple[Path, ...]:
    """Return parameter files for nodes in a namespace; raise ValueError for one that is wrong."""
    if files:
        from rl_planner.bringup.params_file import check_params_file, check_reach

        for file in files:
            check_params_file(file)
            check_reach(file, namespace)
    return files


def robot_model(values: Values) -> str:
    """Return the robot model as the nodes take it: a name, or the absolute path of a file."""
    name = str(values['robot_model'])
    return str(existing_file('robot_model', name)) if _is_path(name) else name


def existing_file(name: str, value: Value) -> Path:
    """Return the absolute path of the file that the argument `name` names."""
    path = absolute(value)
    if not path.is_file():
        raise ValueError(f'{name} must be an existing file, got {str(value)!r}')
    return path


def absolute(value: Value) -> Path:
    return Path(str(value)).expanduser().absolute()


def robot_file(name: str) -> Path | None:
    """Return the parameter file of a robot model of the package; one's own has none.

    Raises ValueError where there is no such robot model.
    """
    if name == DEFAULT_ROBOT or _is_path(name):
        return None
    from rl_planner.navigation.files import shared_file

    try:
        return shared_file(f'config/robots/{name}.yaml')
    except FileNotFoundError:
        raise ValueError(
            f'robot_model must be a robot of config/robots or a .sdf file, got {name!r}'
        ) from None


def time_limit(values: Values) -> dict[str, Parameter]:
    """Return task.time_limit for the robot model, as evaluation has it."""
    file = robot_file(str(values['robot_model']))
    if file is None:
        return {}
    from rl_planner.bringup.params_file import read_params_file
    from rl_planner.navigation.config import TaskConfig

    robot = read_params_file(file)['robot']
    return {'task.time_limit': round(TaskConfig().time_limit_of(robot), 1)}


def _is_path(name: str) -> bool:
    return bool(Path(name).suffix) or Path(name).name != name
