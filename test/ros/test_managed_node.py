"""A managed node in whose transitions something goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import rclpy
from support.nodes import Nodes

from rl_planner.ros.managed_node import ManagedNode


class Clumsy(ManagedNode):
    """Raises in the transition that it is told to, and writes down what it did."""

    def __init__(self, raises_in: str, error: Exception) -> None:
        super().__init__('clumsy')
        self.did: list[str] = []
        self._raises_in, self._error = raises_in, error

    def _do_it(self, what: str) -> None:
        self.did.append(what)
        if what == self._raises_in:
            raise self._error

    def configure(self) -> None:
        self._do_it('configure')

    def activate(self) -> None:
        self._do_it('activate')

    def deactivate(self) -> None:
        self._do_it('deactivate')

    def release(self) -> None:
        self._do_it('release')


@pytest.fixture(autouse=True)
def ros(nodes: Nodes) -> Iterator[None]:
    rclpy.init(domain_id=nodes.domain)
    yield
    rclpy.try_shutdown()


def test_it_starts_and_ends() -> None:
    node = Clumsy('', ValueError())
    node.start()
    assert node.state() == 'active'
    node.close()
    assert node.state() == 'finalized'
    node.close()
    assert node.did == ['configure', 'activate', 'deactivate', 'release']


@pytest.mark.parametrize('error', [ValueError('no such thing'), OSError('no such file')])
def test_what_is_refused_is_raised_and_given_back(error: Exception) -> None:
    node = Clumsy('configure', error)
    with pytest.raises(type(error), match='no such'):
        node.start()
    assert node.state() == 'unconfigured'
    assert node.did == ['configure', 'release']


def test_an_error_nobody_expected_ends_in_order() -> None:
    node = Clumsy('configure', KeyError('x'))
    with pytest.raises(RuntimeError, match='could not be started'):
        node.start()
    assert node.state() == 'unconfigured'
    assert node.did == ['configure', 'deactivate', 'release']


def test_an_error_at_activation_brings_all_to_rest() -> None:
    node = Clumsy('activate', ValueError('x'))
    with pytest.raises(RuntimeError, match='could not be started'):
        node.start()
    assert node.state() == 'unconfigured'
    assert node.did == ['configure', 'activate', 'deactivate', 'release']


@pytest.mark.parametrize('raises_in', ['deactivate', 'release'])
def test_an_error_at_the_end_leaves_nothing_out(raises_in: str) -> None:
    node = Clumsy(raises_in, ValueError('x'))
    node.start()
    node.trigger_deactivate()
    if raises_in == 'release':
        node.trigger_cleanup()
    assert node.did[-2:] == ['deactivate', 'release']
    assert node.state() in ('unconfigured', 'finalized')
