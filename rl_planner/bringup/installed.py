"""What of others is needed: looked for before anything starts, and named where it is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from rl_planner.bringup.arguments import Value

EXTRAS = {  # of setup.py, by module
    **dict.fromkeys(
        ('torch', 'tensorboard', 'numba', 'gymnasium', 'matplotlib', 'tqdm'), 'training'
    ),
    **dict.fromkeys(('google', 'grpc_tools'), 'gazebo'),
    'rerun': 'recording',
    **dict.fromkeys(('stable_baselines3', 'irsim'), 'peers'),
    'rclpy': 'ros',
}


def how_to_install(error: ImportError) -> str:
    """What to install where an import has failed, in a line; '' if it is none of `EXTRAS`."""
    module = (error.name or '').partition('.')[0]
    if module not in EXTRAS:
        return ''
    return f"{module} must be installed: pip install 'rl_planner[{EXTRAS[module]}]'"


def require_program(name: str, package: str) -> str:
    """Return the program's name where it is in PATH; else raise ValueError naming the package."""
    if shutil.which(name) is None:
        raise ValueError(f'{name} must be installed, and is not in PATH: {_apt(package)}')
    return name


def require_ros_file(name: str, package: str) -> Path:
    """Return the path of a file of a ROS package, such as lib/PACKAGE/EXECUTABLE."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    for prefix in filter(None, prefixes):
        if (path := Path(prefix, name)).is_file():
            return path
    raise ValueError(
        f'{name} must be installed, and is in no folder of AMENT_PREFIX_PATH: {_apt(package)}'
    )


def require_ros_module(name: str, package: str) -> None:
    """Raise ValueError where the messages `name` cannot be imported."""
    if importlib.util.find_spec(name) is None:
        raise ValueError(f'{name} must be installed, and Python does not find it: {_apt(package)}')


def require_gzserver(root: Value) -> str:
    """Return the absolute path of a chroot folder with gzserver in it, or '' for this machine's.

    Raises ValueError where there is no gzserver, or a chroot is not for this user to enter.
    """
    if not root:
        require_program('gzserver', 'gazebo')
        return ''
    folder = Path(str(root)).expanduser().absolute()
    if not (folder / 'usr/bin/gzserver').exists():
        raise ValueError(
            f'gazebo_root must be a folder that has usr/bin/gzserver, as make gazebo makes it, '
            f'got {str(root)!r}'
        )
    if os.geteuid() != 0:
        raise ValueError(
            f'gazebo_root must be empty where the user is not root, who alone may enter a chroot, '
            f'got {str(root)!r}'
        )
    return str(folder)


def require_gazebo_messages(root: Value) -> None:
    """Raise ValueError where Gazebo's messages below `root` cannot be had, naming what is missing.

    The first time they are compiled here, and then known to the node that speaks them.
    """
    try:
        from rl_planner.gazebo.error import GazeboError
        from rl_planner.gazebo.protos import load_messages
    except ImportError as error:
        raise ValueError("protobuf must be installed: pip install 'rl_planner[gazebo]'") from error
    try:
        load_messages(str(root))
    except GazeboError as error:
        raise ValueError(str(error)) from error


def _apt(package: str) -> str:
    distribution = os.environ.get('ROS_DISTRO') or 'DISTRO'
    return f'apt install {package.format(distribution=distribution)}'
