"""A machine on which some programs and ROS packages of others are installed, and no more."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gazebo_root import lay_out_protos

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes programs, files below AMENT_PREFIX_PATH and message packages be there; no others."""
    programs, prefix = tmp_path / 'bin', tmp_path / 'ros'
    programs.mkdir()
    protos = tmp_path / 'include'
    known: list[str] = []
    monkeypatch.setattr('rl_planner.gazebo.protos.PROTO_FOLDERS', str(protos.relative_to('/')))
    find_spec = importlib.util.find_spec
    monkeypatch.setenv('PATH', str(programs))
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(prefix))
    monkeypatch.setenv('ROS_DISTRO', 'humble')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.setattr('importlib.util.find_spec', lambda name: name in known or find_spec(name))

    def add(*names: str) -> None:
        for name in names:
            if name == 'packet.proto':
                lay_out_protos(protos)
                continue
            path = prefix / name if '/' in name else programs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('#!/bin/sh\n')
            path.chmod(0o755)
            if name.endswith(('_msgs', '_interfaces')):
                known.append(name)

    return add
