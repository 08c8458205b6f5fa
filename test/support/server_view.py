"""What is in a gzserver, as it and Gazebo's own `gz` tell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from rl_planner.gazebo.protos import load_messages
from rl_planner.gazebo.server import GazeboServer
from rl_planner.gazebo.transport import LOCALHOST, Loop, Transport

ANSWER_SEC = 60.0


class ServerView:
    """One more client of the server's."""

    def __init__(self, server: GazeboServer, loop: Loop, root: str) -> None:
        self._server, self._loop, self._root = server, loop, root
        self._messages = load_messages(root)
        self._transport = Transport(loop, self._messages, server._port)
        self._names: list[str] | None = None
        self._requests = self._transport.advertise(server.topic('~/request'), 'Request')
        answers = server.topic('~/response')
        self._transport.subscribe(answers, 'Response', self._on_response)
        self._wait(lambda: self._requests.is_connected and self._transport.is_subscribed(answers))

    def models(self) -> list[str]:
        """Their names."""
        self._names = None
        request = self._messages.Request(id=1 << 20, request='entity_list', data='')
        self._requests.publish(request)
        self._wait(lambda: self._names is not None)
        assert self._names is not None
        return self._names

    def topics(self) -> set[str]:
        """All that anybody publishes."""
        inside = ['/usr/sbin/chroot', self._root] if self._root else []
        listed = subprocess.run(
            [*inside, 'gz', 'topic', '-l'],
            env={
                'PATH': '/usr/bin:/bin',
                'HOME': '/tmp',
                'GAZEBO_IP': LOCALHOST,
                'GAZEBO_MASTER_URI': f'http://{LOCALHOST}:{self._server._port}',
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=ANSWER_SEC,
        )
        return set(listed.stdout.split())

    def resident_mb(self) -> float:
        return self._status('VmRSS') / 1024.0

    def threads(self) -> int:
        return self._status('Threads')

    def close(self) -> None:
        self._transport.close()

    def _status(self, name: str) -> int:
        text = Path(f'/proc/{self._server.pid}/status').read_text()
        found = re.search(rf'^{name}:\s+(\d+)', text, re.MULTILINE)
        assert found is not None
        return int(found.group(1))

    def _wait(self, condition: Callable[[], bool]) -> None:
        assert self._loop.run_until(condition, ANSWER_SEC)

    def _on_response(self, data: bytes) -> None:
        answer = self._messages.Response.FromString(data)
        if answer.request == 'entity_list':
            models = self._messages.Model_V.FromString(answer.serialized_data).models
            self._names = [model.name for model in models]
