"""Nodes are tested as processes, over real DDS, each test in a domain of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.domains import claim_domain
from support.nodes import Nodes, Peer, RobotDouble, constant_policy
from support.planning import Listener


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    with claim_domain() as domain:
        nodes = Nodes(domain, tmp_path)
        yield nodes
        nodes.end_all()


@pytest.fixture
def peer(nodes: Nodes) -> Iterator[Peer]:
    peer = Peer(nodes.domain)
    yield peer
    peer.close()


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / 'policy.safetensors'
    constant_policy().save(path)
    return path


@pytest.fixture
def robot(peer: Peer) -> RobotDouble:
    return RobotDouble(peer)


@pytest.fixture
def listener(peer: Peer) -> Listener:
    return Listener(peer)


@pytest.fixture
def planner(nodes: Nodes, listener: Listener) -> Any:
    """A global planner with a map, that publishes its plan five times a second."""
    listener.send_map()
    return nodes.start('global_planner_node', planning_frequency=5.0, blocked_time=0.1)
