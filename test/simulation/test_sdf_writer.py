"""Worlds written as SDF, and the worlds that come with the package."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_planner.simulation.sdf import read_sdf
from rl_planner.simulation.sdf_writer import write_sdf
from rl_planner.simulation.world import FloatArray, World

WORLDS = sorted((Path(__file__).parents[2] / 'worlds').glob('*.sdf'))

position = st.floats(-1e3, 1e3)
length = st.floats(1e-3, 1e3)
angle = st.floats(-3.14159, 3.14159)


def rows(*columns: st.SearchStrategy[float]) -> st.SearchStrategy[FloatArray]:
    return st.lists(st.tuples(*columns), max_size=4).map(
        lambda values: np.array(values, dtype=float).reshape(-1, len(columns))
    )


def read_silently(path: Path) -> World:
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        return read_sdf(path)


@settings(deadline=None)  # the first file that is read takes its time
@given(
    boxes=rows(position, position, angle, length, length),
    circles=rows(position, position, length),
    movers=rows(position, position, position, position, length, position, position),
)
def test_what_is_written_is_read_back(
    boxes: FloatArray, circles: FloatArray, movers: FloatArray
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'world.sdf'
        write_sdf(World(boxes=boxes, circles=circles, movers=movers), path)
        world = read_silently(path)
    np.testing.assert_allclose(world.boxes, boxes, rtol=0.0, atol=1e-12)
    np.testing.assert_array_equal(world.circles, circles)
    np.testing.assert_array_equal(world.movers, movers)
    assert len(world.walls) == 0


def test_a_wall_becomes_a_thin_box_on_its_solid_side(tmp_path: Path) -> None:
    # from (0, 0) to (0, 2) the left is -x: the face at x = 0 is where the wall was
    write_sdf(World(walls=np.array([[0, 0, 0, 2]])), tmp_path / 'wall.sdf')
    world = read_silently(tmp_path / 'wall.sdf')
    np.testing.assert_allclose(world.boxes, [[-0.005, 1, np.pi / 2, 2, 0.01]])
    assert 'thin boxes' in (tmp_path / 'wall.sdf').read_text()


def test_a_wall_without_length_is_still_there(tmp_path: Path) -> None:
    write_sdf(World(walls=np.array([[1, 1, 1, 1]])), tmp_path / 'wall.sdf')
    np.testing.assert_allclose(read_silently(tmp_path / 'wall.sdf').boxes[:, 3:], [[0.01, 0.01]])


def test_names_are_fit_for_gazebo(tmp_path: Path) -> None:
    write_sdf(World(name='my <"world"> & ü'), tmp_path / 'named.sdf')
    world = ElementTree.parse(tmp_path / 'named.sdf').find('world')
    assert world is not None
    assert world.get('name') == 'my_world_'


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / 'folder.sdf').mkdir()
    with pytest.raises(OSError, match=r'folder.sdf'):
        write_sdf(World(), tmp_path / 'folder.sdf')
    assert [path.name for path in tmp_path.iterdir()] == ['folder.sdf']


def test_the_packages_worlds_are_there() -> None:
    assert [path.stem for path in WORLDS] == ['arena', 'clutter', 'corridor', 'moving', 'rooms']


@pytest.mark.parametrize('path', WORLDS, ids=lambda path: path.stem)
def test_the_packages_worlds_leave_room_for_the_robot(path: Path) -> None:
    world = read_silently(path)
    start = world.segments[:, :2]
    along = world.segments[:, 2:] - start
    share = np.clip(-(start * along).sum(1) / (along**2).sum(1), 0.0, 1.0)
    assert np.hypot(*(start + share[:, None] * along).T).min() > 0.5
    way = world.movers[:, 2:4] - world.movers[:, :2]
    share = np.clip(-(world.movers[:, :2] * way).sum(1) / (way**2).sum(1), 0.0, 1.0)
    nearest = np.hypot(*(world.movers[:, :2] + share[:, None] * way).T) - world.movers[:, 4]
    discs = np.hypot(*world.circles[:, :2].T) - world.circles[:, 2]
    assert (np.concatenate([nearest, discs]) > 0.5).all()
    assert len(world.boxes) >= 4
    assert len(world.movers) == (4 if path.stem == 'moving' else 0)
