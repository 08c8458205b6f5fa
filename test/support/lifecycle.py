"""Drives a managed node as Nav2's lifecycle manager does: by its services."""

from __future__ import annotations

import time
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
ANSWER_SEC = 5.0


class Manager:
    """Asks the node `name` for its state and for transitions."""

    def __init__(self, peer: Peer, name: str = 'actor_node') -> None:
        self._peer = peer
        self._change = peer.node.create_client(ChangeState, f'{name}/change_state')
        self._get = peer.node.create_client(GetState, f'{name}/get_state')
        peer.until(self._change.service_is_ready)
        peer.until(self._get.service_is_ready)

    def change(self, transition: str) -> bool:
        """Whether the node went through the transition."""
        request = ChangeState.Request(transition=Transition(id=TRANSITIONS[transition]))
        before = self.state()
        answer = self._change.call_async(request)
        if self._comes(answer):
            return bool(answer.result().success)
        return self.state() != before

    def state(self) -> str:
        answers: list[Any] = []
        while not any(self._comes(answer) for answer in answers):
            assert len(answers) < 6, 'the node does not tell its state'
            answers.append(self._get.call_async(GetState.Request()))
        newest = [answer for answer in answers if answer.done()][-1]
        return str(newest.result().current_state.label)

    def _comes(self, answer: Any) -> bool:
        """Whether it comes soon; that to a first call is lost if the node knows no reader yet."""
        deadline = time.monotonic() + ANSWER_SEC
        while not answer.done() and time.monotonic() < deadline:
            self._peer.spin(0.02)
        return bool(answer.done())

    def bring_up(self) -> None:
        assert self.change('configure')
        assert self.change('activate')
