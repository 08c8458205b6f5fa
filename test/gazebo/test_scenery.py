"""Worlds as models to insert: read back, they are the worlds they were made of."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from rl_planner.gazebo.scenery import (
    MOVER_BITS,
    MOVER_MASS,
    SCENERY_BITS,
    WHEEL_BITS,
    movers_sdf,
    scenery_sdf,
    wrench_topic,
)
from rl_planner.simulation.sdf import read_sdf
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
    walls = [[-0.005, 1.0, np.pi / 2.0, 2.0, 0.01]]
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
    circles = read_sdf(file).circles
    # the first has gone 1 m of its way along x already
    np.testing.assert_allclose(circles, [[11.0, 21.0, 0.2], [12.0, 22.0, 0.3]])


def test_movers_float_beside_an_anchor() -> None:
    model = ElementTree.fromstring(movers_sdf(WORLD, 'movers', 0.0, 0.0)).find('model')
    assert model is not None
    assert [link.get('name') for link in model.findall('link')] == ['anchor', 'mover_0', 'mover_1']
    assert [link.find('collision') is None for link in model.findall('link')] == [
        True,
        False,
        False,
    ]
    assert {each.text for each in model.iter('gravity')} == {'false'}
    assert {float(each.text or '') for each in model.iter('mass')} == {MOVER_MASS}
    assert not model.findall('joint')
    assert wrench_topic('movers', 1) == '~/movers/mover_1/wrench'


def test_movers_and_scenery_touch_robots_and_not_one_another() -> None:
    def bits(text: str) -> set[int]:
        masks = ElementTree.fromstring(text).iter('collide_bitmask')
        return {int(mask.text or '') for mask in masks}

    (scenery,) = bits(scenery_sdf(WORLD, 'scenery', 0.0, 0.0))
    (movers,) = bits(movers_sdf(WORLD, 'movers', 0.0, 0.0))
    assert (scenery, movers) == (SCENERY_BITS, MOVER_BITS)
    assert scenery & movers == scenery & WHEEL_BITS == movers & WHEEL_BITS == 0
