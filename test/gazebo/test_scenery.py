"""Worlds as models to insert: read back, they are the worlds they were made of."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from rl_planner.gazebo.scenery import mover_joints, movers_sdf, scenery_sdf
from rl_planner.simulation.sdf import SdfWarning, read_sdf
from rl_planner.simulation.world import World

WORLD = World(
    boxes=np.array([[1.0, 2.0, 0.5, 3.0, 0.1], [-1.0, 0.0, 0.0, 0.4, 0.6]]),
    circles=np.array([[0.5, -1.5, 0.3]]),
    walls=np.array([[0.0, 0.0, 0.0, 2.0]]),  # solid on the left: at x < 0
    movers=np.array([[0.0, 1.0, 4.0, 1.0, 0.2, 0.5, 1.0], [2.0, 2.0, 2.0, -2.0, 0.3, 0.4, 0.0]]),
)


def test_scenery_is_the_world_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / 'scenery.sdf'
    file.write_text(scenery_sdf(WORLD, 'scenery', 100.0, -20.0))
    read = read_sdf(file)
    walls = [[-0.0005, 1.0, np.pi / 2.0, 2.0, 0.001]]
    moved = np.array([100.0, -20.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(read.boxes, np.concatenate([WORLD.boxes, walls]) + moved)
    np.testing.assert_allclose(read.circles, WORLD.circles + moved[:3])
    assert len(read.movers) == 0


def test_scenery_is_one_static_model_with_one_link() -> None:
    root = ElementTree.fromstring(scenery_sdf(WORLD, 'scenery', 0.0, 0.0))
    (model,) = root.findall('model')
    assert model.get('name') == 'scenery'
    assert model.findtext('static') == 'true'
    assert len(model.findall('link')) == 1
    names = [each.get('name') for each in model.iter('collision')]
    assert len(set(names)) == len(names) == 4


def test_movers_begin_where_the_world_has_them_at_time_zero(tmp_path: Path) -> None:
    file = tmp_path / 'movers.sdf'
    file.write_text(movers_sdf(WORLD, 'movers', 10.0, 20.0))
    with pytest.warns(SdfWarning, match='what it moves stands still'):
        circles = read_sdf(file).circles
    # the first has gone 1 m of its way along x already
    np.testing.assert_allclose(circles, [[11.0, 21.0, 0.2], [12.0, 22.0, 0.3]])


def test_each_mover_moves_along_both_axes() -> None:
    model = ElementTree.fromstring(movers_sdf(WORLD, 'movers', 0.0, 0.0)).find('model')
    assert model is not None
    joints = {joint.get('name'): joint for joint in model.findall('joint')}
    for number in range(2):
        along_x, along_y = (joints.pop(name) for name in mover_joints(number))
        assert along_x.findtext('parent') == 'world'
        assert along_x.findtext('child') == along_y.findtext('parent')
        assert along_y.findtext('child') == f'mover_{number}'
        assert along_x.findtext('axis/xyz') == '1 0 0'
        assert along_y.findtext('axis/xyz') == '0 1 0'
        assert {along_x.get('type'), along_y.get('type')} == {'prismatic'}
    assert not joints
    assert {each.text for each in model.iter('gravity')} == {'false'}


def test_movers_and_scenery_touch_robots_and_not_one_another() -> None:
    def bits(text: str) -> set[int]:
        masks = ElementTree.fromstring(text).iter('collide_bitmask')
        return {int(mask.text or '') for mask in masks}

    (scenery,) = bits(scenery_sdf(WORLD, 'scenery', 0.0, 0.0))
    (movers,) = bits(movers_sdf(WORLD, 'movers', 0.0, 0.0))
    wheels = 1
    assert scenery
    assert movers
    assert scenery & movers == scenery & wheels == movers & wheels == 0
