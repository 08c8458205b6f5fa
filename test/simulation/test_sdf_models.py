"""Included models and named frames."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rl_planner.simulation.sdf import SdfWarning, read_sdf
from rl_planner.simulation.world import FloatArray, WorldError

SdfFile = Callable[..., Path]

DISC = '<geometry><cylinder><radius>0.5</radius><length>1</length></cylinder></geometry>'
COLUMN = (
    '<model name="column"><pose>1 0 0 0 0 0</pose>'
    f'<link name="l"><collision name="c">{DISC}</collision></link></model>'
)
LINK = f'<collision name="c">{DISC}</collision>'


def centres(path: Path, *model_path: Path) -> FloatArray:
    """(C, 2) of a file that gives no reason for a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        return read_sdf(path, model_path=model_path).circles[:, :2]


def include(uri: str, more: str = '') -> str:
    return f'<world name="w"><include><uri>{uri}</uri>{more}</include></world>'


@pytest.mark.parametrize(
    'uri',
    [
        'model://column',
        'column',
        'column/model.sdf',
        'model://column/model.sdf',
        'file://column',
        'https://fuel.gazebosim.org/1.0/OpenRobotics/models/column/3',
    ],
)
def test_a_model_beside_the_world_file(sdf_file: SdfFile, uri: str) -> None:
    sdf_file(COLUMN, 'column/model.sdf')
    np.testing.assert_allclose(centres(sdf_file(include(uri))), [[1, 0]])


def test_an_absolute_file_uri(sdf_file: SdfFile) -> None:
    column = sdf_file(COLUMN, 'far/away/column.sdf')
    np.testing.assert_allclose(centres(sdf_file(include(f'file://{column}'))), [[1, 0]])


