"""Speeds that are lowered while the robot drives, as by `ros2 param set`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from support.nodes import DRIVING, Nodes, Peer, RobotDouble

LINEAR, ANGULAR = 'robot.max_linear_vel', 'robot.max_angular_vel'


class Parameters:
    """The parameters of a running actor, over DDS."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def _call(self, kind: Any, service: str, request: Any) -> Any:
        client = self._peer.node.create_client(kind, f'actor_node/{service}')
        self._peer.until(client.service_is_ready)
        answer = client.call_async(request)
        self._peer.until(answer.done)
        return answer.result()

    def set(self, name: str, value: float) -> str:
        """Why it was refused, or ''."""
        content = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
        request = SetParameters.Request(parameters=[Parameter(name=name, value=content)])
        (result,) = self._call(SetParameters, 'set_parameters', request).results
        assert result.successful == (not result.reason)
        return str(result.reason)

    def get(self, name: str) -> float:
        request = GetParameters.Request(names=[name])
        return float(self._call(GetParameters, 'get_parameters', request).values[0].double_value)

    def is_read_only(self, name: str) -> bool:
        request = DescribeParameters.Request(names=[name])
        answer = self._call(DescribeParameters, 'describe_parameters', request)
        return bool(answer.descriptors[0].read_only)


@pytest.fixture
def parameters(nodes: Nodes, peer: Peer, robot: RobotDouble, policy_file: Path) -> Parameters:
    """Of an actor that drives at (0.375, 0.375)."""
    nodes.start('actor_node', policy_file=str(policy_file))

    def go() -> None:
        robot.send_goal(5.0)
        robot.sense()

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)
    return Parameters(peer)


def test_a_lower_speed_holds_at_once_and_keeps_the_arc(peer, robot, parameters):
    assert parameters.set(LINEAR, 0.15) == ''
    assert parameters.get(LINEAR) == 0.15
    slow = pytest.approx((0.15, 0.15), abs=1e-5)
    peer.until(lambda: robot.commands[-1] == slow, repeat=robot.sense)
    assert parameters.set(ANGULAR, 0.075) == ''
    slower = pytest.approx((0.075, 0.075), abs=1e-5)
    peer.until(lambda: robot.commands[-1] == slower, repeat=robot.sense)
    for name, configured in ((LINEAR, 0.5), (ANGULAR, 1.5)):
        assert parameters.set(name, configured) == ''
    peer.until(lambda: robot.commands[-1] == DRIVING, repeat=robot.sense)


def test_what_is_not_allowed_is_refused_with_a_reason(peer, robot, parameters):
    assert parameters.set(LINEAR, 0.6) == (
        'robot.max_linear_vel must be above 0 and at most 0.5 as configured, got 0.6; '
        'to stop, call ~/cancel'
    )
    assert 'got 0;' in parameters.set(ANGULAR, 0.0)
    assert parameters.set(ANGULAR, -1.0)
    assert parameters.set(LINEAR, float('nan'))
    assert 'read-only parameter: robot.radius' in parameters.set('robot.radius', 0.1)
    assert not parameters.is_read_only(LINEAR)
    assert parameters.is_read_only('scan_timeout')
    assert (parameters.get(LINEAR), parameters.get(ANGULAR)) == (0.5, 1.5)
    count = len(robot.commands)
    peer.until(lambda: len(robot.commands) > count + 3, repeat=robot.sense)
    assert robot.commands[-1] == DRIVING


def test_in_training_speeds_stay(nodes, peer):
    nodes.start('actor_node', training=True)
    assert 'must stay in training' in Parameters(peer).set(LINEAR, 0.2)
