"""Drives a managed node as Nav2's lifecycle manager does: by its services."""

from __future__ import annotations

from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from support.nodes import Peer

TRANSITIONS = {
    'configure': Transition.TRANSITION_CONFIGURE,
    'activate': Transition.TRANSITION_ACTIVATE,
    'deactivate': Transition.TRANSITION_DEACTIVATE,
    'cleanup': Transition.TRANSITION_CLEANUP,
    'shutdown_unconfigured': Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    'shutdown_inactive': Transition.TRANSITION_INACTIVE_SHUTDOWN,
    'shutdown': Transition.TRANSITION_ACTIVE_SHUTDOWN,
}


class Manager:
    """Asks the node `name` for its state and for transitions."""

    def __init__(self, peer: Peer, name: str = 'actor_node') -> None:
        self._peer = peer
        self._change = peer.node.create_client(ChangeState, f'{name}/change_state')
        self._get = peer.node.create_client(GetState, f'{name}/get_state')
        peer.until(self._change.service_is_ready)
        peer.until(self._get.service_is_ready)

    def _call(self, client: Any, request: Any) -> Any:
        answer = client.call_async(request)
        self._peer.until(answer.done)
        return answer.result()

    def change(self, transition: str) -> bool:
        """Whether the node went through the transition."""
        request = ChangeState.Request(transition=Transition(id=TRANSITIONS[transition]))
        return bool(self._call(self._change, request).success)

    def state(self) -> str:
        return str(self._call(self._get, GetState.Request()).current_state.label)

    def bring_up(self) -> None:
        assert self.change('configure')
        assert self.change('activate')