def test_the_model_path_comes_before_the_environment(
    sdf_file: SdfFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdf_file(COLUMN, 'given/column/model.sdf')
    for number, name in enumerate(('GAZEBO_MODEL_PATH', 'GZ_SIM_RESOURCE_PATH', 'SDF_PATH'), 2):
        moved = COLUMN.replace('<pose>1', f'<pose>{number}')
        folder = sdf_file(moved, f'{name}/column/model.sdf').parent.parent
        monkeypatch.setenv(name, f'/nowhere:{folder}')
    world = sdf_file(include('model://column'))
    np.testing.assert_allclose(centres(world, tmp_path / 'given'), [[1, 0]])
    np.testing.assert_allclose(centres(world), [[2, 0]])
    monkeypatch.delenv('GAZEBO_MODEL_PATH')
    np.testing.assert_allclose(centres(world), [[3, 0]])
    monkeypatch.delenv('GZ_SIM_RESOURCE_PATH')
    np.testing.assert_allclose(centres(world), [[4, 0]])


def test_model_config_names_the_newest_version_that_is_known(
    sdf_file: SdfFile, tmp_path: Path
) -> None:
    for number, name in enumerate(('old', 'new', 'future')):
        sdf_file(COLUMN.replace('<pose>1', f'<pose>{number}'), f'column/{name}.sdf')
    (tmp_path / 'column' / 'model.config').write_text(
        '<model><sdf version="1.9">new.sdf</sdf><sdf version="1.10"> new.sdf\n</sdf>'
        '<sdf version="1.4">old.sdf</sdf><sdf version="3.0">future.sdf</sdf></model>'
    )
    np.testing.assert_allclose(centres(sdf_file(include('model://column'))), [[1, 0]])


def test_an_include_moves_and_renames_what_it_includes(sdf_file: SdfFile) -> None:
    sdf_file(COLUMN, 'column/model.sdf')
    one = '<include><uri>column</uri><name>a</name><pose>3 4 0 0 0 0</pose></include>'
    other = (
        '<include><uri>column</uri><name>b</name><pose relative_to="a">0 1 0 0 0 0</pose></include>'
    )
    path = sdf_file(f'<world name="w">{one}{other}</world>')
    np.testing.assert_allclose(centres(path), [[3, 4], [3, 5]])


def test_an_include_can_make_a_model_move(sdf_file: SdfFile) -> None:
    sdf_file(COLUMN, 'column/model.sdf')
    mover = (
        '<rl_planner:mover><rl_planner:waypoint>5 0</rl_planner:waypoint>'
        '<rl_planner:speed>1</rl_planner:speed></rl_planner:mover>'
    )
    world = read_sdf(sdf_file(include('column', mover)))
    np.testing.assert_allclose(world.movers, [[1, 0, 5, 0, 0.5, 1, 0]])


def test_includes_within_included_models(sdf_file: SdfFile) -> None:
    sdf_file(COLUMN, 'pair/part/model.sdf')
    parts = '<include><uri>part</uri></include>' + (
        '<include><uri>part</uri><pose>0 2 0 0 0 0</pose></include>'
    )
    sdf_file(f'<model name="pair"><pose>10 0 0 0 0 0</pose>{parts}</model>', 'pair/model.sdf')
    np.testing.assert_allclose(centres(sdf_file(include('pair'))), [[11, 0], [10, 2]])


@pytest.mark.parametrize(
    'uri', ['model://sun', 'model://ground_plane', 'https://x/models/Ground Plane']
)
def test_gazebos_own_sun_and_ground_need_not_be_there(sdf_file: SdfFile, uri: str) -> None:
    assert len(centres(sdf_file(include(uri)))) == 0


def test_an_included_light_is_no_obstacle_and_an_included_actor_is_named(sdf_file: SdfFile) -> None:
    sdf_file('<light name="lamp" type="point"/>', 'lamp/model.sdf')
    sdf_file('<actor name="walker"/>', 'walker/model.sdf')
    assert len(centres(sdf_file(include('lamp')))) == 0
    with pytest.warns(
        SdfWarning, match=r'-> walker/model.sdf: actor\[walker\]: left out: an actor'
    ):
        read_sdf(sdf_file(include('walker')))


def test_changes_to_an_included_model_are_named(sdf_file: SdfFile) -> None:
    sdf_file(COLUMN, 'column/model.sdf')
    with pytest.warns(SdfWarning, match='experimental:params: not applied'):
        read_sdf(sdf_file(include('column', '<experimental:params/>')))


def test_a_warning_names_the_file_that_is_included(sdf_file: SdfFile) -> None:
    sdf_file(COLUMN.replace(DISC, '<geometry><mesh/></geometry>'), 'column/model.sdf')
    message = (
        r'arena.sdf: world\[w\]/include -> column/model.sdf: '
        r'model\[column\]/link\[l\]/collision\[c\]/geometry/mesh: left out'
    )
    with pytest.warns(SdfWarning, match=message):
        read_sdf(sdf_file(include('column')))


@pytest.mark.parametrize(
    ('files', 'message'),
    [
        ({}, r'arena.sdf: world\[w\]/include/uri: no model "model://column" in .+'),
        ({'column/model.sdf': '<world name="x"/>'}, r'column/model.sdf: needs a <model>'),
        (
            {
                'column/model.sdf': '<model name="m"><include><uri>model://column</uri></include></model>'
            },
            'include/uri: model://column includes itself',
        ),
        (
            {
                'column/model.sdf': '<model name="a"><include><uri>model://b</uri></include></model>',
                'b/model.sdf': '<model name="b"><include><uri>model://column</uri></include></model>',
            },
            r'-> b/model.sdf: model\[b\]/include/uri: model://column includes itself',
        ),
        (
            {'column/model.config': ''},
            'column/model.config lists no SDF file of version 1.4 to 1.12',
        ),
        (
            {'column/model.config': '<sdf version="1.6">gone.sdf</sdf>'},
            'column/gone.sdf: cannot be read: No such file',
        ),
    ],
)
def test_includes_that_cannot_be_followed(
    sdf_file: SdfFile, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        sdf_file(text, name)
    with pytest.raises(WorldError, match=message):
        read_sdf(sdf_file(include('model://column')))


@pytest.mark.parametrize('uri', ['', 'model://', 'x' * 5000])
def test_uris_that_name_nothing(sdf_file: SdfFile, uri: str) -> None:
    with pytest.raises(WorldError, match=r'arena.sdf: world\[w\]/include/uri: '):
        read_sdf(sdf_file(include(uri)))


def test_an_include_without_a_uri(sdf_file: SdfFile) -> None:
    with pytest.raises(WorldError, match=r'arena.sdf: world\[w\]/include: needs a <uri>'):
        read_sdf(sdf_file('<world name="w"><include/></world>'))


# Frames: `base` at (1, 0) turned by 90 degrees, so that its x axis is the model's y axis.
BASE = '<link name="base"><pose>1 0 0 0 0 1.5707963267948966</pose></link>'


@pytest.mark.parametrize(
    ('model', 'centre'),
    [
        (f'{BASE}<link name="l"><pose relative_to="base">2 0 0 0 0 0</pose>{LINK}</link>', (1, 2)),
        (f'{BASE}<link name="l"><pose frame="base">2 0 0 0 0 0</pose>{LINK}</link>', (1, 2)),
        (f'{BASE}<link name="l"><pose relative_to="base"/>{LINK}</link>', (1, 0)),
        (
            f'{BASE}<frame name="f" attached_to="base"><pose>2 0 0 0 0 0</pose></frame>'
            f'<link name="l"><pose relative_to="f">1 0 0 0 0 0</pose>{LINK}</link>',
            (1, 3),
        ),
        (
            f'{BASE}<joint name="j" type="fixed"><child>base</child>'
            '<pose>1 0 0 0 0 0</pose></joint>'
            f'<link name="l"><pose relative_to="j">1 0 0 0 0 0</pose>{LINK}</link>',
            (1, 2),
        ),
        (
            f'<model name="inner"><pose>0 5 0 0 0 0</pose>{BASE}</model>'
            f'<link name="l"><pose relative_to="inner::base">2 0 0 0 0 0</pose>{LINK}</link>',
            (1, 7),
        ),
        (
            '<frame name="a::b"><pose>4 0 0 0 0 0</pose></frame>'
            f'<link name="l"><pose relative_to="a::b">2 0 0 0 0 0</pose>{LINK}</link>',
            (6, 0),
        ),
        (
            BASE + '<link name="l"><pose>7 7 0 0 0 0</pose><collision name="c">'
            f'<pose relative_to="base">0 1 0 0 0 0</pose>{DISC}</collision></link>',
            (0, 0),
        ),
    ],
)
def test_poses_relative_to_a_frame(
    sdf_file: SdfFile, model: str, centre: tuple[float, float]
) -> None:
    path = sdf_file(f'<model name="m">{model}</model>', version='1.8')
    np.testing.assert_allclose(centres(path), [centre], atol=1e-12)


def test_a_model_placed_by_a_frame_inside_it(sdf_file: SdfFile) -> None:
    # `base`, turned by 90 degrees, shall be at (0, 3): the model stands turned back
    body = f'<pose>0 3 0 0 0 0</pose>{BASE}<link name="l">{LINK}</link>'
    text = f'<model name="m" placement_frame="base">{body}</model>'
    # the model's origin seen from base: R(-90) (-1, 0) = (0, 1)
    np.testing.assert_allclose(centres(sdf_file(text)), [[0, 4]], atol=1e-12)


def test_an_include_placed_by_a_frame_inside_it(sdf_file: SdfFile) -> None:
    sdf_file(f'<model name="m">{BASE}<link name="l">{LINK}</link></model>', 'm/model.sdf')
    more = '<placement_frame>base</placement_frame><pose>0 3 0 0 0 0</pose>'
    np.testing.assert_allclose(centres(sdf_file(include('m', more))), [[0, 4]], atol=1e-12)


@pytest.mark.parametrize(
    ('model', 'message'),
    [
        (
            '<link name="l"><pose relative_to="nowhere">0 0 0 0 0 0</pose></link>',
            r'model\[m\]/link\[l\]: pose is relative to "nowhere", which no element here is named',
        ),
        (
            f'{BASE}<link name="l"><pose relative_to="base::x">0 0 0 0 0 0</pose></link>',
            'pose is relative to "base::x"',
        ),
        (
            '<link name="a"><pose relative_to="b"/></link>'
            '<link name="b"><pose relative_to="a"/></link>',
            'pose is relative to itself, through',
        ),
    ],
)
def test_frames_that_are_not_there(sdf_file: SdfFile, model: str, message: str) -> None:
    with pytest.raises(WorldError, match=message):
        read_sdf(sdf_file(f'<model name="m">{model}</model>'))
