"""Packaging of rl_planner, for colcon (ament_python) and for pip. Versions: constraints.txt."""

import re
from collections import defaultdict
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'rl_planner'
VERSION = re.search(r"__version__ = '(.+)'", Path(PACKAGE, '__init__.py').read_text()).group(1)

# Exact versions: without them pip mixes ROS distributions. All are of Jazzy.
ROS = [
    'ros-rclpy[fastrtps]==7.1.6',
    'ros-builtin-interfaces==2.0.3',
    'ros-diagnostic-msgs==5.3.6',
    'ros-geometry-msgs==5.3.6',
    'ros-nav-msgs==5.3.6',
    'ros-rcl-interfaces==2.0.3',
    'ros-rosgraph-msgs==2.0.3',
    'ros-sensor-msgs==5.3.6',
    'ros-std-msgs==5.3.6',
    'ros-std-srvs==5.3.6',
    'ros-visualization-msgs==5.3.6',
]
# All that trains, simulates, evaluates and draws; a robot that drives needs none of it.
TRAINING = ['torch==2.13.0', 'tensorboard', 'numba', 'gymnasium', 'matplotlib', 'tqdm']
GAZEBO = ['grpcio-tools', 'protobuf']  # to speak with Gazebo Classic
RECORDING = ['rerun-sdk']  # for evaluate --rerun
PEERS = ['stable-baselines3', 'ir-sim']  # what benchmarks compare with
TEST = ['pytest', 'pytest-xdist', 'hypothesis', 'safetensors', *GAZEBO, *RECORDING, *PEERS]
DEV = [*TEST, 'ruff', 'mypy', 'types-PyYAML', 'colcon-common-extensions']


def shared_files(folder):
    """Return (install folder, files) for `folder` and each folder below it."""
    files = defaultdict(list)
    for path in sorted(Path(folder).rglob('*')):
        if path.is_file() and '__pycache__' not in path.parts:
            files[f'share/{PACKAGE}/{path.parent}'].append(str(path))
    return list(files.items())


setup(
    name=PACKAGE,
    version=VERSION,
    description='Learned robot motion planning for ROS 2',
    author='rl_planner maintainers',
    maintainer='rl_planner maintainers',
    maintainer_email='maintainers@rl-planner.org',
    license='BSD-3-Clause',
    python_requires='>=3.10',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={PACKAGE: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
        *shared_files('config'),
        *shared_files('launch'),
        *shared_files('worlds'),
    ],
    install_requires=['numpy', 'PyYAML'],
    extras_require={
        'ros': ROS,
        'training': TRAINING,
        'gazebo': GAZEBO,
        'recording': RECORDING,
        'peers': PEERS,
        'test': TEST,
        'dev': DEV,
    },
    zip_safe=True,
    entry_points={
        'console_scripts': [
            'rl_planner = rl_planner.cli.main:main',
            'actor_node = rl_planner.ros.start:actor_node',
            'episode_node = rl_planner.ros.start:episode_node',
            'gazebo_bridge_node = rl_planner.ros.start:gazebo_bridge_node',
            'global_planner_node = rl_planner.ros.start:global_planner_node',
            'learner_node = rl_planner.ros.start:learner_node',
            'simulator_node = rl_planner.ros.start:simulator_node',
        ],
    },
)
