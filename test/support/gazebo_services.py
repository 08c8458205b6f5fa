"""The caller of a bridge's gazebo_ros services."""

from __future__ import annotations

import ctypes
from importlib import import_module
from pathlib import Path
from typing import Any

from geometry_msgs.msg import Pose
from std_srvs.srv import Empty
from support.nodes import Peer

from rl_planner.ros import messages

LIBRARIES = 'lib/libgazebo_msgs__*_c.so'
BOX = """\
<sdf version="1.6">
  <model name="box">
    <link name="link">
      <pose>0 0 0.5 0 0 0</pose>
      <collision name="collision">
        <geometry><box><size>0.6 0.6 1</size></box></geometry>
      </collision>
    </link>
  </model>
</sdf>
"""


class Services:
    """Calls services by the names of their types."""

    KINDS = ('SpawnEntity', 'DeleteEntity', 'SetEntityState', 'GetEntityState')

    def __init__(self, peer: Peer, interfaces: Path) -> None:
        """`interfaces` is the folder that gazebo_msgs was generated into."""
        self._peer = peer
        # This process has read LD_LIBRARY_PATH already; what it has loaded, it finds.
        self._libraries = [ctypes.CDLL(str(path)) for path in interfaces.glob(LIBRARIES)]
        srv = import_module('gazebo_msgs.srv')
        self._kinds = {_path(name): getattr(srv, name) for name in self.KINDS}
        self._kinds |= dict.fromkeys(('pause_physics', 'unpause_physics', 'reset_world'), Empty)
        self._clients = {
            path: peer.node.create_client(kind, path) for path, kind in self._kinds.items()
        }

    def begin(self, path: str, **fields: Any) -> Any:
        client = self._clients[path]
        self._peer.until(client.service_is_ready)
        return client.call_async(self._kinds[path].Request(**fields))

    def call(self, path: str, **fields: Any) -> Any:
        future = self.begin(path, **fields)
        self._peer.until(future.done)
        return future.result()

    def spawn(self, name: str, x: float, **fields: Any) -> Any:
        given = {'xml': BOX, 'initial_pose': messages.pose_of(x, 0.0, 0.0), **fields}
        return self.call('spawn_entity', name=name, **given)

    def put(self, name: str, pose: Pose, frame: str = 'world') -> bool:
        state = import_module('gazebo_msgs.msg').EntityState(name=name, pose=pose)
        state.reference_frame = frame
        return bool(self.call('set_entity_state', state=state).success)

    def exists(self, name: str) -> bool:
        return bool(self.call('get_entity_state', name=name).success)

    def place(self, name: str, frame: str = 'world') -> tuple[float, float, float]:
        """x, y, yaw of what there must be."""
        reply = self.call('get_entity_state', name=name, reference_frame=frame)
        assert reply.success, name
        return messages.planar_pose(reply.state.pose)


def _path(kind: str) -> str:
    return ''.join(f'_{letter.lower()}' if letter.isupper() else letter for letter in kind)[1:]
