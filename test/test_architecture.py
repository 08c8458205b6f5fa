"""Who may import whom: the arrows of the design, checked in the source of every file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / 'rl_planner'

CORE = {'navigation', 'learning', 'simulation', 'dataset', 'evaluation', 'bringup', 'gazebo'}

# The other rooms that a room may import.
ROOMS: dict[str, set[str]] = {
    '': {'simulation'},  # __init__.py, where gymnasium is loaded: for its table of environments
    'navigation': set(),
    'learning': {'navigation'},
    'simulation': {'navigation'},
    'dataset': {'navigation'},
    'gazebo': {'navigation', 'simulation'},
    'evaluation': {'navigation', 'simulation'},
    'bringup': {'gazebo', 'navigation', 'learning', 'simulation'},
    'ros': CORE,
    'cli': CORE,
}

# What a room may import besides itself and the standard library; 'ROS' is all of ROS 2.
LIBRARIES: dict[str, set[str]] = {
    '': set(),
    'navigation': {'numpy'},
    'learning': {'numpy', 'tensorboard', 'torch', 'yaml'},
    'simulation': {'numpy', 'numba', 'gymnasium'},
    'dataset': {'numpy', 'rosbags'},
    'gazebo': {'numpy', 'google', 'grpc_tools'},
    'evaluation': {'numpy', 'matplotlib', 'rerun', 'yaml'},
    'bringup': {'yaml'},
    'ros': {'numpy', 'yaml', 'ROS'},
    'cli': {'numpy', 'matplotlib', 'tqdm', 'yaml'},
}

# Files beyond their room's table: those that are about learning may know torch, those that are for
# another library know that one.
EXCEPTIONS: dict[str, set[str]] = {
    'ros/learner_node.py': {'torch'},
    'cli/benchmark_learner.py': {'torch', 'gymnasium', 'stable_baselines3'},
    'cli/benchmark_simulator.py': {'torch'},
    'cli/train.py': {'torch'},
    'cli/training_contest.py': {'torch'},
    'cli/training_peers.py': {'gymnasium', 'stable_baselines3', 'torch'},
    'simulation/stable_baselines.py': {'stable_baselines3'},
    'simulation/tensor_clearance.py': {'torch'},
    'simulation/tensor_environment.py': {'torch'},
    'simulation/tensor_episodes.py': {'torch'},
    'simulation/tensor_observation.py': {'torch'},
    'simulation/tensor_raycast.py': {'torch'},
    'simulation/tensor_simulator.py': {'torch'},
    'simulation/tensor_worlds.py': {'torch'},
    'cli/irsim_peer.py': {'irsim'},
}

# What mypy reads and Python does not.
TYPING = {'typing_extensions'}

ROS_NAMES = {
    'ament_index_python',
    'builtin_interfaces',
    'launch',
    'launch_ros',
    'rclpy',
    'ros_gz_interfaces',
    'rosbag2_py',
    'rpyutils',
    'std_srvs',
    'tf2_ros',
}


def imported_modules(path: Path, root: Path) -> Iterator[str]:
    """Yield the full name of each module that the file imports, wherever in the file."""
    package = path.relative_to(root.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = '.'.join([*above, *([node.module] if node.module else [])])
            yield from (f'{module}.{alias.name}' for alias in node.names)


def forbidden_imports(path: Path, root: Path) -> list[str]:
    """Return the imports of one file that the tables above do not allow."""
    file = path.relative_to(root).as_posix()
    room = file.partition('/')[0] if '/' in file else ''
    rooms = {room} | ROOMS.get(room, set())
    libraries = LIBRARIES.get(room, set()) | EXCEPTIONS.get(file, set()) | TYPING
    wrong = []
    for module in imported_modules(path, root):
        top, _, rest = module.partition('.')
        if top == root.name:
            used = rest.partition('.')[0]
            allowed = used in rooms or not (root / used).is_dir()
        else:
            library = 'ROS' if top in ROS_NAMES or top.endswith(('_msgs', '_interfaces')) else top
            allowed = library in libraries or top in sys.stdlib_module_names
        if not allowed:
            wrong.append(f'{file} must not import {module}')
    return wrong


def all_forbidden_imports(root: Path) -> list[str]:
    return [wrong for path in sorted(root.rglob('*.py')) for wrong in forbidden_imports(path, root)]


def test_no_arrow_runs_upward() -> None:
    assert all_forbidden_imports(ROOT) == []


def test_every_room_is_in_the_tables() -> None:
    rooms = {path.parent.name for path in ROOT.glob('*/__init__.py')}
    assert rooms <= ROOMS.keys()
    assert ROOMS.keys() == LIBRARIES.keys()


BAD = {
    'navigation/a.py': 'import rl_planner.learning.ddpg',
    'learning/b.py': 'from rl_planner.simulation import world',
    'simulation/c.py': 'from ..evaluation.metrics import spl',
    'evaluation/d.py': 'def late():\n    from rl_planner import learning',
    'bringup/e.py': 'import numpy',
    'ros/f.py': 'from rl_planner.cli import main',
    'cli/g.py': 'from .. import ros',
    'cli/h.py': 'import torch',
    'ros/i.py': 'import torch.nn as nn',
    'learning/j.py': 'from gymnasium import Env',
    'evaluation/k.py': 'import numba',
    'gazebo/o.py': 'import rclpy',
    'simulation/p.py': 'from rl_planner.gazebo import transport',
    'cli/l.py': 'from sensor_msgs.msg import LaserScan',
    'navigation/m.py': 'import rclpy.node',
    'n.py': 'from rl_planner.navigation import geometry',
}

GOOD = {
    'navigation/a.py': 'import math, numpy as np\nfrom . import b',
    'navigation/b.py': 'from __future__ import annotations\nfrom rl_planner import __version__',
    'learning/c.py': 'import torch\nfrom rl_planner.navigation import a',
    'ros/learner_node.py': 'import torch, rclpy\nfrom nav_msgs.msg import Odometry',
    'gazebo/d.py': 'import numpy, google.protobuf\nfrom rl_planner.simulation import world',
    'cli/d.py': 'from rl_planner.evaluation import report\nfrom ..bringup.system import train',
    '__init__.py': "__version__ = '1'",
}


def write_tree(root: Path, files: dict[str, str]) -> Path:
    for room in ROOMS:
        (root / room).mkdir(parents=True)
    for name, text in files.items():
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize('file', BAD)
def test_a_forbidden_import_is_found(tmp_path: Path, file: str) -> None:
    root = write_tree(tmp_path / 'rl_planner', {**GOOD, file: BAD[file]})
    wrong = all_forbidden_imports(root)
    assert len(wrong) == 1
    assert wrong[0].startswith(f'{file} must not import ')


def test_allowed_imports_pass(tmp_path: Path) -> None:
    assert all_forbidden_imports(write_tree(tmp_path / 'rl_planner', GOOD)) == []


HEAVY = ('torch', 'numba', 'gymnasium', 'matplotlib')


def loaded_by(modules: list[str], names: tuple[str, ...], then: str = 'pass') -> str:
    """Import `modules` in a fresh Python, and run `then`; which of `names` that has loaded."""
    program = f'import sys, {", ".join(modules)}; {then}; print(*sys.modules.keys() & {set(names)})'
    command = [sys.executable, '-c', program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_robot_needs_no_heavy_library() -> None:
    navigation = [f'rl_planner.navigation.{path.stem}' for path in ROOT.glob('navigation/[!_]*.py')]
    nodes = [f'rl_planner.ros.{name}' for name in ('process', 'actor_node', 'global_planner_node')]
    assert loaded_by([*navigation, *nodes], HEAVY) == ''


def test_starting_the_robot_needs_no_heavy_library() -> None:
    modules = ['rl_planner.bringup.robot_system as system', 'rl_planner.bringup.supervisor']
    start = "system.robot(robot='turtlebot3_burger', global_planner=True)"
    assert loaded_by([*modules, 'rl_planner.cli.bringup'], HEAVY, start) == ''


def test_a_room_by_itself_imports_nothing_heavy() -> None:
    rooms = [f'rl_planner.{path.parent.name}' for path in ROOT.glob('*/__init__.py')]
    assert loaded_by(rooms, (*HEAVY, 'rclpy')) == ''
    assert loaded_by(['rl_planner.bringup.supervisor'], ('numpy', 'yaml')) == ''
