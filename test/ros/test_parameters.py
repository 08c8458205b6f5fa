"""A wrong parameter gives one clear message and a non-zero exit, from every node."""

from __future__ import annotations

from pathlib import Path

import pytest
import rclpy
from rclpy.parameter import Parameter
from support.nodes import Nodes

from rl_planner.navigation.config import ConfigError, LidarConfig, RobotConfig
from rl_planner.ros.parameters import GROUPS, declare, refuse_unknown
from rl_planner.ros.simulator_node import SimulatorConfig

NODES = ('actor_node', 'learner_node', 'simulator_node', 'episode_node')


@pytest.fixture
def make_node(nodes: Nodes):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=nodes.domain)
    made = []

    def make(**overrides: object) -> rclpy.node.Node:
        parameters = [
            Parameter(name.replace('__', '.'), value=value) for name, value in overrides.items()
        ]
        made.append(rclpy.create_node('node', context=context, parameter_overrides=parameters))
        return made[-1]

    yield make
    for node in made:
        node.destroy_node()
    context.try_shutdown()


def test_parameters_are_read_and_described(make_node) -> None:
    node = make_node(robot__radius=0.3, robot__max_linear_vel=1)
    robot = declare(node, 'robot', RobotConfig)
    assert robot == RobotConfig(radius=0.3, max_linear_vel=1.0)
    descriptor = node.describe_parameter('robot.max_linear_vel')
    assert descriptor.description == 'top speed forward (m/s)'
    assert descriptor.read_only
    (bounds,) = descriptor.floating_point_range
    assert (bounds.from_value, bounds.to_value) == (0.0, 5.0)
    assert node.get_parameter('robot.max_linear_vel').value == 1.0


def test_text_lists_and_flags(make_node) -> None:
    node = make_node(robots=['a', 'b'], use_stamped_cmd_vel=False)
    config = declare(node, '', SimulatorConfig)
    assert config.robots == ('a', 'b')
    assert not config.use_stamped_cmd_vel
    assert list(node.get_parameter('robots').value) == ['a', 'b']


def test_cross_checks_name_the_group(make_node) -> None:
    node = make_node(lidar__range_min=5.0)
    with pytest.raises(ConfigError, match=r'^lidar: range_min must be below range_max 3.5, got 5'):
        declare(node, 'lidar', LidarConfig)


def test_shared_groups_are_known_to_every_node(make_node) -> None:
    node = make_node(learning__discount=0.9, robot__radius=0.2)
    declare(node, 'robot', RobotConfig)
    refuse_unknown(node)


def test_unknown_names_are_refused_with_the_nearest(make_node) -> None:
    node = make_node(robot__raduis=0.2)
    with pytest.raises(
        ConfigError, match=r'unknown parameter robot\.raduis, did you mean robot\.radius'
    ):
        refuse_unknown(node)


def test_every_group_is_documented() -> None:
    for config in GROUPS.values():
        for item in config.__dataclass_fields__.values():
            assert len(item.metadata['description']) > 5, item.name


@pytest.mark.parametrize('name', NODES)
def test_nodes_refuse_unknown_parameters(
    nodes: Nodes, name: str, policy_file: Path, tmp_path: Path
) -> None:
    run = tmp_path / 'run'
    more = {'actor_node': {'policy_file': str(policy_file)}, 'learner_node': {'run_dir': str(run)}}
    output = nodes.refuse(name, robot__max_linear_velocity=1.0, **more.get(name, {}))
    assert f'{name}: unknown parameter robot.max_linear_velocity, did you mean' in output
    assert output.count(f'{name}: ') == 1
    assert not run.exists()


@pytest.mark.parametrize(
    ('parameters', 'message'),
    [
        ({'robot__radius': -1.0}, 'robot.radius must be above 0 and at most 2, got -1.0'),
        ({'robot__radius': 'wide'}, "robot.radius must be float, got 'wide'"),
        ({'task__control_period': 0}, 'task.control_period must be above 0'),
        ({'lidar__num_beams': 0}, 'lidar.num_beams must be at least 1'),
        ({'real_time_factor': -2.0}, 'real_time_factor must be at least 0, got -2.0'),
    ],
)
def test_values_out_of_their_rule(nodes: Nodes, parameters: dict, message: str) -> None:
    assert message in nodes.refuse('simulator_node', **parameters)


def test_a_broken_yaml_file(nodes: Nodes, tmp_path: Path) -> None:
    path = tmp_path / 'broken.yaml'
    path.write_text('/**:\n  ros__parameters:\n    robot: {radius: [0.1')
    output = nodes.refusal(nodes.start_raw('simulator_node', ['--params-file', str(path)]))
    assert 'broken.yaml' in output


def test_a_good_yaml_file(nodes: Nodes, tmp_path: Path) -> None:
    path = tmp_path / 'wrong.yaml'
    path.write_text('/**:\n  ros__parameters:\n    robot: {radius: 3.0}\n')
    output = nodes.refusal(nodes.start_raw('simulator_node', ['--params-file', str(path)]))
    assert 'robot.radius must be above 0 and at most 2, got 3.0' in output


def test_worlds_that_cannot_be_read(nodes: Nodes, tmp_path: Path) -> None:
    broken = tmp_path / 'broken.sdf'
    broken.write_text('<sdf version="1.6"><world name="w">')
    assert 'broken.sdf' in nodes.refuse('episode_node', world=str(broken))
    empty = tmp_path / 'empty.sdf'
    empty.write_text('')
    assert 'empty.sdf' in nodes.refuse('episode_node', world=str(empty))
    assert 'missing.sdf' in nodes.refuse('episode_node', world=str(tmp_path / 'missing.sdf'))
