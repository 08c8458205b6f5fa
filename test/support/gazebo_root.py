"""Folders that look like a Gazebo's root to who only looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_planner.gazebo import protos


def lay_out_gazebo(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put gzserver and its messages below `root`, a chroot that this user may enter."""
    server = root / 'usr' / 'bin' / 'gzserver'
    server.parent.mkdir(parents=True)
    server.touch()
    lay_out_protos(root / protos.PROTO_FOLDERS.replace('*', '11'))
    monkeypatch.setattr('os.geteuid', lambda: 0)
    monkeypatch.setenv('XDG_CACHE_HOME', str(root / 'cache'))  # of what is compiled
    return root


def lay_out_protos(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / 'packet.proto').write_text('syntax = "proto2"; package gazebo.msgs;')
