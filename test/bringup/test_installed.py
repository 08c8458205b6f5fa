"""What is named where something is not installed."""

from __future__ import annotations

import ast
from pathlib import Path

from rl_planner.bringup.installed import EXTRAS, how_to_install

MODULES = {
    'ir-sim': 'irsim',
    'stable-baselines3': 'stable_baselines3',
    'grpcio-tools': 'grpc_tools',
}
MODULES |= {'protobuf': 'google', 'rerun-sdk': 'rerun'}  # of packages that are named otherwise


def test_the_extra_that_has_a_missing_module_is_named() -> None:
    error = ModuleNotFoundError('broken', name='torch.utils')
    assert how_to_install(error) == "torch must be installed: pip install 'rl_planner[training]'"
    assert how_to_install(ModuleNotFoundError('broken', name='torchvision')) == ''
    assert how_to_install(ImportError('broken')) == ''


def test_the_extras_are_those_of_the_package() -> None:
    source = ast.parse(Path(__file__).parents[2].joinpath('setup.py').read_text())
    lists = {
        node.targets[0].id: [ast.literal_eval(item) for item in node.value.elts]
        for node in source.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ('TRAINING', 'GAZEBO', 'RECORDING', 'PEERS')
        and isinstance(node.value, ast.List)
    }
    expected = {'rclpy': 'ros'}
    for name, requirements in lists.items():
        for requirement in requirements:
            package = requirement.partition('==')[0]
            expected[MODULES.get(package, package)] = name.lower()
    assert expected == EXTRAS
