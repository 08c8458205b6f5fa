"""A gzserver process: started, watched, and gone when it is closed or its parent is gone."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from rl_planner.gazebo.error import GazeboError
from rl_planner.gazebo.own_folder import OwnFolder
from rl_planner.gazebo.protos import Messages
from rl_planner.gazebo.transport import LOCALHOST, Loop, Transport

START_TIMEOUT_SEC = 120.0  # a loaded machine may take long
LOG_LINES = 5
NAME = '{name}'  # in the text of a world: where its name belongs
PLUGIN_FOLDERS = 'usr/lib/*/gazebo-*/plugins'
_PORT_TAKEN = 'Address already in use'
_UP = 'Publicized address'  # what gzserver logs once its own master has taken it
_REFUSED = 'Unable to read sdf file'  # it goes on with an empty world
_HARMLESS = re.compile('ALSA|AL lib|OpenAL|Audio|[Rr]ender')  # no sound and no display here
_TRY_SEC = 10.0  # its master forgets now and then whoever comes early: so long until a new try
_POLL_SEC = 0.02
_numbers = itertools.count()


class GazeboServer:
    """One gzserver, paused, and the transport to it.

    The process gets SIGKILL when the thread that made this object ends, however it ends.

    Attributes:
        world: its name, which no other world has; '~' in a topic stands for /gazebo/NAME.
        folder: of its world file, its log and all that it writes; gone after `close`.
        transport: to its master.
        pid: of the process.
    """

    def __init__(self, world: str, loop: Loop, messages: Messages, root: str | Path = '') -> None:
        """Start gzserver and wait until its world is there.

        Args:
            world: SDF, with NAME in place of the world's name.
            root: the folder of a chroot that has gzserver; '' is this machine's own.

        Raises:
            GazeboError: there is no gzserver, or it does not come up; with the end of its log.
        """
        command = _command(root)
        self.world = f'rl_planner_{os.getpid()}_{next(_numbers)}'
        self._root = Path(root or '/')
        self._own_folder = OwnFolder(self._root / 'tmp')
        self.folder = self._own_folder.path
        try:
            for is_last in (False, False, True):
                self._port = _free_port()
                self._process = self._start(command, world)
                try:
                    self.transport = self._connect(loop, messages)
                    break
                except BaseException:
                    self._kill()
                    if is_last or _PORT_TAKEN not in self._log():  # by another, since we looked
                        raise
        except BaseException:
            self._own_folder.remove()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def topic(self, name: str) -> str:
        """The full name of a topic: '~' stands for this world."""
        return name.replace('~', f'/gazebo/{self.world}', 1)

    def is_alive(self) -> bool:
        """Whether the process runs, and its master too."""
        return self._process.poll() is None and self.transport.is_open

    def describe_end(self) -> str:
        """Why it does not run, and the last lines of its log."""
        code = self._process.poll()
        how = 'does not answer' if code is None else f'ended with exit code {code}'
        return f'gzserver {how}: {self._end_of_log()}'

    def close(self) -> None:
        """End the process, at once, and remove its folder."""
        self.transport.close()
        self._kill()
        self._own_folder.remove()

    def _start(self, command: list[str], world: str) -> subprocess.Popen[bytes]:
        file = self.folder / 'world.sdf'
        file.write_text(world.replace(NAME, self.world))
        inside = '/' / file.relative_to(self._root)
        with (self.folder / 'log').open('wb') as log:
            return subprocess.Popen(
                [*command, '-u', '--verbose', str(inside)],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is for its parent, not for it
            )

    def _environment(self) -> dict[str, str]:
        """Its own master, nothing from the network, no display; a chroot has its own libraries."""
        own = self._root == Path('/')
        kept = dict(os.environ) if own else {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C'}
        kept.pop('DISPLAY', None)
        folder = str('/' / self.folder.relative_to(self._root))
        # A plugin of Gazebo's own is linked to another one, and does not say where that is.
        plugins = ['/' / each.relative_to(self._root) for each in self._root.glob(PLUGIN_FOLDERS)]
        libraries = ':'.join([*map(str, plugins), *filter(None, [kept.get('LD_LIBRARY_PATH')])])
        return {
            **kept,
            **dict.fromkeys(('HOME', 'TMPDIR', 'PULSE_RUNTIME_PATH'), folder),
            'LD_LIBRARY_PATH': libraries,
            'GAZEBO_MASTER_URI': f'http://{LOCALHOST}:{self._port}',
            'GAZEBO_IP': LOCALHOST,
            'GAZEBO_MODEL_DATABASE_URI': '',
        }

    def _connect(self, loop: Loop, messages: Messages) -> Transport:
        """The transport, once the world is there: it listens to commands.

        Before gzserver has reached its own master nobody else may, or one of the two is forgotten.
        """
        deadline = time.monotonic() + START_TIMEOUT_SEC
        while _UP not in self._log():
            self._check_start(deadline)
            time.sleep(_POLL_SEC)
        while True:
            transport = Transport(loop, messages, self._port)
            try:
                control = transport.advertise(self.topic('~/world_control'), 'WorldControl')
                trying = time.monotonic() + _TRY_SEC
                while not control.is_connected and time.monotonic() < trying:
                    self._check_start(deadline)
                    loop.run_once(_POLL_SEC)
                if control.is_connected:
                    transport.unadvertise(control)
                    return transport
            except BaseException:
                transport.close()
                raise
            transport.close()

    def _check_start(self, deadline: float) -> None:
        code = self._process.poll()
        if code is not None:
            raise GazeboError(f'gzserver ended with exit code {code}: {self._end_of_log()}')
        if _REFUSED in self._log():
            raise GazeboError(f'gzserver must be able to read its world, got: {self._end_of_log()}')
        if time.monotonic() > deadline:
            raise GazeboError(
                f'gzserver must be up within {START_TIMEOUT_SEC:g} s, got: {self._end_of_log()}'
            )

    def _log(self) -> str:
        text = (self.folder / 'log').read_text(errors='replace')
        return re.sub(r'\x1b\[[0-9;]*m', '', text)  # colours

    def _end_of_log(self) -> str:
        lines = [line.strip() for line in self._log().splitlines() if not _HARMLESS.search(line)]
        return ' | '.join([line for line in lines if line][-LOG_LINES:]) or 'its log is empty'

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()


def _command(root: str | Path) -> list[str]:
    """What starts gzserver; the kernel ends it with its parent.

    Raises:
        GazeboError: there is none.
    """
    setpriv = ['setpriv', '--pdeathsig', 'KILL']
    if root:
        if (Path(root) / 'usr' / 'bin' / 'gzserver').exists():
            return [*setpriv, 'chroot', str(root), 'gzserver']
    elif shutil.which('gzserver'):
        return [*setpriv, 'gzserver']
    raise GazeboError(
        f'{root or "PATH"} must have gzserver, got none: apt install gazebo, or make gazebo and '
        'name the folder it has made'
    )


def _free_port() -> int:
    with socket.create_server((LOCALHOST, 0)) as probe:
        return int(probe.getsockname()[1])
