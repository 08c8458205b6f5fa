"""How lidars are mounted, where TF is not asked; test_transforms has the rest."""

from __future__ import annotations

import pytest
from support.nodes import Peer

from rl_planner.navigation.config import LidarConfig
from rl_planner.navigation.observation import ScanError
from rl_planner.ros.actor_config import ActorConfig
from rl_planner.ros.mounting import Mounting
from rl_planner.ros.transforms import Transforms


def test_scans_of_another_lidar_on_the_same_topic_are_refused(peer: Peer) -> None:
    """Two lidars of one make, before and behind: their scans look alike."""
    config = ActorConfig(policy_file='any', mount_from_tf=False)
    transforms, logger = Transforms(peer.node, 0.5), peer.node.get_logger()
    mounting = Mounting(LidarConfig(mount_x=0.1), config, transforms, logger)
    assert mounting.of('robot', 'base_link', 'front').mount_x == 0.1
    with pytest.raises(ScanError, match="must stay 'front', got 'rear'"):
        mounting.of('robot', 'base_link', 'rear')
    assert mounting.of('robot', 'base_link', 'front').mount_x == 0.1
