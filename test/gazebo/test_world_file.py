from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.world_file import (
    EMPTY_WORLD,
    arena_poses,
    free_poses,
    make_world,
    write_world,
)
from rl_planner.simulation.world import World, WorldError

MODEL = RobotModel.read('default', 'gazebo_sim')


def test_the_systems_of_a_world_that_has_some_are_completed() -> None:
    own = '<plugin filename="gz-sim-physics-system" name="mine"/></world>'
    text = EMPTY_WORLD.replace('</world>', own).replace('"rl_planner"', '"mine"')
    sdf, name = make_world(text, MODEL, [], np.empty((0, 3)), 1.5)
    world = ElementTree.fromstring(sdf).find('world')
    assert world is not None
    assert name == 'mine'
    plugins = [(each.get('filename'), each.get('name')) for each in world.findall('plugin')]
    assert plugins[0] == ('gz-sim-physics-system', 'mine')
    assert [filename for filename, _ in plugins[1:]] == [
        'gz-sim-user-commands-system',
        'gz-sim-scene-broadcaster-system',
        'gz-sim-sensors-system',
    ]
    assert [each.text for each in world.iterfind('physics/real_time_factor')] == ['1.5']


def test_robots_stand_where_they_should() -> None:
    sdf, _ = make_world(EMPTY_WORLD, MODEL, ['a', 'b'], arena_poses(2), 0.0)
    poses = [each.text for each in ElementTree.fromstring(sdf).iterfind('world/model/pose')]
    assert [(pose or '').split() for pose in poses[-2:]] == [
        ['0'] * 6,
        ['200', *['0'] * 5],
    ]


def test_robots_are_as_many_as_there_is_room_for() -> None:
    room = World(boxes=np.array([[0.0, s * 1.6, 0.0, 4.0, 1.0] for s in (-1, 1)]))
    assert free_poses(World(), MODEL, 3, 0).shape == (3, 3)
    with pytest.raises(WorldError):
        free_poses(room, MODEL, 400, 0)


def test_what_is_no_world_is_refused() -> None:
    with pytest.raises(WorldError, match='must have a <world>, got none'):
        make_world('<sdf/>', MODEL, [], np.empty((0, 3)), 1.0)


def test_a_file_is_named_after_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    first, second = write_world('one'), write_world('two')
    assert (first.read_text(), second.read_text()) == ('one', 'two')
    assert write_world('one') == first
    assert len(list((tmp_path / 'rl_planner').iterdir())) == 2
