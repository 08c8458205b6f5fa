"""How a node's process ends."""

from __future__ import annotations

from support.nodes import PATIENCE_SEC, Nodes


def test_a_closed_node_ends_well_though_its_middleware_hangs(nodes: Nodes) -> None:
    node = nodes.start_double('hanging_node')
    output, _ = node.communicate(timeout=PATIENCE_SEC)
    assert node.returncode == 0
    assert 'closed' in output


def test_a_node_that_failed_says_so_though_its_middleware_hangs(nodes: Nodes) -> None:
    node = nodes.start_double('hanging_node', 'the lidar is on fire')
    output, _ = node.communicate(timeout=PATIENCE_SEC)
    assert node.returncode == 1
    assert 'the lidar is on fire' in output
    assert 'closed' in output
