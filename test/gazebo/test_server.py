"""A gzserver process, from its start to its end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from rl_planner.gazebo.error import GazeboError
from rl_planner.gazebo.protos import load_messages
from rl_planner.gazebo.server import GazeboServer
from rl_planner.gazebo.transport import Loop

PATIENCE_SEC = 60.0
WORLD = '<sdf version="1.6"><world name="{name}"></world></sdf>'


def test_without_gzserver_there_is_one_line(proto_root: Path, tmp_path: Path) -> None:
    messages = load_messages(proto_root, tmp_path / 'cache')
    with pytest.raises(GazeboError, match='must have gzserver, got none') as refusal:
        GazeboServer(WORLD, Loop(), messages, proto_root)
    assert str(proto_root) in str(refusal.value)


@pytest.mark.gazebo
def test_two_servers_have_worlds_of_their_own(gazebo_root: str) -> None:
    messages, loop = load_messages(gazebo_root), Loop()
    servers = [GazeboServer(WORLD, loop, messages, gazebo_root) for _ in range(2)]
    assert servers[0].topic('~/factory') != servers[1].topic('~/factory')
    assert all(server.is_alive() for server in servers)
    servers[0].close()
    assert servers[1].is_alive()
    servers[1].close()
    assert not [server for server in servers if server.folder.exists()]
    assert not [server for server in servers if Path(f'/proc/{server.pid}').exists()]


@pytest.mark.gazebo
def test_a_broken_world_is_told_with_the_end_of_the_log(gazebo_root: str) -> None:
    broken = f'<sdf {uuid.uuid4().hex}'
    with pytest.raises(GazeboError, match=r'read its world.*Error parsing XML'):
        GazeboServer(broken, Loop(), load_messages(gazebo_root), gazebo_root)
    # its folder is gone; others may be there, of servers that run beside this test
    left = subprocess.run(['grep', '-rlsF', broken, f'{gazebo_root}/tmp'], stdout=subprocess.PIPE)
    assert left.stdout == b''


@pytest.mark.gazebo
def test_ctrl_c_in_a_terminal_does_not_reach_the_server(gazebo_root: str) -> None:
    """It goes to all of the foreground's process group; ours is to end the server in order."""
    server = GazeboServer(WORLD, Loop(), load_messages(gazebo_root), gazebo_root)
    assert os.getpgid(server.pid) != os.getpgrp()
    server.close()


PARENT = """
import sys, time
from rl_planner.gazebo.protos import load_messages
from rl_planner.gazebo.server import GazeboServer
from rl_planner.gazebo.transport import Loop
root, world = sys.argv[1:]
print(GazeboServer(world, Loop(), load_messages(root), root).pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.gazebo
def test_no_server_outlives_its_parent(gazebo_root: str) -> None:
    command = [sys.executable, '-c', PARENT, gazebo_root, WORLD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + PATIENCE_SEC
    while Path(f'/proc/{pid}').exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
