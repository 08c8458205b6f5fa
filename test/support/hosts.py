"""Network namespaces that stand for hosts: each has its address, name and shared memory.

They are joined by a router that, as routers do, passes no multicast:

    learner 10.77.0.2 -- 10.77.0.1 router 10.77.1.1 -- 10.77.1.2 first simulator host ...
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Shared memory is no way from host to host; the name is what tells actors of two hosts apart.
SET_UP = 'mount -t tmpfs tmpfs /dev/shm && hostname "$0" && exec "$@"'


class Host:
    """One namespace; made and taken down by `Network`."""

    def __init__(self, network: str, name: str, index: int) -> None:
        self.name, self.address = name, f'10.77.{index}.2'
        self._space, self._router, self._port = f'{network}_{name}', f'{network}_router', index
        gateway, link = f'10.77.{index}.1', f'port{index}'
        self._started: list[subprocess.Popen[bytes]] = []
        _ip('netns', 'add', self._space)
        _ip('-n', self._space, 'link', 'set', 'lo', 'up')
        _ip(*f'-n {self._space} link add net type veth peer {link} netns {self._router}'.split())
        for space, device, address in (
            (self._space, 'net', self.address),
            (self._router, link, gateway),
        ):
            _ip('-n', space, 'address', 'add', f'{address}/24', 'dev', device)
            _ip('-n', space, 'link', 'set', device, 'up')
        _ip('-n', self._space, 'route', 'add', 'default', 'via', gateway)

    def start(
        self, command: Sequence[str], log: Path, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a command there, which writes to the file `log`; `env` is added."""
        enter = ['ip', 'netns', 'exec', self._space, 'unshare', '--uts', '--mount']
        with log.open('ab') as output:
            popen = subprocess.Popen(
                [*enter, 'sh', '-c', SET_UP, self.name, *command],
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(popen)
        return popen

    def pids(self) -> list[int]:
        """All processes there."""
        return [int(pid) for pid in _ip('netns', 'pids', self._space).split()]

    def kill(self) -> None:
        """Take its power: every process is gone at once."""
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for popen in self._started:
            popen.wait()

    def set_link(self, state: str) -> None:
        """Pull the plug of its cable ('down') or put it back ('up')."""
        _ip('-n', self._router, 'link', 'set', f'port{self._port}', state)


class Network:
    """The router, and the hosts around it, from `with Network() as network:` to the block's end.

    Raises:
        RuntimeError: no network namespaces can be made here.
    """

    def __init__(self) -> None:
        self._name = f'rlp{os.getpid()}'
        self._hosts: list[Host] = []

    def __enter__(self) -> Network:
        router = f'{self._name}_router'
        _ip('netns', 'add', router)
        forward = ['sysctl', '--quiet', '--write', 'net.ipv4.ip_forward=1']
        _ip('netns', 'exec', router, *forward)
        return self

    def host(self, name: str) -> Host:
        """Add a host."""
        self._hosts.append(Host(self._name, name, len(self._hosts)))
        return self._hosts[-1]

    def __exit__(self, *_: object) -> None:
        for host in self._hosts:
            host.kill()
        for space in [*(host.name for host in self._hosts), 'router']:
            _ip('netns', 'delete', f'{self._name}_{space}')


def _ip(*arguments: str) -> str:
    try:
        done = subprocess.run(['ip', *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise RuntimeError('network namespaces need ip: apt install iproute2') from None
    if done.returncode:
        what = done.stderr.strip() or f'exit code {done.returncode}'
        raise RuntimeError(f'ip {" ".join(arguments)}: {what}; network namespaces need root')
    return done.stdout
